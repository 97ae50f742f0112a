from datetime import UTC, datetime

import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.senml.record import ABSOLUTE_TIME, Record, compact, resolve

AT = datetime(2026, 11, 23, tzinfo=UTC)
NOW = AT.timestamp()


@pytest.mark.spec("RFC 8428 4.1")
def test_base_fields_hold_until_they_are_replaced():
    records = resolve(
        [
            {"bn": "a/", "bt": 1.3e9, "bu": "V", "n": "x", "v": 1},
            {"n": "y", "u": "A", "t": 2, "v": 2},
            {"bn": "b/", "n": "x", "v": 3},
        ],
        at=AT,
    )
    assert records == [
        Record("a/x", 1.3e9, 1, "V"),
        Record("a/y", 1.3e9 + 2, 2, "A"),
        Record("b/x", 1.3e9, 3, "V"),
    ]


@pytest.mark.spec("RFC 8428 4.5.3")
@pytest.mark.parametrize(
    ("base", "time", "expected"),
    [
        (0, 0, NOW),
        (0, -5, NOW - 5),
        (0, ABSOLUTE_TIME - 1, NOW + ABSOLUTE_TIME - 1),
        (0, ABSOLUTE_TIME, ABSOLUTE_TIME),
        (ABSOLUTE_TIME - 1, 1, ABSOLUTE_TIME),
        (1.4e9, -10, 1.4e9 - 10),
    ],
)
def test_only_the_sum_of_times_decides_whether_it_is_relative(base, time, expected):
    (record,) = resolve([{"n": "a", "bt": base, "t": time, "v": 1}], at=AT)
    assert record.time == expected


@pytest.mark.spec("RFC 8428 4.5.4")
def test_base_value_and_base_sum_are_added_and_stand_for_a_missing_field():
    records = resolve([{"n": "a", "bv": 10, "bs": 100, "v": 1, "s": 2}, {"n": "b", "v": 2}, {"n": "c"}], at=AT)
    assert [(record.value, record.sum) for record in records] == [(11, 102), (12, 100), (None, 100)]
    assert resolve([{"n": "a", "bv": 10, "v": 1}, {"n": "b"}, {"n": "c", "vs": "x"}], at=AT)[1].value == 10


@pytest.mark.spec("RFC 8428 4.2")
@pytest.mark.parametrize("entry", [{}, {"t": 1}, {"v": 1, "vs": "a"}, {"vb": True, "vd": b""}])
def test_a_record_without_a_value_or_with_two_is_refused(entry):
    with pytest.raises(DecodeError):
        resolve([{"n": "a", **entry}], at=AT)


@pytest.mark.spec("RFC 8428 4.5.1")
@pytest.mark.parametrize("name", ["", "/a", "-a", "a b", "a\n", "ä", "a?b"])
def test_a_name_outside_its_alphabet_is_refused(name):
    with pytest.raises(DecodeError, match="name"):
        resolve([{"n": name, "v": 1}], at=AT)


@pytest.mark.spec("RFC 8428 4.4")
def test_an_unknown_label_is_kept_unless_it_must_be_understood():
    (record,) = resolve([{"n": "a", "v": 1, "loc": "cellar", "bloc": "house"}], at=AT)
    assert record.extensions == (("loc", "cellar"),)
    for label in ("loc_", "bloc_", "_"):
        with pytest.raises(UnsupportedError, match="understood"):
            resolve([{"n": "a", "v": 1, label: 1}], at=AT)


@pytest.mark.spec("RFC 8428 4.4")
def test_a_later_version_and_two_versions_in_a_pack_are_refused():
    assert resolve([{"bver": 26, "n": "a", "v": 1}, {"n": "a", "v": 1}], at=AT)
    for version in (0, 11, 27):
        with pytest.raises(UnsupportedError, match="version"):
            resolve([{"bver": version, "n": "a", "v": 1}], at=AT)
    with pytest.raises(DecodeError, match="one version"):
        resolve([{"n": "a", "v": 1}, {"bver": 26, "n": "a", "v": 1}], at=AT)


def test_a_sum_of_base_and_field_beyond_a_double_is_refused():
    for fields in ({"bv": 1.7e308, "v": 1.7e308}, {"bt": 1.7e308, "t": 1.7e308, "v": 0}):
        with pytest.raises(DecodeError, match="double"):
            resolve([{"n": "a", **fields}], at=AT)


def test_shared_name_unit_and_time_are_written_once():
    records = [Record("dev:1/a", 1.5e9, 1, "V"), Record("dev:1/b", 1.5e9 + 1, 2, "V")]
    assert compact(records) == [
        {"bn": "dev:1/", "bt": 1.5e9, "bu": "V", "n": "a", "v": 1},
        {"n": "b", "t": 1, "v": 2},
    ]


def test_a_unit_that_some_records_lack_is_no_base_unit():
    records = [Record("a", 1.5e9, 1, "V"), Record("b", 1.5e9, True)]
    assert resolve(compact(records), at=AT) == records


def test_names_and_times_that_share_nothing_are_written_whole():
    records = [Record("a", 2.0**28, 1, "V"), Record("b", 2.0**100, 2, "V"), Record("c", 1e20 / 3, 2, "A")]
    assert [entry["n"] for entry in compact(records)] == ["a", "b", "c"]
    assert resolve(compact(records), at=AT) == records
    assert compact([]) == []


def test_a_time_that_would_read_as_relative_is_not_written():
    with pytest.raises(ValueError, match="relative"):
        compact([Record("a", 5.0, 1)])
