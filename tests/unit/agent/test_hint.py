import pytest

from thingstead.agent.hint import hinted
from thingstead.protocols.ace.creation_hints import CreationHints
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code


@pytest.mark.spec("RFC 9200 5.3")
@pytest.mark.parametrize(("host", "shown"), [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "[2001:db8::1]")])
def test_a_stranger_is_told_where_to_ask_and_is_refused_all_the_same(host, shown):
    answer = hinted(Message(Code.UNAUTHORIZED), (host, 5683), cnonce=b"nonce")
    assert answer.code == Code.UNAUTHORIZED
    said = CreationHints.decode(answer.payload)
    assert (said.server, said.cnonce) == (f"coap://{shown}:5683/token", b"nonce")
