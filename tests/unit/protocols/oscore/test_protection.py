import json
from functools import partial
from pathlib import Path

import pytest

from tests.unit.protocols.oscore.association import GREETING, get, pair
from thingstead.crypto.algorithm import REGISTRY, AlgorithmId, Kind
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ReplayError,
    StateError,
    ThingsteadError,
    UntrustedError,
)
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.protection import (
    FreshnessError,
    protect_request,
    protect_response,
    read_option,
    unprotect_request,
    unprotect_response,
)
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "oscore_rfc8613_appendix_c.json").read_text())
DERIVATIONS = {row["id"]: row for row in VECTORS["derivations"]}
REQUESTS = {row["id"]: row for row in VECTORS["requests"]}
OSCORE = OptionNumber.OSCORE


def contexts(vector, *, sequence_number=0):
    """Client and server of a derivation, the client at `sequence_number`."""
    salt, one, other = (bytes.fromhex(vector[name]) for name in ("master_salt", "sender_id", "recipient_id"))
    id_context = None if vector["id_context"] is None else bytes.fromhex(vector["id_context"])
    derive = partial(
        SecurityContext.derive,
        Secret(bytes.fromhex(vector["master_secret"])),
        master_salt=salt,
        id_context=id_context,
    )
    client = derive(sender_id=one, recipient_id=other, sequence=SequenceNumbers(sequence_number))
    server = derive(sender_id=other, recipient_id=one)
    return client, server


def oscore_option(message):
    value = message.option(OSCORE)
    assert value is not None
    return value


def with_option(message, value):
    return message.with_options((OSCORE, value), without=frozenset([OSCORE]))


@pytest.mark.spec("RFC 8613 8.1")
@pytest.mark.parametrize("vector", VECTORS["requests"], ids=lambda vector: vector["id"])
def test_requests_come_out_as_in_appendix_c(vector):
    client, server = contexts(DERIVATIONS[vector["derivation"]], sequence_number=vector["sequence_number"])
    original = coap.decode(bytes.fromhex(vector["unprotected"]))
    message, binding = protect_request(original, context=client, with_kid_context=vector["with_kid_context"])
    assert coap.encode(message).hex() == vector["protected"]
    assert oscore_option(message).hex() == vector["option"]
    assert message.payload.hex() == vector["ciphertext"]
    assert (binding.nonce.hex(), binding.aad.hex()) == (vector["nonce"], vector["aad"])
    assert unprotect_request(message, context=server)[0] == original


@pytest.mark.spec("RFC 8613 8.3")
@pytest.mark.parametrize("vector", VECTORS["responses"], ids=lambda vector: vector["id"])
def test_responses_come_out_as_in_appendix_c(vector):
    request = REQUESTS[vector["request"]]
    client, server = contexts(DERIVATIONS[request["derivation"]], sequence_number=request["sequence_number"])
    message, client_binding = protect_request(coap.decode(bytes.fromhex(request["unprotected"])), context=client)
    _, binding = unprotect_request(message, context=server)
    if vector["own_partial_iv"]:
        binding.take_nonce()
    original = coap.decode(bytes.fromhex(vector["unprotected"]))
    response = protect_response(original, binding=binding)
    assert coap.encode(response).hex() == vector["protected"]
    assert unprotect_response(response, binding=client_binding) == original


@pytest.mark.spec("RFC 8613 3.2")
@pytest.mark.parametrize("digest_id", [AlgorithmId.SHA_256, AlgorithmId.SHA_512])
@pytest.mark.parametrize("aead_id", [row.id for row in REGISTRY.values() if row.kind is Kind.AEAD])
def test_every_algorithm_carries_an_exchange(aead_id, digest_id):
    client, server = pair(aead_id=aead_id, digest_id=digest_id)
    message, client_binding = protect_request(get(), context=client)
    request, binding = unprotect_request(message, context=server)
    assert request == get()
    response = protect_response(GREETING, binding=binding)
    assert unprotect_response(response, binding=client_binding) == GREETING


@pytest.mark.spec("RFC 8613 3.2")
@pytest.mark.parametrize("aead_id", [row.id for row in REGISTRY.values() if row.kind is Kind.AEAD])
def test_the_hash_of_the_key_derivation_has_to_be_the_same(aead_id):
    client, _ = pair(aead_id=aead_id)
    _, server = pair(aead_id=aead_id, digest_id=AlgorithmId.SHA_512)
    with pytest.raises(AuthenticationError):
        unprotect_request(protect_request(get(), context=client)[0], context=server)


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.requirement("R-15")
def test_a_replayed_request_is_refused():
    client, server = pair()
    message, _ = protect_request(get(), context=client)
    unprotect_request(message, context=server)
    with pytest.raises(ReplayError) as refused:
        unprotect_request(message, context=server)
    assert refused.value.reason == "replay"


