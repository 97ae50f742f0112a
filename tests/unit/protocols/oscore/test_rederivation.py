import pytest

from thingstead.errors import AuthenticationError, DecodeError, ReplayError, ThingsteadError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.binding import RequestBinding
from thingstead.protocols.oscore.protection import (
    protect_request,
    protect_response,
    read_option,
    unprotect_request,
    unprotect_response,
)
from thingstead.protocols.oscore.rederivation import InputParameters, NonceMint, answer, begin, follow, id_context_of
from thingstead.secret import Secret

SPEC = "RFC 8613 B.2"
GET = request(Code.GET, "/a")
R1, S2, R3 = (bytes([number]) * 8 for number in (1, 2, 3))
HERE, THERE = b"192.0.2.1", b"192.0.2.2"


def parameters(*, mirrored=False, secret=bytes(16), aead_id=10):
    ids = (b"\x02", b"\x01") if mirrored else (b"\x01", b"\x02")
    return InputParameters(Secret(secret), *ids, b"salt", aead_id)


CLIENT, SERVER = parameters(), parameters(mirrored=True)


def mint(number=7):
    return NonceMint(Secret(bytes([number]) * 32))


def first_request(client=CLIENT, r1=R1):
    """Request #1 on the wire, and what both ends make of it."""
    outer, binding = protect_request(GET, context=begin(client, r1), with_kid_context=True)
    server = SERVER.context(id_context_of(read_option(outer).kid_context))
    return outer, binding, unprotect_request(outer, context=server)[1]


def renewed(r3=R3):
    """Both contexts after the exchange, and request #2 that began them."""
    _, binding, received = first_request()
    client = follow(answer(received, SERVER, mint().issue(S2, HERE)), binding, CLIENT, r3)
    assert client is not None
    second, binding = protect_request(GET, context=client, with_kid_context=True)
    return client, second, binding


@pytest.mark.spec(SPEC)
def test_four_messages_make_a_context_that_both_have_parts_in():
    client, second, binding = renewed()
    id_context = id_context_of(read_option(second).kid_context)
    assert (id_context[:8], id_context[16:]) == (S2, R3)
    assert mint().issued(id_context, HERE)
    inner, received = unprotect_request(second, context=SERVER.context(id_context))
    assert inner.path == "/a"
    reply = protect_response(Message(Code.CONTENT, payload=b"x"), binding=received)
    assert unprotect_response(reply, binding=binding).payload == b"x"
    assert client.id_context == id_context


@pytest.mark.spec(SPEC)
@pytest.mark.parametrize("aead_id", [1, 3, 10, 24, 30])
def test_it_runs_under_every_algorithm(aead_id):
    client, server = (
        parameters(aead_id=aead_id, secret=bytes(32)),
        parameters(mirrored=True, aead_id=aead_id, secret=bytes(32)),
    )
    outer, binding = protect_request(GET, context=begin(client, R1), with_kid_context=True)
    _, received = unprotect_request(outer, context=server.context(R1))
    assert follow(answer(received, server, mint().issue(S2, HERE)), binding, client, R3) is not None


@pytest.mark.spec(SPEC)
def test_a_kid_context_is_wrapped_and_the_answer_names_r2_alone():
    outer, _, received = first_request()
    assert read_option(outer).kid_context == codec.encode(R1)
    reply = answer(received, SERVER, mint().issue(S2, HERE))
    assert id_context_of(read_option(reply).kid_context)[:8] == S2
    assert (reply.code, read_option(reply).partial_iv) == (Code.CHANGED, None)


@pytest.mark.spec(SPEC)
@pytest.mark.parametrize(
    "kid_context",
    [None, b"", R1, codec.encode(R1[:7]), codec.encode(17), codec.encode("12345678"), b"\x48short", bytes(200)],
)
def test_what_is_no_wrapped_random_part_is_refused(kid_context):
    with pytest.raises(DecodeError):
        id_context_of(kid_context)


