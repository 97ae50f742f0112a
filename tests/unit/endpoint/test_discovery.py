import pytest

from tests.unit.endpoint.test_resource import _event, _resources
from thingstead.endpoint.discovery import PATH, discovery
from thingstead.protocols.coap.code import Code
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.link import Link


def seen(*, association):
    resources = _resources()
    resources.register(PATH, Code.GET, discovery(resources, {"/hello": (("rt", "greeting"),)}), public=True)
    answer = resources.answer(_event(Code.GET, PATH, association=association), 0.0)
    assert answer is not None
    assert answer.code == Code.CONTENT
    return link.parse(answer.payload)


@pytest.mark.spec("RFC 6690 4")
def test_a_stranger_is_shown_what_answers_anyone_with_its_attributes():
    assert seen(association=None) == [Link("/hello", (("rt", "greeting"),))]


@pytest.mark.requirement("R-35")
def test_a_peer_is_also_shown_what_its_scope_holds_and_nothing_else():
    assert [one.target for one in seen(association="thing")] == ["/hello", "/light"]
