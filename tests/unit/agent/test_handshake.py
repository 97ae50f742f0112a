import pytest

from thingstead.agent.handshake import edhoc_answer, edhoc_request
from thingstead.agent.story import Place
from thingstead.errors import DecodeError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code


@pytest.mark.spec("RFC 9528 A.2")
@pytest.mark.parametrize("place", [None, Place(("192.0.2.1", 5683))])
def test_messages_go_in_clear_to_the_edhoc_resource(place):
    asked = edhoc_request(b"message", place)
    assert (asked.message.code, asked.message.path) == (Code.POST, "/.well-known/edhoc")
    assert not asked.protected
    assert asked.to is place


@pytest.mark.parametrize("code", [Code.BAD_REQUEST, Code.UNAUTHORIZED, Code.CONTENT, Code.SERVICE_UNAVAILABLE])
def test_anything_but_changed_ends_a_handshake(code):
    with pytest.raises(DecodeError) as caught:
        edhoc_answer(Message(code, payload=b"message"))
    assert caught.value.reason == "refused"


def test_the_answer_is_the_next_message():
    assert edhoc_answer(Message(Code.CHANGED, payload=b"message")) == b"message"
