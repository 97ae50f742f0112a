import pytest

from tests.unit.domain.things import a_thing
from thingstead.errors import DecodeError
from thingstead.planes.data.series import Chunk, chunk_key, decode_chunk, kept, split_key
from thingstead.protocols.cbor import codec
from thingstead.protocols.senml.record import Record

_THING = a_thing().id
_MINUTE = 60_000_000


def _filled(count, *, written=0):
    chunk = Chunk(0)
    chunk.values.extend((float(number), float(number)) for number in range(count))
    chunk.written = written
    return chunk


@pytest.mark.parametrize(
    "value", [[], {}, 7, [[1]], [["now", 1.0]], [[1.0, None]], [[1.0, 2.0, 3.0]], [[1.0, [2.0]]], [7]]
)
def test_what_is_no_chunk_of_ours_is_refused(value):
    with pytest.raises(DecodeError):
        decode_chunk(codec.encode(value))


def test_what_is_read_back_is_what_was_kept():
    chunk = Chunk(0)
    chunk.values.extend([(1.0, 20.5), (2.0, True), (3.0, "on"), (4.0, 7)])
    assert decode_chunk(chunk.encode()) == chunk.values


@pytest.mark.parametrize(
    ("chunk", "at", "over"),
    [
        (_filled(1, written=1), 4 * _MINUTE, False),
        (_filled(1, written=1), 5 * _MINUTE, True),
        (_filled(1), 5 * _MINUTE, False),
        (_filled(63, written=63), 0, False),
        (_filled(64, written=64), 0, True),
        (_filled(64, written=63), 0, False),
    ],
)
def test_a_chunk_is_over_when_it_is_full_or_old_and_on_disk(chunk, at, over):
    assert chunk.is_over(at) is over


@pytest.mark.parametrize("name", ["power", "a/1", "a", "urn:dev:mac:0024befffe804ff1_room-1.x"])
def test_a_key_tells_thing_series_and_time(name):
    assert split_key(chunk_key(_THING, name, 1_700_000_000_000_000)) == (_THING, name, 1_700_000_000_000_000)


def test_keys_of_one_series_follow_each_other_by_age_whatever_other_names_there_are():
    names = ("a", "a-b", "a/1", "a0", "ab")
    keys = sorted(chunk_key(_THING, name, opened) for name in names for opened in (0, 9, 10**15))
    assert [split_key(key)[1:] for key in keys if split_key(key)[1] == "a"] == [("a", 0), ("a", 9), ("a", 10**15)]
    between = [key for key in keys if chunk_key(_THING, "a", 0) <= key < chunk_key(_THING, "a", 10**15)]
    assert [split_key(key)[1:] for key in between] == [("a", 0), ("a", 9)]


@pytest.mark.parametrize(
    "key",
    ["", "power", f"{_THING}/00000003/power", f"{_THING}/power 3", f"{_THING}/ {3:016d}", f"lamp/power {3:016d}"],
)
def test_what_is_no_key_of_a_chunk_is_refused(key):
    with pytest.raises(DecodeError):
        split_key(key)


@pytest.mark.parametrize(
    ("record", "value"),
    [
        (Record(name="a", value=True, time=0.0), True),
        (Record(name="a", value="on", time=0.0), "on"),
        (Record(name="a", value=b"\x01", time=0.0), "01"),
        (Record(name="a", sum=3.5, time=0.0), 3.5),
    ],
)
def test_every_kind_of_value_has_a_form_to_be_kept_in(record, value):
    assert kept(record) == value