@pytest.mark.spec("RFC 8613 7.4")
@pytest.mark.requirement("R-15")
def test_a_request_left_of_the_window_is_refused():
    client, server = pair()
    first, _ = protect_request(get(), context=client)
    for _ in range(32):
        message, _ = protect_request(get(), context=client)
    unprotect_request(message, context=server)
    with pytest.raises(ReplayError):
        unprotect_request(first, context=server)


@pytest.mark.spec("RFC 8613 7.4")
def test_a_late_request_within_the_window_is_taken_once():
    client, server = pair()
    early, _ = protect_request(get(), context=client)
    late, _ = protect_request(get(), context=client)
    unprotect_request(late, context=server)
    unprotect_request(early, context=server)
    with pytest.raises(ReplayError):
        unprotect_request(early, context=server)


@pytest.mark.spec("RFC 8613 8.2")
def test_every_flipped_bit_is_refused_and_moves_no_window():
    client, server = pair()
    message, _ = protect_request(get(), context=client)
    option, payload = oscore_option(message), message.payload
    for position in range(8 * len(payload)):
        tampered = Message(message.code, token=b"t", options=message.options, payload=_flip(payload, position))
        with pytest.raises(AuthenticationError) as refused:
            unprotect_request(tampered, context=server)
        assert refused.value.reason == "unauthenticated"
    for position in range(8 * len(option)):
        with pytest.raises((AuthenticationError, DecodeError, UntrustedError)):
            unprotect_request(with_option(message, _flip(option, position)), context=server)
    assert unprotect_request(message, context=server)[0] == get()


def _flip(data, position):
    flipped = bytearray(data)
    flipped[position // 8] ^= 1 << position % 8
    return bytes(flipped)


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("", DecodeError),
        ("0100", DecodeError),
        ("0801", DecodeError),
        ("090002", UntrustedError),
        ("090001ff", UntrustedError),
        ("19000378797a01", UntrustedError),
        ("290001", DecodeError),
        ("490001", DecodeError),
        ("0e00000000000001", DecodeError),
        ("0a000101", DecodeError),
        ("0d01020304", DecodeError),
        ("1900066374780001", DecodeError),
        ("00", DecodeError),
    ],
    ids=[
        "empty",
        "no kid",
        "no partial iv",
        "another kid",
        "longer kid",
        "another kid context",
        "group flag",
        "reserved flag",
        "partial iv of 6 bytes",
        "leading zero",
        "partial iv cut",
        "kid context cut",
        "zero flags written out",
    ],
)
def test_a_request_with_a_wrong_option_is_refused(value, error):
    client, server = pair()
    message, _ = protect_request(get(), context=client)
    with pytest.raises(error):
        unprotect_request(with_option(message, bytes.fromhex(value)), context=server)


def test_an_option_that_was_read_already_is_not_read_again():
    client, server = pair()
    message, _ = protect_request(get(), context=client)
    assert unprotect_request(message, context=server, option=read_option(message))[0] == get()


@pytest.mark.spec("RFC 8613 2")
def test_a_message_without_option_or_payload_is_malformed():
    client, server = pair()
    message, _ = protect_request(get(), context=client)
    with pytest.raises(DecodeError, match="OSCORE option"):
        unprotect_request(get(), context=server)
    with pytest.raises(DecodeError, match="payload"):
        unprotect_request(Message(message.code, options=message.options), context=server)


@pytest.mark.spec("RFC 8613 4.1.3.7")
@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize("plaintext", ["", "45", "00", "01ff", "01d0", "0190", "0164000000"])
def test_an_authentic_but_malformed_plaintext_is_refused(plaintext):
    client, server = pair()
    message, binding = protect_request(get(), context=client)
    payload = client.sender.aead.encrypt(binding.nonce, bytes.fromhex(plaintext), binding.aad)
    with pytest.raises(DecodeError):
        unprotect_request(Message(Code.POST, options=message.options, payload=payload), context=server)


