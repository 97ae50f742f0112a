import pytest

from tests.conformance.edn import EdnError, Placeholder, parse
from thingstead.protocols.cbor.codec import Tag


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("/ a / { / b / 1 : [1, -2, 0x1f] } # end", {1: [1, -2, 31]}),
        ("h'00 /c/ ff'", b"\x00\xff"),
        ("'text'", b"text"),
        ("b64'AAE='", b"\x00\x01"),
        ("<< 1, {2: true} >>", b"\x01\xa1\x02\xf5"),
        ('32("a\nb")', Tag(32, "a\nb")),
        ("{1: null 2: false}", {1: None, 2: False}),
        ("[1 2, 3.5,]", [1, 2, 3.5]),
    ],
)
def test_notation_is_read_as_drafts_print_it(text, value):
    assert parse(text) == value


def test_what_a_draft_leaves_open_stays_open():
    assert parse("[TBD1]") == [Placeholder("TBD1")]


@pytest.mark.parametrize("text", ["", "{", "[1", "{1 2}", "{1: 2, 1: 3}", "h'0", "maybe", "1 2", "1(", "[" * 50])
def test_what_is_no_notation_is_refused(text):
    with pytest.raises(EdnError):
        parse(text)
