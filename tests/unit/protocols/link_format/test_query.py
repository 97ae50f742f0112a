import pytest

from thingstead.protocols.link_format.link import Link
from thingstead.protocols.link_format.query import select

LINKS = [
    Link("/sensors/temp", (("rt", "temperature-c sensor"), ("if", "core.s"), ("title", "warm room"), ("obs", None))),
    Link("/sensors/light", (("rt", "light-lux sensor"), ("if", "core.s"))),
    Link("/t", (("anchor", "/sensors/temp"), ("rel", "alternate"))),
]


@pytest.mark.spec("RFC 6690 4.1")
@pytest.mark.parametrize(
    ("queries", "found"),
    [
        ([], [0, 1, 2]),
        (["rt=sensor"], [0, 1]),
        (["rt=light-lux"], [1]),
        (["rt=light*"], [1]),
        (["rt=sensor", "rt=temp*"], [0]),
        (["href=/sensors*"], [0, 1]),
        (["href=/t"], [2]),
        (["rel=alternate"], [2]),
        (["title=warm room"], [0]),
        (["title=warm"], []),
        (["title=warm*"], [0]),
        (["rt=*"], [0, 1]),
        (["rt="], []),
        (["obs="], []),
        (["none=1"], []),
        (["rt=SENSOR"], []),
        (["rt=sens"], []),
        (["rt"], [0, 1, 2]),
        ([""], [0, 1, 2]),
    ],
)
def test_links_are_picked_by_query(queries, found):
    assert select(LINKS, queries) == [LINKS[index] for index in found]
