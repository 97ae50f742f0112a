from datetime import UTC, timedelta

from thingstead.clock import Clock, SystemClock


def test_the_monotonic_clock_does_not_go_back():
    clock: Clock = SystemClock()
    readings = [clock.now() for _ in range(100)]
    assert readings == sorted(readings)


def test_the_wall_clock_is_aware_and_in_utc():
    reading = SystemClock().utc()
    assert reading.tzinfo is UTC
    assert reading.utcoffset() == timedelta(0)
