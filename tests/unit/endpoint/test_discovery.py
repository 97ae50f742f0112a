import pytest

from tests.unit.endpoint.test_resource import _event, _resources
from thingstead.endpoint.discovery import PATH, discovery
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
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


def ask(*queries, multicast=False):
    resources = _resources()
    attributes = {"/hello": (("rt", "greeting core.x"), ("ct", "0 60")), "/light": (("rt", "lamp"),)}
    resources.register(PATH, Code.GET, discovery(resources, attributes), public=True)
    event = _event(Code.GET, PATH)
    event.message = request(Code.GET, PATH, query=queries)
    event.is_multicast = multicast
    answer = resources.answer(event, 0.0)
    return answer.code, [one.target for one in link.parse(answer.payload)]


@pytest.mark.spec("RFC 6690 4.1")
@pytest.mark.parametrize(
    ("query", "targets"),
    [
        ("rt=greeting", ["/hello"]),
        ("rt=gree*", ["/hello"]),
        ("ct=60", ["/hello"]),
        ("href=/li*", ["/light"]),
        ("rt=*", ["/hello", "/light"]),
        ("rt=greeting core.x", []),
        ("rt", ["/hello", "/light"]),
    ],
)
def test_a_query_picks_links(query, targets):
    assert ask(query) == (Code.CONTENT, targets)


@pytest.mark.spec("RFC 6690 4.1")
def test_a_query_that_nothing_fits_is_answered_to_one_and_not_to_a_group():
    assert ask("rt=none") == (Code.CONTENT, [])
    assert ask("rt=none", multicast=True) == (Code.NOT_FOUND, [])


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize("query", ["href=/secret", "href=/sec*", "href=*"])
def test_a_query_shows_nothing_that_is_not_visible(query):
    assert "/secret" not in ask(query)[1]
