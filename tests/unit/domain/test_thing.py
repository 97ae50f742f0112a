from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.domain import thing
from thingstead.domain.thing import KeyRow
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

UNABLE, ABLE = a_thing(verifies=frozenset()), a_thing(verifies=frozenset({-9, -48}))


def _with(index: int, value: object) -> bytes:
    fields = codec.decode(thing.encode(a_thing()))
    fields[index] = value
    return codec.encode(fields)


def test_a_record_comes_back_as_it_was():
    for one in (a_thing(), a_thing(keys=(), joined_at=None, support_end=None, mud_url=""), UNABLE, ABLE):
        assert thing.decode(thing.encode(one)) == one


@pytest.mark.requirement("R-70")
def test_only_a_thing_of_which_its_maker_says_so_verifies_nothing():
    assert UNABLE.verifies_nothing
    assert not ABLE.verifies_nothing
    assert not a_thing().verifies_nothing


def test_each_change_is_the_next_version_and_names_its_transition():
    after = a_thing().evolve(zone="floor-2")
    assert (after.version, after.zone, after.transition_id) == (2, "floor-2", f"{after.id}/2")


@pytest.mark.parametrize("name", ["id", "version"])
def test_id_and_version_are_not_changed_by_hand(name):
    with pytest.raises(ValueError, match="keeps its id"):
        a_thing().evolve(**{name: 7})


def test_the_newest_key_of_a_role_that_counts_is_found():
    old, new = KeyRow(b"o", "domain", AT, AT + timedelta(days=2)), KeyRow(b"n", "domain", AT + timedelta(days=1))
    one = a_thing(keys=(old, new))
    assert one.key("domain", AT) == old
    assert one.key("domain", AT + timedelta(days=1)) == new
    assert one.key("domain", AT - timedelta(days=1)) is None
    assert one.key("maker", AT) is None


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, "thing-short"),
        (0, b"thing"),
        (1, True),
        (2, "asleep"),
        (3, "free"),
        (7, "two"),
        (10, "never"),
        (10, 1 << 62),
        (11, {}),
        (11, [[b"", "maker", 0]]),
        (11, [[b"", "maker", None, None]]),
        (11, ["key"]),
    ],
)
def test_a_record_with_a_wrong_field_is_refused(index, value):
    with pytest.raises(DecodeError):
        thing.decode(_with(index, value))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xa0", b"\xff"])
def test_what_is_no_record_is_refused(data):
    with pytest.raises(DecodeError):
        thing.decode(data)


def test_microseconds_survive():
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert thing.decode(thing.encode(a_thing(joined_at=at))).joined_at == at


def test_words_that_things_have_in_common_are_in_memory_once():
    url = "https://mud.example/lamp.json"
    one, other = (thing.decode(thing.encode(a_thing(number, mud_url=url))) for number in range(2))
    assert one.mud_url is other.mud_url
    assert one.model is other.model
