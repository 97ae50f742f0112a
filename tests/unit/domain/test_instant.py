from datetime import UTC, datetime, timedelta, timezone

import pytest

from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("at", [EPOCH, EPOCH - timedelta(microseconds=1), FIRST, LAST])
def test_what_was_kept_is_read_back_to_the_microsecond(at):
    assert instant(microseconds(at)) == at
    assert instant(microseconds(at)).tzinfo is UTC


def test_one_instant_has_one_form_whatever_its_zone():
    elsewhere = EPOCH.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert microseconds(elsewhere) == microseconds(EPOCH) == 0


def test_a_time_without_a_zone_is_nobodys_instant():
    with pytest.raises(TypeError, match="naive"):
        microseconds(EPOCH.replace(tzinfo=None))


@pytest.mark.parametrize("value", [None, True, 1.0, "0", b"\0", [0]])
def test_what_is_no_integer_is_refused_by_its_type(value):
    with pytest.raises(DecodeError, match=f"got {type(value).__name__}"):
        instant(value)


@pytest.mark.parametrize("value", [microseconds(LAST) + 1, microseconds(FIRST) - 1, 1 << 64, -(1 << 200)])
def test_an_instant_outside_the_years_that_are_known_is_refused(value):
    with pytest.raises(DecodeError, match="years 1 to 9999"):
        instant(value)