@pytest.mark.requirement("R-55")
@pytest.mark.spec("RFC 8613 8.2")
def test_outer_options_of_class_e_are_discarded_and_class_u_survive():
    client, server = pair()
    message, _ = protect_request(get((OptionNumber.URI_HOST, b"h")), context=client)
    injected = message.with_options(
        (OptionNumber.IF_MATCH, b"e"),
        (OptionNumber.URI_PATH, b"admin"),
        (OptionNumber.NO_RESPONSE, b"\x1a"),
        (OptionNumber.OBSERVE, b""),
        (65001, b"unknown and critical"),
        (OptionNumber.PROXY_SCHEME, b"coap"),
    )
    request, _ = unprotect_request(injected, context=server)
    assert request.options == [
        (OptionNumber.URI_HOST, b"h"),
        (OptionNumber.URI_PATH, b"x"),
        (OptionNumber.PROXY_SCHEME, b"coap"),
    ]


@pytest.mark.requirement("R-55")
@pytest.mark.spec("RFC 8613 4.2")
def test_the_outer_code_says_nothing_about_the_inner_one():
    client, server = pair()
    codes = []
    for code in (Code.GET, Code.PUT, Code.DELETE, Code.IPATCH):
        message, _ = protect_request(Message(code), context=client)
        codes.append(message.code)
        message.code = Code.DELETE
        assert unprotect_request(message, context=server)[0].code == code
    assert codes == [Code.POST] * 4


@pytest.mark.spec("RFC 8613 4.1.3.7")
@pytest.mark.spec("RFC 8613 4.1.3")
@pytest.mark.parametrize(
    "message",
    [
        Message(Code.GET, options=[(OSCORE, b"")]),
        Message(Code.GET, options=[(35, b"http://h/x")]),
        Message(Code.GET, options=[(35, b"coap://h/\xff")]),
        GREETING,
    ],
    ids=["protected twice", "another scheme", "no URI", "response"],
)
def test_what_is_not_a_plain_request_is_not_protected(message):
    client, _ = pair()
    with pytest.raises(ValueError, match="protect"):
        protect_request(message, context=client)
    assert client.sender.sequence.next == 0


@pytest.mark.spec("RFC 8613 8.4")
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("0801", UntrustedError),
        ("100178", UntrustedError),
        ("20", DecodeError),
        ("0100", AuthenticationError),
        ("40", DecodeError),
    ],
    ids=["another kid", "another kid context", "group flag", "another partial iv", "reserved flag"],
)
def test_a_response_with_a_wrong_option_is_refused_and_spends_nothing(value, error):
    client, server = pair()
    message, client_binding = protect_request(get(), context=client)
    _, binding = unprotect_request(message, context=server)
    response = protect_response(GREETING, binding=binding)
    with pytest.raises(error):
        unprotect_response(with_option(response, bytes.fromhex(value)), binding=client_binding)
    assert unprotect_response(with_option(response, bytes.fromhex("0802")), binding=client_binding) == GREETING


@pytest.mark.spec("RFC 8613 8.4")
def test_a_request_inside_a_response_is_refused():
    client, server = pair()
    message, client_binding = protect_request(get(), context=client)
    _, binding = unprotect_request(message, context=server)
    payload = server.sender.aead.encrypt(binding.nonce, b"\x01", binding.aad)
    with pytest.raises(DecodeError, match="response inside"):
        unprotect_response(Message(Code.CHANGED, options=[(OSCORE, b"")], payload=payload), binding=client_binding)
    with pytest.raises(ValueError, match="response to protect"):
        protect_response(get(), binding=binding)


@pytest.mark.spec("RFC 8613 7.2")
@pytest.mark.spec("RFC 8613 7.2.1")
def test_a_partial_iv_beyond_the_reserve_is_not_taken():
    client, server = pair(server_sequence=SequenceNumbers(5, reserved=6))
    message, _ = protect_request(get(), context=client)
    _, binding = unprotect_request(message, context=server)
    protect_response(GREETING, binding=binding)
    assert protect_response(GREETING, binding=binding).option(OSCORE) == b"\x01\x05"
    with pytest.raises(StateError) as refused:
        protect_response(GREETING, binding=binding)
    assert refused.value.reason == "sequence"
    server.sender.sequence.reserve(7)
    assert protect_response(GREETING, binding=binding).option(OSCORE) == b"\x01\x06"


