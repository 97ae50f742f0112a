import pytest

from thingstead.endpoint.counter import Counters, RateLimit, RateLimits


def test_refusals_are_counted_by_reason_and_by_source():
    counters = Counters(max_sources=2)
    for reason, source in (("replay", "a"), ("replay", "a"), ("malformed", "b")):
        counters.count(reason, source)
    assert counters.by_reason == {"replay": 2, "malformed": 1}
    assert counters.by_source == {"a": 2, "b": 1}


@pytest.mark.requirement("R-36")
def test_the_source_refused_longest_ago_gives_way():
    counters = Counters(max_sources=2)
    for source in "abac":
        counters.count("x", source)
    assert counters.by_source == {"a": 2, "c": 1}


def test_a_rate_allows_twice_itself_at_once_and_itself_on_average():
    limit = RateLimit(3.0)
    assert sum(limit.allow(0.0) for _ in range(20)) == 6
    assert sum(limit.allow(1.0 + step / 100) for step in range(100)) in (5, 6)


def test_a_clock_that_steps_back_gives_nothing():
    limit = RateLimit(1.0)
    assert [limit.allow(10.0) for _ in range(3)] == [True, True, False]
    assert not limit.allow(5.0)


def test_a_burst_is_its_own_and_comes_back_at_the_rate():
    limit = RateLimit(0.1, burst=3)
    assert [limit.allow(0.0) for _ in range(5)] == [True, True, True, False, False]
    assert [limit.allow(at) for at in (9.0, 10.1, 10.2)] == [False, True, False]


def test_one_name_uses_up_nothing_of_another():
    limits = RateLimits(1.0, max_names=10)
    assert [limits.allow("a", 0.0) for _ in range(3)] == [True, True, False]
    assert limits.allow("b", 0.0)


def test_ten_thousand_names_leave_a_bounded_memory_and_the_newest_in_it():
    limits = RateLimits(0.1, burst=1, max_names=16)
    assert all(limits.allow(name, 0.0) for name in range(10_000))
    assert len(limits) == 16
    assert not limits.allow(9_999, 0.0)
