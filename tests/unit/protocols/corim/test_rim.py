from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.protocols.corim.rims import COMID, CORIM, REFERENCE, encoded
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim import rim
from thingstead.protocols.corim.common import Validity
from thingstead.protocols.corim.rim import Locator, TagList
from thingstead.protocols.coswid.tag import Coswid

END = datetime(2027, 1, 1, tzinfo=UTC)
UNTIL = {1: Tag(1, int(END.timestamp()))}
LIST = {0: {0: "list"}, 1: [{0: "a name"}], 2: UNTIL}
SWID = {0: "id", 12: 1, 1: "OS", 2: {31: "Acme", 33: 2}}


def test_a_corim_is_read_with_all_kinds_of_tags():
    tags = [*CORIM[1], Tag(505, codec.encode(SWID)), Tag(508, codec.encode(LIST)), Tag(9999, b"theirs")]
    found = rim.decode(encoded(m1=tags, m4=UNTIL, m5=[{0: "Acme", 2: [1]}]))
    assert (found.corim_id, found.profile, found.validity) == (
        "an id", "tag:acme.example,2026:lamp", Validity(None, END)
    )  # fmt: skip
    assert [one.tag_id for one in found.comids] == ["a name"]
    assert isinstance(found.tags[1], Coswid)
    assert found.tags[1].name == "OS"
    assert found.tags[2:] == (TagList("list", ("a name",), Validity(None, END)), Tag(9999, b"theirs"))
    assert found.entities[0].name == "Acme"


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({0: Tag(32, "a:b"), 1: [1, bytes(32)]}, Locator(("a:b",), ((1, bytes(32)),))),
        ({0: ["a:b", "c:d"], 1: [[1, bytes(32)]]}, Locator(("a:b", "c:d"), ((1, bytes(32)),))),
        ({0: "a:b"}, Locator(("a:b",))),
    ],
)
def test_where_more_would_be_is_read_and_not_followed(place, expected):
    assert rim.decode(encoded(m2=[place])).dependents == (expected,)


@pytest.mark.parametrize(
    "data",
    [
        codec.encode(CORIM),
        codec.encode(Tag(500, CORIM)),
        codec.encode(Tag(501, [])),
        encoded(m0=5),
        encoded(m0=b"short"),
        encoded(m1=[]),
        encoded(m1=[codec.encode(COMID)]),
        encoded(m1=[Tag(506, COMID)]),
        encoded(m1=[Tag(506, b"\xff")]),
        encoded(m1=[Tag(506, codec.encode({}))]),
        encoded(m2=[{1: [1, bytes(32)]}]),
        encoded(m2=[{0: "a:b", 1: [1, b"short"]}]),
        encoded(m3=5),
        encoded(m4={}),
        encoded(m5=[]),
        encoded() + b"\x00",
        b"",
        bytes(1 << 19),
        b"\x81" * 64,
    ],
)
def test_a_corim_outside_its_grammar_is_refused(data):
    with pytest.raises(DecodeError):
        rim.decode(data)


def test_what_is_encoded_decodes_and_is_the_same_each_time():
    triples: dict[int, Any] = {0: [REFERENCE]}
    data = rim.encode("an id", {"a name": triples}, profile="a:b")
    assert data == rim.encode("an id", {"a name": triples}, profile="a:b")
    assert rim.decode(data).profile == "a:b"
    with pytest.raises(DecodeError):
        rim.encode("an id", {"a name": {}}, profile="a:b")
