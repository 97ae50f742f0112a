import math

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.diagnostic import parse, render

NOTED = [
    ("00", "0"),
    ("3903e7", "-1000"),
    ("c249010000000000000000", "2(h'010000000000000000')"),
    ("f90000", "0.0"),
    ("f97e00", "NaN"),
    ("f97c00", "Infinity"),
    ("f9fc00", "-Infinity"),
    ("f4", "false"),
    ("f6", "null"),
    ("f7", "undefined"),
    ("f0", "simple(16)"),
    ("62c3bc", '"ü"'),
    ("6161", '"a"'),
    ("83018202039f0405ff", "[1, [2, 3], [4, 5]]"),
    ("a201020304", "{1: 2, 3: 4}"),
    ("a1820102f5", "{[1, 2]: true}"),
    ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", '32("http://www.example.com")'),
]


@pytest.mark.spec("RFC 8949 8")
@pytest.mark.parametrize(("data", "text"), NOTED)
def test_a_value_is_shown_in_its_notation(data, text):
    assert render(codec.decode(bytes.fromhex(data))) == text


@pytest.mark.spec("RFC 8949 8")
@pytest.mark.parametrize("text", [text for _, text in NOTED if text not in {"NaN"}])
def test_what_is_shown_is_read_back(text):
    assert render(parse(text)) == text


def test_not_a_number_is_read_back():
    assert math.isnan(parse("NaN"))


@pytest.mark.spec("RFC 8949 8.1")
@pytest.mark.parametrize(
    ("text", "value"),
    [("[_ 1, 2]", [1, 2]), ("(_ h'01', h'02')", b"\x01\x02"), ('(_ "a", "b")', "ab"), ("{_ 1: 2}", {1: 2})],
)
def test_indefinite_lengths_are_read(text, value):
    assert parse(text) == value


@pytest.mark.spec("RFC 8949 8")
@pytest.mark.parametrize(
    "text",
    ["", "{", "[1", "[1 2]", "1 2", "{1: 2, 1: 3}", "{{}: 1}", "h'0'", "h'zz'", '"', '"\\x"', "truth", "()"],
)
def test_what_is_no_notation_is_refused(text):
    with pytest.raises(DecodeError, match="expected"):
        parse(text)


@pytest.mark.spec("RFC 8949 8")
@pytest.mark.parametrize(
    "text",
    [
        '("a", 1)',
        "2(1, 2)",
        "simple(24)",
        "simple(256)",
        'simple("a")',
        "-",
        "\x00",
        "[" * 1000 + "]" * 1000,
        "1" * 5000,
    ],
    ids=range(9),
)
def test_what_no_value_can_be_is_refused(text):
    with pytest.raises(DecodeError, match="expected"):
        parse(text)


def test_what_does_not_fit_a_line_is_shown_on_several():
    value = {"readings": [{"n": "temperature", "v": 21.5}] * 2, 1: codec.Tag(24, b"x" * 20)}
    text = render(value, width=40)
    assert text.splitlines()[0] == "{"
    assert max(map(len, text.splitlines())) <= 55
    assert parse(text) == value
