import pytest

from tests.unit.protocols.oscore.association import GREETING, get, pair
from thingstead.errors import AuthenticationError, DecodeError, ReplayError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.protection import (
    protect_request,
    protect_response,
    unprotect_request,
    unprotect_response,
)

OSCORE, OBSERVE = OptionNumber.OSCORE, OptionNumber.OBSERVE


@pytest.mark.spec("RFC 8613 7.2")
@pytest.mark.spec("RFC 8613 8.3")
@pytest.mark.spec("RFC 8613 5.2")
def test_a_second_response_takes_a_partial_iv_of_its_own():
    client, server = pair()
    message, _ = protect_request(get(), context=client)
    _, binding = unprotect_request(message, context=server)
    first, second, third = (protect_response(GREETING, binding=binding) for _ in range(3))
    assert [m.option(OSCORE) for m in (first, second, third)] == [b"", b"\x01\x00", b"\x01\x01"]
    assert len({first.payload, second.payload, third.payload}) == 3


@pytest.mark.spec("RFC 8613 7.4")
@pytest.mark.requirement("R-15")
def test_only_one_response_is_accepted():
    client, server = pair()
    message, client_binding = protect_request(get(), context=client)
    _, binding = unprotect_request(message, context=server)
    first, second = (protect_response(GREETING, binding=binding) for _ in range(2))
    unprotect_response(first, binding=client_binding)
    for response in (first, second):
        with pytest.raises(ReplayError):
            unprotect_response(response, binding=client_binding)


@pytest.mark.spec("RFC 8613 7.1")
def test_a_response_to_another_request_does_not_verify():
    client, server = pair()
    message, _ = protect_request(get(), context=client)
    _, binding = unprotect_request(message, context=server)
    _, other = protect_request(get(), context=client)
    binding.take_nonce()
    with pytest.raises(AuthenticationError):
        unprotect_response(protect_response(GREETING, binding=binding), binding=other)


def observation():
    client, server = pair()
    message, client_binding = protect_request(get((OBSERVE, b"")), context=client)
    request, binding = unprotect_request(message, context=server)
    return message, request, client_binding, binding


def notification(value):
    return Message(Code.CONTENT, options=[(OBSERVE, bytes([value]))], payload=b"%d" % value)


@pytest.mark.spec("RFC 8613 4.1.3.5")
def test_an_observation_travels_under_fetch_and_content():
    message, request, client_binding, binding = observation()
    assert (message.code, message.option(OBSERVE)) == (Code.FETCH, b"")
    assert (request.code, request.option(OBSERVE), binding.observe) == (Code.GET, b"", 0)
    response = protect_response(notification(7), binding=binding)
    assert (response.code, response.option(OBSERVE), response.option(OSCORE)) == (Code.CONTENT, b"\x07", b"\x01\x00")
    received = unprotect_response(response, binding=client_binding)
    assert (received.code, received.payload) == (Code.CONTENT, b"7")


@pytest.mark.requirement("R-55")
@pytest.mark.spec("RFC 8613 4.1.3.5.2")
def test_the_outer_observe_value_of_a_notification_is_ignored():
    *_, client_binding, binding = observation()
    for expected in (b"", b"\x01", b"\x02"):
        response = protect_response(notification(9), binding=binding)
        forged = response.with_options((OBSERVE, b"\x63"), without=frozenset([OBSERVE]))
        assert unprotect_response(forged, binding=client_binding).option(OBSERVE) == expected


@pytest.mark.spec("RFC 8613 7.4.1")
@pytest.mark.requirement("R-15")
def test_replayed_and_older_notifications_are_refused():
    *_, client_binding, binding = observation()
    first, second, third = (protect_response(notification(value), binding=binding) for value in range(3))
    unprotect_response(second, binding=client_binding)
    for stale in (first, second):
        with pytest.raises(ReplayError):
            unprotect_response(stale, binding=client_binding)
    assert unprotect_response(third, binding=client_binding).payload == b"2"


@pytest.mark.spec("RFC 8613 7.4.1")
def test_a_response_without_observe_ends_the_observation():
    *_, client_binding, binding = observation()
    unprotect_response(protect_response(notification(0), binding=binding), binding=client_binding)
    binding.take_nonce()
    unprotect_response(protect_response(Message(Code.NOT_FOUND), binding=binding), binding=client_binding)
    with pytest.raises(ReplayError):
        unprotect_response(protect_response(notification(1), binding=binding), binding=client_binding)


@pytest.mark.spec("RFC 8613 8.4.2")
def test_one_notification_without_partial_iv_is_accepted_and_counts_as_the_oldest():
    *_, client_binding, binding = observation()
    nonce = binding.take_nonce()
    payload = binding.context.sender.aead.encrypt(nonce, b"\x45\x60", binding.aad)
    bare = Message(Code.CONTENT, options=[(OSCORE, b"")], payload=payload)
    assert unprotect_response(bare, binding=client_binding).option(OBSERVE) == b""
    with pytest.raises(ReplayError):
        unprotect_response(bare, binding=client_binding)
    unprotect_response(protect_response(notification(0), binding=binding), binding=client_binding)
    with pytest.raises(ReplayError):
        unprotect_response(bare, binding=client_binding)


@pytest.mark.spec("RFC 8613 4.1.3.5.2")
@pytest.mark.parametrize("options", [[], [(OBSERVE, b"\x01")]], ids=["plain request", "cancellation"])
def test_a_notification_that_nobody_asked_for_is_refused(options):
    client, server = pair()
    message, client_binding = protect_request(get(*options), context=client)
    _, binding = unprotect_request(message, context=server)
    with pytest.raises(DecodeError, match="Observe"):
        unprotect_response(protect_response(notification(0), binding=binding), binding=client_binding)
    assert unprotect_response(protect_response(GREETING, binding=binding), binding=client_binding) == GREETING
