import json

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.json.place import Node, decode_json

SPEC = "RFC 8520 §3"


def decode(text, *, max_bytes=1 << 18, max_depth=8):
    data = text if isinstance(text, bytes) else text.encode()
    return decode_json(data, max_bytes=max_bytes, max_depth=max_depth)


@pytest.mark.spec("RFC 6901 3")
def test_every_value_knows_where_it_stands():
    root = decode('{"a/b": [{"~": 1}]}')
    (element,) = root.member("a/b", spec=SPEC).elements(spec=SPEC)
    ((name, inner),) = element.members(spec=SPEC)
    assert (root.place, element.place, name, inner.place) == ("", "/a~1b/0", "~", "/a~1b/0/~0")


def test_a_place_is_short_and_printable_whatever_the_file_calls_it():
    ((_, node),) = decode(json.dumps({"\n\x1b[31m\ud800" + "x" * 100: 1})).members(spec=SPEC)
    assert node.place == "/??[31m?" + "x" * 53


@pytest.mark.parametrize(
    "ask",
    [
        lambda node: node.find("a", spec=SPEC),
        lambda node: node.member("a", spec=SPEC),
        lambda node: list(node.members(spec=SPEC)),
    ],
)
@pytest.mark.parametrize("text", ["1", '"a"', "null", "true", "[]"])
def test_what_is_no_object_has_no_members(text, ask):
    with pytest.raises(DecodeError, match="/: expected an object, got"):
        ask(decode(text))


@pytest.mark.parametrize("text", ["1", '"a"', "null", "{}"])
def test_what_is_no_array_has_no_elements(text):
    with pytest.raises(DecodeError, match="/: expected an array, got"):
        list(decode(text).elements(spec=SPEC))


def test_a_member_that_is_not_there_is_named():
    node = decode("{}")
    assert node.find("mud-url", spec=SPEC) is None
    with pytest.raises(DecodeError, match="'mud-url', which is missing") as refused:
        node.member("mud-url", spec=SPEC)
    assert refused.value.spec == SPEC


@pytest.mark.parametrize("value", ["", "abcd", "a\n", "\x7f", "\ud800", 1, None, ["a"]])
def test_a_text_is_printable_and_within_its_limit(value):
    assert Node("abc", "/a").text(3, spec=SPEC) == "abc"
    with pytest.raises(DecodeError, match="/a: expected a printable string of 1 to 3 characters"):
        Node(value, "/a").text(3, spec=SPEC)


@pytest.mark.parametrize("text", ["0", "169", "-1", "1.0", "1e2", "true", '"24"', "null", "1e999"])
def test_a_number_is_whole_and_within_its_limits(text):
    assert [decode(str(hours)).integer(1, 168, spec=SPEC) for hours in (1, 168)] == [1, 168]
    with pytest.raises(DecodeError, match="a whole number from 1 to 168"):
        decode(text).integer(1, 168, spec=SPEC)


@pytest.mark.parametrize("text", ["0", "1", '"true"', "null", "[]"])
def test_a_boolean_is_true_or_false(text):
    assert (decode("true").boolean(spec=SPEC), decode("false").boolean(spec=SPEC)) == (True, False)
    with pytest.raises(DecodeError, match="true or false"):
        decode(text).boolean(spec=SPEC)


def test_a_refusal_shows_the_beginning_of_what_came():
    with pytest.raises(DecodeError) as refused:
        Node(["x" * 1000], "/a").refuse("less", spec=SPEC)
    assert len(str(refused.value)) < 120


@pytest.mark.spec("RFC 8259 2")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{} {}",
        b"\xff",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b"NaN",
        b"[-Infinity]",
        b"[01]",
        b"['a']",
        b"9" * 5000,
        b'"\x00"',
    ],
)
def test_what_is_no_json_text_in_utf_8_is_refused(data):
    with pytest.raises(DecodeError, match="expected JSON in UTF-8"):
        decode(data)


def test_a_text_over_its_limit_is_not_even_read():
    assert decode("[1]", max_bytes=3).value == [1]
    with pytest.raises(DecodeError, match="at most 3 bytes, got 4"):
        decode("[1, ", max_bytes=3)


@pytest.mark.parametrize("text", ["[[[]]]", '[{"a": []}]', '{"a": {"b": 1}}', "[" * 100_000 + "]" * 100_000])
def test_a_text_that_is_nested_too_deeply_is_refused(text):
    assert decode("[[]]", max_depth=2).value == [[]]
    with pytest.raises(DecodeError, match=r"levels of nesting|JSON"):
        decode(text, max_depth=2)


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2, "a": 1}', '[{"a": {"a": 1, "a": 1}}]', '{"\\u0061": 1, "a": 2}'])
def test_a_name_that_comes_twice_in_one_object_is_refused(text):
    with pytest.raises(DecodeError, match="the name 'a' comes twice"):
        decode(text)


@pytest.mark.timeout(3)
def test_a_file_of_names_is_refused_in_time_that_grows_with_its_size_only():
    names = [f'"{number}":0' for number in range(60_000)]
    with pytest.raises(DecodeError, match="the name '59999' comes twice"):
        decode("{" + ",".join([*names, names[-1]]) + "}", max_bytes=1 << 20)
