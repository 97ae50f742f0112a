import pytest

from thingstead.errors import TransportError
from thingstead.phases.unwelcome import Unwelcome

HERE, ANOTHER_PORT, THERE = ("192.0.2.1", 5683), ("192.0.2.1", 40_000), ("192.0.2.2", 5683)


def refused(times, *, share=4, source=HERE, now=0.0):
    unwelcome = Unwelcome(share=share)
    for _ in range(times):
        unwelcome.note(source, now)
    return unwelcome


def is_let_begin(unwelcome, source, now=0.0):
    try:
        unwelcome.require_share(source, now)
    except TransportError as error:
        return error.reason != "unwelcome"
    return True


def test_who_was_never_refused_begins_as_often_as_it_likes():
    unwelcome = Unwelcome(share=1)
    assert all(is_let_begin(unwelcome, HERE) for _ in range(1000))


@pytest.mark.parametrize(("times", "may"), [(0, True), (3, True), (4, False), (5, False)])
def test_a_host_has_its_share_of_refusals_and_no_more(times, may):
    assert is_let_begin(refused(times), HERE) is may


def test_a_host_has_no_more_by_taking_another_port():
    assert not is_let_begin(refused(4), ANOTHER_PORT)


def test_one_host_uses_up_nothing_of_another():
    assert is_let_begin(refused(100), THERE)


@pytest.mark.parametrize(("seconds", "may"), [(0.2, False), (0.26, True), (3600.0, True)])
def test_the_share_comes_back_within_a_second(seconds, may):
    assert is_let_begin(refused(4), HERE, seconds) is may


def test_what_came_back_is_one_share_however_long_it_took():
    unwelcome = refused(4)
    for _ in range(4):
        unwelcome.note(HERE, 3600.0)
    assert not is_let_begin(unwelcome, HERE, 3600.0)


def test_handshakes_that_had_begun_are_counted_too():
    unwelcome = refused(8)
    assert not is_let_begin(unwelcome, HERE, 1.0)
    assert is_let_begin(unwelcome, HERE, 1.3)


def test_ten_thousand_hosts_leave_a_bounded_memory_and_the_newest_in_it():
    unwelcome = Unwelcome(share=1)
    for number in range(10_000):
        unwelcome.note((f"host-{number}", 1), 0.0)
    assert len(unwelcome._hosts) == 1024
    assert not is_let_begin(unwelcome, ("host-9999", 1))
