import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError
from thingstead.protocols.profile import succession, update_poll
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.update_poll import Standing

KEYS = succession.begin(KeySet((generate(KeyType.P256).public,)))
PLACE = update_poll.place(KEYS).hex()


@pytest.mark.parametrize("verifies", [frozenset(), frozenset({-9}), frozenset({-9, -48, -19})])
def test_a_poll_is_read_as_it_was_written(verifies):
    assert update_poll.read(update_poll.query(KEYS, verifies)) == Standing(update_poll.place(KEYS), verifies)


@pytest.mark.parametrize("query", [(), ("x=1",), ("", "k2=1", "n")])
def test_a_thing_of_another_make_says_nothing(query):
    assert update_poll.read(query) == Standing()


@pytest.mark.parametrize(
    "argument",
    [
        "k=",
        "k=00",
        "k",
        f"k={PLACE}00",
        f"k={'AB' * 8}",
        f"k={'zz' * 8}",
        f"k={'00 ' * 8}",
        "v=.",
        "v=-9.",
        "v=a",
        "v=-",
        "v=--9",
        "v=1234567",
        "v=٣",
        "v=" + ".".join(str(number) for number in range(17)),
    ],
    ids=lambda argument: argument.replace(PLACE, "PLACE"),
)
def test_what_is_malformed_is_refused(argument):
    with pytest.raises(DecodeError):
        update_poll.read((argument,))
