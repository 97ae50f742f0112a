import pytest

from thingstead.crypto.algorithm import REGISTRY, AlgorithmId, Kind
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ReplayError,
    StateError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.limit import KeyLimits, key_limits
from thingstead.protocols.oscore.protection import (
    protect_request,
    protect_response,
    unprotect_request,
    unprotect_response,
)
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

DRAFT = "draft-ietf-core-oscore-key-limits 2"
GET = request(Code.GET, "/a")
NUMBERS = 1 << 19
AEADS = [row.id for row in REGISTRY.values() if row.kind is Kind.AEAD]


def pair(*, aead_id=AlgorithmId.AES_CCM_16_64_128, **client):
    secret = Secret(bytes(range(16)))
    return (
        SecurityContext.derive(secret, sender_id=b"\x01", recipient_id=b"\x02", aead_id=aead_id, **client),
        SecurityContext.derive(secret, sender_id=b"\x02", recipient_id=b"\x01", aead_id=aead_id),
    )


def forged(context):
    outer, _ = protect_request(GET, context=context)
    return Message(outer.code, options=list(outer.options), payload=bytes(len(outer.payload)))


@pytest.mark.spec(DRAFT)
@pytest.mark.parametrize(
    ("aead_id", "limits"),
    [
        (AlgorithmId.AES_CCM_16_64_128, KeyLimits(1 << 20, 1 << 14, 4096)),
        (AlgorithmId.AES_CCM_16_128_128, KeyLimits(1 << 20, 1 << 20, 16384)),
        (AlgorithmId.A128GCM, KeyLimits(1 << 20, 1 << 20, 16384)),
        (AlgorithmId.A256GCM, KeyLimits(1 << 20, 1 << 20, 16384)),
        (AlgorithmId.CHACHA20_POLY1305, KeyLimits(1 << 20, 1 << 20, 65536)),
        (AlgorithmId.AES_CCM_64_64_256, KeyLimits(1 << 20, 1 << 14, 4096)),
    ],
)
def test_each_algorithm_has_the_limits_of_the_draft(aead_id, limits):
    assert key_limits(aead_id) == limits


@pytest.mark.parametrize("aead_id", [AlgorithmId.ES256, 99])
def test_what_is_no_aead_has_no_limits(aead_id):
    with pytest.raises(UnsupportedError):
        key_limits(aead_id)


@pytest.mark.spec(DRAFT)
@pytest.mark.requirement("R-25")
@pytest.mark.parametrize("aead_id", AEADS)
def test_at_the_limit_of_its_key_a_sender_sends_no_more(aead_id):
    client, _ = pair(aead_id=aead_id, sequence=SequenceNumbers(NUMBERS - 1))
    protect_request(GET, context=client)
    client.sender.sequence.reserve(1 << 40)
    with pytest.raises(StateError, match="not reserved"):
        protect_request(GET, context=client)
    assert client.sender.sequence.next == NUMBERS


@pytest.mark.spec(DRAFT)
@pytest.mark.requirement("R-25")
def test_a_notification_at_the_limit_is_not_protected():
    client, server = pair()
    outer, _ = protect_request(GET.with_options((6, b"")), context=client)
    _, binding = unprotect_request(outer, context=server)
    server.sender.sequence.next = NUMBERS
    with pytest.raises(StateError):
        protect_response(Message(Code.CONTENT, options=[(6, b"")]), binding=binding)


@pytest.mark.spec(DRAFT)
@pytest.mark.requirement("R-25")
@pytest.mark.parametrize("number", [NUMBERS, NUMBERS + 1, (1 << 40) - 1])
def test_a_peer_beyond_its_limit_is_not_answered_and_moves_no_window(number):
    client, server = pair()
    client.sender.sequence.limit = 1 << 40
    client.sender.sequence.reserve(1 << 40)
    client.sender.sequence.next = number
    outer, _ = protect_request(GET, context=client)
    with pytest.raises(UntrustedError) as refused:
        unprotect_request(outer, context=server)
    assert (refused.value.reason, server.recipient.window.newest) == ("key-limit", -1)


