import pytest

from thingstead.errors import DecodeError
from thingstead.identifier import key_id, thing_id, thing_id_from_random


def test_a_thing_id_of_random_bytes_is_a_thing_id():
    for random in (bytes(10), b"\xff" * 10, bytes(range(10))):
        made = thing_id_from_random(random)
        assert thing_id(made) == made
    assert thing_id_from_random(bytes(10)) == "thing-aaaaaaaaaaaaaaaa"
    assert thing_id_from_random(b"\xff" * 10) == "thing-7777777777777777"


@pytest.mark.parametrize("size", [0, 9, 11])
def test_a_thing_id_takes_ten_bytes(size):
    with pytest.raises(ValueError, match="10 random bytes"):
        thing_id_from_random(bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "thing-",
        "thing-abcdefghijklmno",
        "thing-abcdefghijklmnopq",
        "thing-ABCDEFGHIJKLMNOP",
        "thing-abcdefghijklmno0",
        "thing-abcdefghijklmno1",
        "Thing-abcdefghijklmnop",
        "thing-abcdefghijklmnop\n",
        " thing-abcdefghijklmnop",
        "thing-\u0251bcdefghijklmnop",
    ],
)
def test_what_is_no_thing_id_is_refused(text):
    with pytest.raises(DecodeError):
        thing_id(text)


def test_a_refusal_does_not_repeat_an_endless_name():
    with pytest.raises(DecodeError) as caught:
        thing_id("x" * 10_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["a", "A.b_c-9", "0", "x" * 64])
def test_a_key_id_is_a_safe_file_name(text):
    assert key_id(text) == text


@pytest.mark.parametrize("text", ["", ".", "..", ".a", "-a", "a/b", "a\\b", "a b", "a\0", "a\n", "x" * 65, "\u00e9"])
def test_what_is_no_key_id_is_refused(text):
    with pytest.raises(DecodeError):
        key_id(text)
