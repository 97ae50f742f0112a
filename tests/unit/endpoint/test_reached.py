import pytest

from thingstead.endpoint.reached import Reached

ONE, OTHER, THIRD = ("192.0.2.1", 1), ("192.0.2.1", 2), ("192.0.2.3", 1)


@pytest.mark.spec("RFC 9175 2.4")
def test_a_proof_holds_for_its_source_and_its_time():
    reached = Reached(max_sources=2, lifetime=60.0)
    reached.note(ONE, 10.0)
    assert [reached.has(ONE, now) for now in (10.0, 69.9, 70.0)] == [True, True, False]
    assert not reached.has(OTHER, 10.0)


@pytest.mark.requirement("R-49")
def test_the_one_proven_longest_ago_gives_way():
    reached = Reached(max_sources=2, lifetime=60.0)
    for source in (ONE, OTHER, ONE, THIRD):
        reached.note(source, 0.0)
    assert [reached.has(source, 1.0) for source in (ONE, OTHER, THIRD)] == [True, False, True]