@pytest.mark.requirement("R-25")
def test_a_lost_window_does_not_recover_beyond_the_limit():
    window = ReplayWindow(valid=False)
    window.bound(NUMBERS)
    with pytest.raises(UntrustedError):
        window.recover(NUMBERS)
    assert not window.is_valid


def test_a_bound_only_shrinks():
    sequence, window = SequenceNumbers(reserved=100), ReplayWindow()
    for limit in (10, 1000):
        sequence.bound(limit)
        window.bound(limit)
    assert (sequence.limit, sequence.reserved) == (10, 10)
    with pytest.raises(UntrustedError):
        window.check(10)


@pytest.mark.spec(DRAFT)
@pytest.mark.requirement("R-25")
def test_a_key_that_met_too_many_forgeries_verifies_nothing_more():
    client, server = pair()
    fake = forged(client)
    server.recipient.failures = (1 << 14) - 1
    with pytest.raises(AuthenticationError):
        unprotect_request(fake, context=server)
    genuine, _ = protect_request(GET, context=client)
    with pytest.raises(UntrustedError) as refused:
        unprotect_request(genuine, context=server)
    assert refused.value.reason == "key-limit"


@pytest.mark.spec(DRAFT)
@pytest.mark.requirement("R-25")
def test_forged_responses_count_as_well():
    client, server = pair()
    outer, binding = protect_request(GET, context=client)
    _, answering = unprotect_request(outer, context=server)
    genuine = protect_response(Message(Code.CONTENT), binding=answering)
    client.recipient.failures = (1 << 14) - 1
    with pytest.raises(AuthenticationError):
        unprotect_response(Message(genuine.code, options=genuine.options, payload=bytes(20)), binding=binding)
    with pytest.raises(UntrustedError):
        unprotect_response(genuine, binding=binding)


@pytest.mark.spec(DRAFT)
def test_replays_and_what_is_malformed_are_no_forgeries():
    client, server = pair()
    outer, _ = protect_request(GET, context=client)
    unprotect_request(outer, context=server)
    short, _ = protect_request(GET, context=client)
    short.payload = short.payload[:4]
    for message, error in ((outer, ReplayError), (short, DecodeError)):
        with pytest.raises(error):
            unprotect_request(message, context=server)
    assert server.recipient.failures == 0


@pytest.mark.spec(DRAFT)
@pytest.mark.parametrize("aead_id", AEADS)
def test_a_message_longer_than_the_limit_is_neither_sent_nor_read(aead_id):
    client, server = pair(aead_id=aead_id)
    limits = key_limits(aead_id)
    overhead = 3 + REGISTRY[aead_id].output_size
    fitting = Message(Code.POST, payload=bytes(min(limits.message_size, (1 << 16) - 1) - overhead))
    outer, _ = protect_request(fitting, context=client)
    assert unprotect_request(outer, context=server)[0].payload == fitting.payload
    with pytest.raises(ValueError, match="bytes fit"):
        protect_request(Message(Code.POST, payload=bytes(limits.message_size)), context=client)
    outer.payload += bytes(limits.message_size)
    with pytest.raises((DecodeError, ReplayError)):
        unprotect_request(outer, context=server)


def worn_by_sending(context):
    context.sender.sequence.next = NUMBERS - (NUMBERS >> 3)


def worn_by_the_peer(context):
    context.recipient.window.accept(NUMBERS - (NUMBERS >> 3))


def worn_by_forgeries(context):
    context.recipient.failures = 1 << 13


@pytest.mark.requirement("R-25")
@pytest.mark.parametrize("wear", [worn_by_sending, worn_by_the_peer, worn_by_forgeries])
def test_a_context_says_that_it_is_worn_while_it_still_works(wear):
    client, server = pair()
    assert not client.is_worn
    wear(client)
    assert client.is_worn
    outer, _ = protect_request(GET, context=client)
    unprotect_request(outer, context=server)