@pytest.mark.spec(SPEC)
def test_a_server_with_another_secret_is_not_followed():
    _, binding, received = first_request()
    impostor = parameters(mirrored=True, secret=bytes(range(16)))
    with pytest.raises(AuthenticationError):
        follow(answer(received, impostor, mint().issue(S2, HERE)), binding, CLIENT, R3)


@pytest.mark.spec(SPEC)
def test_a_client_with_another_secret_is_not_answered():
    outer, _ = protect_request(GET, context=begin(parameters(secret=bytes(range(16))), R1), with_kid_context=True)
    with pytest.raises(AuthenticationError):
        unprotect_request(outer, context=SERVER.context(R1))


@pytest.mark.spec(SPEC)
@pytest.mark.requirement("R-15")
def test_an_answer_to_one_request_answers_no_other():
    _, _, received = first_request()
    _, other, _ = first_request(r1=R3)
    with pytest.raises(AuthenticationError):
        follow(answer(received, SERVER, mint().issue(S2, HERE)), other, CLIENT, R3)


def accepted(reply, binding):
    """The context that a response leads to, or itself if it is an ordinary one."""
    return follow(reply, binding, CLIENT, R3) or unprotect_response(reply, binding=binding)


@pytest.mark.spec(SPEC)
@pytest.mark.parametrize("place", range(-20, 0))
def test_a_changed_answer_is_not_followed(place):
    _, binding, received = first_request()
    reply = answer(received, SERVER, mint().issue(S2, HERE))
    ((number, value),) = reply.options
    data = bytearray(value + reply.payload)
    data[place] ^= 1
    changed = Message(reply.code, options=[(number, bytes(data[: len(value)]))], payload=bytes(data[len(value) :]))
    with pytest.raises(ThingsteadError):
        accepted(changed, binding)


@pytest.mark.spec(SPEC)
def test_an_ordinary_response_is_not_taken_for_the_beginning_of_something():
    _, binding, received = first_request()
    assert follow(protect_response(Message(Code.CONTENT), binding=received), binding, CLIENT, R3) is None


@pytest.mark.spec(SPEC)
def test_a_success_under_the_second_context_is_refused():
    _, binding, received = first_request()
    genuine = answer(received, SERVER, mint().issue(S2, HERE))
    r2 = id_context_of(read_option(genuine).kid_context)
    second = SERVER.context(r2 + R1, named=r2)
    rebound = RequestBinding(second, received.kid, received.partial_iv, None, None, received.nonce, received.aad, True)
    forged = protect_response(Message(Code.CONTENT), binding=rebound)
    forged.options = genuine.options
    with pytest.raises(DecodeError, match="under a context that begins"):
        follow(forged, binding, CLIENT, R3)


@pytest.mark.spec("RFC 8613 B.2.1")
@pytest.mark.requirement("R-15")
def test_an_r2_is_good_for_its_mint_and_its_place_and_nothing_shorter():
    r2 = mint().issue(S2, HERE)
    assert mint().issued(r2 + R3, HERE)
    refused = [(mint(8), r2 + R3, HERE), (mint(), r2 + R3, THERE), (mint(), r2 + R3[:7], HERE), (mint(), R1, HERE)]
    refused += [(mint(), bytes([r2[0] ^ 1]) + r2[1:] + R3, HERE), (mint(), r2[:8] + bytes(8) + R3, HERE)]
    assert not any(one.issued(id_context, place) for one, id_context, place in refused)


@pytest.mark.spec(SPEC)
@pytest.mark.requirement("R-15")
def test_a_second_request_is_not_taken_twice_under_its_context():
    _, second, _ = renewed()
    context = SERVER.context(id_context_of(read_option(second).kid_context))
    unprotect_request(second, context=context)
    with pytest.raises(ReplayError):
        unprotect_request(second, context=context)


@pytest.mark.spec(SPEC)
def test_every_run_makes_other_keys():
    first, _, _ = renewed()
    other, second, _ = renewed(r3=bytes([9]) * 8)
    assert first.id_context != other.id_context
    with pytest.raises(UntrustedError):
        unprotect_request(second, context=SERVER.context(first.id_context or b""))
