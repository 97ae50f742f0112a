from datetime import UTC, timedelta

import pytest

from thingstead.clock import Clock, SystemClock, time_zone
from thingstead.errors import ConfigError


def test_the_monotonic_clock_does_not_go_back():
    clock: Clock = SystemClock()
    readings = [clock.now() for _ in range(100)]
    assert readings == sorted(readings)


def test_the_wall_clock_is_aware_and_in_utc():
    reading = SystemClock().utc()
    assert reading.tzinfo is UTC
    assert reading.utcoffset() == timedelta(0)


def test_a_time_zone_is_known_by_its_name():
    assert time_zone("UTC") is UTC
    assert str(time_zone("Europe/Berlin")) == "Europe/Berlin"


@pytest.mark.parametrize("name", ["", "Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "a\0b", "x" * 5000])
def test_what_is_no_time_zone_here_is_refused(name):
    with pytest.raises(ConfigError, match="expected a time zone"):
        time_zone(name)