@pytest.mark.spec("RFC 8613 7.5")
@pytest.mark.spec("RFC 8613 B.1.2")
@pytest.mark.requirement("R-15")
def test_after_a_loss_of_the_window_a_request_is_served_only_once_shown_fresh():
    client, server = pair(server_window=ReplayWindow(valid=False))
    old, _ = protect_request(get(), context=client)
    message, client_binding = protect_request(get((OptionNumber.ECHO, b"value")), context=client)
    with pytest.raises(FreshnessError) as challenged:
        unprotect_request(old, context=server)
    answer = protect_response(
        Message(Code.UNAUTHORIZED, options=[(OptionNumber.ECHO, b"value")]), binding=challenged.value.binding
    )
    assert answer.option(OSCORE) == b"\x01\x00"
    with pytest.raises(FreshnessError) as shown:
        unprotect_request(message, context=server)
    assert shown.value.request.option(OptionNumber.ECHO) == b"value"
    shown.value.recover()
    for replayed in (old, message):
        with pytest.raises(ReplayError) as refused:
            unprotect_request(replayed, context=server)
        assert refused.value.reason == "replay"
    with pytest.raises(ReplayError):
        challenged.value.recover()
    assert (
        unprotect_response(protect_response(GREETING, binding=shown.value.binding), binding=client_binding) == GREETING
    )
    fresh, _ = protect_request(get(), context=client)
    assert unprotect_request(fresh, context=server)[0] == get()


@pytest.mark.spec("RFC 8613 8.2")
def test_a_forged_request_does_not_make_an_invalid_window_valid():
    client, server = pair(server_window=ReplayWindow(valid=False))
    message, _ = protect_request(get(), context=client)
    with pytest.raises(AuthenticationError):
        unprotect_request(
            Message(Code.POST, options=message.options, payload=bytes(len(message.payload))), context=server
        )
    assert not server.recipient.window.is_valid


def test_a_context_of_the_same_identifiers_and_another_secret_reads_nothing():
    client, _ = pair()
    stranger = SecurityContext.derive(
        Secret(bytes(16)), master_salt=b"salt", id_context=b"ctx", sender_id=b"\x02", recipient_id=b"\x01"
    )
    message, _ = protect_request(get(), context=client)
    with pytest.raises(ThingsteadError):
        unprotect_request(message, context=stranger)


@pytest.mark.spec("RFC 8613 4.1.3.1")
def test_the_inner_max_age_is_the_server_s_and_an_outer_one_counts_for_nothing():
    thing, controller = pair()
    _, binding, answer = exchanged(thing, controller, Message(Code.CONTENT, options=[(14, b"\x0a")], payload=b"x"))
    assert [number for number, _ in answer.options] == [OptionNumber.OSCORE]
    tampered = answer.with_options((14, b"\xff"))
    assert unprotect_response(tampered, binding=binding).option(14) == b"\x0a"


@pytest.mark.spec("RFC 8613 4.1.3.1")
def test_an_outer_max_age_alone_is_discarded():
    thing, controller = pair()
    _, binding, answer = exchanged(thing, controller, Message(Code.CONTENT, payload=b"x"))
    assert unprotect_response(answer.with_options((14, b"\xff")), binding=binding).options == []


@pytest.mark.spec("RFC 8613 3.1")
def test_each_party_keeps_its_identifier_in_both_roles():
    thing, controller = pair()
    for asker, server in ((thing, controller), (controller, thing)):
        outer, _ = protect_request(Message(Code.GET, token=b"t"), context=asker)
        assert read_option(outer).kid == asker.sender.id
        inner, binding = unprotect_request(outer, context=server)
        assert (inner.code, binding.kid) == (Code.GET, asker.sender.id)


@pytest.mark.spec("RFC 8613 4.3")
@pytest.mark.parametrize("code", [Code.EMPTY, Code.CSM, Code.PING, Code.ABORT])
def test_signals_and_empty_messages_are_left_as_they_are(code):
    thing, _ = pair()
    with pytest.raises(ValueError, match="request"):
        protect_request(Message(code), context=thing)
    assert thing.sender.sequence.next == 0


@pytest.mark.spec("RFC 8613 4.1")
def test_an_option_that_nobody_knows_is_protected_and_means_nothing_outside():
    thing, controller = pair()
    outer, _ = protect_request(Message(Code.GET, token=b"t", options=[(65000, b"secret")]), context=thing)
    assert [number for number, _ in outer.options] == [OptionNumber.OSCORE]
    inner, _ = unprotect_request(outer.with_options((65004, b"put in")), context=controller)
    assert inner.options == [(65000, b"secret")]


def exchanged(thing, controller, response):
    """A request, the client's binding, and the protected response."""
    outer, binding = protect_request(Message(Code.GET, token=b"t"), context=thing)
    inner, served = unprotect_request(outer, context=controller)
    return inner, binding, protect_response(response, binding=served)
