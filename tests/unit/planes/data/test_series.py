import pytest

from thingstead.errors import DecodeError
from thingstead.planes.data.series import Chunk, Series
from thingstead.protocols.cbor import codec
from thingstead.protocols.senml.record import Record


def _filled(count):
    series = Series()
    for number in range(count):
        series.append(Record(name="power", value=float(number), time=float(number)))
    return series


@pytest.mark.parametrize(
    "value", [[], {}, 7, [[1]], [["now", 1.0]], [[1.0, None]], [[1.0, 2.0, 3.0]], [[1.0, [2.0]]], [7]]
)
def test_what_is_no_chunk_of_ours_is_refused(value):
    with pytest.raises(DecodeError):
        Series().load(0, codec.encode(value))


def test_a_new_value_rewrites_its_chunk_and_not_the_series():
    series = _filled(130)
    assert series.indices() == [0, 1, 2]
    series.take_changes()
    series.append(Record(name="power", value=7.0, time=130.0))
    assert [chunk.index for chunk in series.take_changes()] == [2]
    assert series.take_changes() == []


def test_what_is_too_old_goes_chunk_by_chunk_and_is_told():
    series = _filled(130)
    series.take_changes()
    series.drop_before(64.0)
    assert series.take_changes() == [Chunk(0, None)]
    assert next(series.values()) == (64.0, 64.0)
    series.drop_before(1000.0)
    assert series.latest is None


def test_what_is_read_back_is_what_was_kept():
    series, again = _filled(70), Series()
    for chunk in series.chunks():
        assert chunk.document is not None
        again.load(chunk.index, chunk.document)
    assert list(again.values()) == list(series.values())
    assert again.latest == 69.0


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        (Record(name="a", value=True, time=0.0), True),
        (Record(name="a", value="on", time=0.0), "on"),
        (Record(name="a", value=b"\x01", time=0.0), "01"),
        (Record(name="a", sum=3.5, time=0.0), 3.5),
    ],
)
def test_every_kind_of_value_has_a_form_to_be_kept_in(record, kept):
    series = Series()
    series.append(record)
    assert series.latest == kept
