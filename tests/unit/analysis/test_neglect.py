"""What is forgotten: silence beyond what was declared, support that ended, and strangers among the neighbours."""

from datetime import timedelta
from ipaddress import ip_address

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.analysis.neglect import Neglect, neglected, strangers
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.network import ThingAddress

MINUTE = timedelta(minutes=1)
HERE, THERE = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def found(thing, *, silent_for=timedelta(0), interval=MINUTE, intervals=3, at=AT):
    return neglected(
        [thing], last_heard=lambda _thing: at - silent_for, interval=lambda _thing: interval, intervals=intervals, at=at
    )


def place(mac, ip):
    return ThingAddress(mac, ip_address(ip))


@pytest.mark.requirement("R-12")
@pytest.mark.parametrize("missed", [0, 1, 3])
def test_a_thing_may_miss_as_many_intervals_as_it_was_granted(missed):
    assert found(a_thing(), silent_for=missed * MINUTE) == ()


@pytest.mark.requirement("R-12")
def test_a_thing_that_missed_more_is_silent_since_it_was_last_heard():
    (one,) = found(a_thing(), silent_for=3 * MINUTE + timedelta(seconds=1))
    assert (one.neglect, one.thing, one.since) == (Neglect.SILENT, a_thing().id, AT - timedelta(seconds=181))
    assert one.detail == "not heard for 3 minutes, expected every 60 seconds"


def test_the_interval_is_the_thing_s_own():
    assert found(a_thing(), silent_for=timedelta(hours=2), interval=timedelta(hours=1)) == ()
    assert found(a_thing(), silent_for=timedelta(hours=2), interval=timedelta(minutes=39))


@pytest.mark.parametrize("restriction", [Restriction.HELD, Restriction.QUARANTINED])
def test_who_may_not_speak_is_not_called_silent(restriction):
    assert found(a_thing(restriction=restriction), silent_for=timedelta(days=9)) == ()


@pytest.mark.parametrize(
    "state", [LifecycleState.SHELF, LifecycleState.INSTALLED, LifecycleState.DECOMMISSIONED, LifecycleState.RE_OWNED]
)
def test_who_is_not_in_use_is_not_missed(state):
    assert found(a_thing(state=state, support_end=AT), silent_for=timedelta(days=9)) == ()


@pytest.mark.requirement("R-12")
@pytest.mark.parametrize(("ends", "is_over"), [(timedelta(0), True), (timedelta(seconds=1), False), (None, False)])
def test_a_thing_is_unsupported_from_the_end_of_its_support_on(ends, is_over):
    thing = a_thing(support_end=None if ends is None else AT + ends)
    assert [one.neglect for one in found(thing)] == [Neglect.UNSUPPORTED] * is_over


def test_one_may_be_silent_and_unsupported_at_once():
    both = found(a_thing(support_end=AT), silent_for=timedelta(days=9))
    assert [one.neglect for one in both] == [Neglect.SILENT, Neglect.UNSUPPORTED]
    assert "9 days" in both[0].detail


@pytest.mark.requirement("R-12")
def test_a_neighbour_that_is_no_thing_is_unmanaged_whatever_address_it_has():
    (one,) = strangers(
        [place(THERE, "192.0.2.9"), place(THERE, "fe80::9")], places=[place(HERE, "192.0.2.1")], known=()
    )
    assert (one.neglect, one.thing, one.since) == (Neglect.UNMANAGED, None, None)
    assert one.detail == "02:00:00:00:00:02 at 192.0.2.9, fe80::9"


def test_a_thing_is_no_stranger_at_another_address_of_its_interface():
    assert strangers([place(HERE, "192.0.2.77")], places=[place(HERE, "192.0.2.1")], known=()) == ()


def test_who_takes_a_thing_s_ip_address_is_a_stranger():
    assert strangers([place(THERE, "192.0.2.1")], places=[place(HERE, "192.0.2.1")], known=())


def test_the_owner_says_who_is_no_thing_and_no_stranger():
    assert strangers([place(THERE, "192.0.2.9")], places=(), known=[THERE]) == ()
