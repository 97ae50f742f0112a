"""Whom a thing talked to is kept by day, with the reason of the moment, and within bounds whatever it does."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.analysis.traffic.flow import Flow
from thingstead.controller.flow_history import DOCUMENTS, FlowHistory, Limits
from thingstead.domain.plane import PlaneName
from thingstead.errors import StorageError, TransportError
from thingstead.planes.network.rule_book import Reason
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-81")
LAMP, OTHER = a_thing(0).id, a_thing(1).id
YES = Reason(allowed=True, by="maker", rule="", words="its maker says so")
NO = Reason(allowed=False, by="nobody", rule="", words="no rule names it")


def flow(remote="198.51.100.7", port=443, *, names=(), outbound=True, device_port=40000, at=AT):
    ports = (port, device_port) if outbound else (device_port, port)
    packed, seconds = ip_address(remote).packed, at.timestamp()
    return Flow(bytes(6), outbound, True, packed, names, 0x0800, 6, *ports, None, seconds, seconds + 1, 2, 200, 1, 60)


class Desk:
    """A history, and whoever explains to it."""

    def __init__(self, limits=None):
        self.store, self.clock, self.limits = MemoryStore(), JumpingClock(), limits
        self.answer, self.down = YES, False
        self.asked: list[Flow] = []
        self.restart()

    def restart(self):
        self.history = FlowHistory(
            PlaneRecords(PlaneName.NETWORK, self.store, prefix=DOCUMENTS),
            explain=self.explain,
            named=lambda address: OTHER if address == ip_address("10.77.0.9").packed else "",
            clock=self.clock,
            limits=self.limits,
        )
        return self

    async def explain(self, thing, flows):
        if self.down:
            raise TransportError("the plane is away")
        assert thing in {LAMP, OTHER}
        self.asked += flows
        await asyncio.sleep(0)
        return tuple([self.answer for _ in flows])

    def see(self, *flows, thing=LAMP, cause=""):
        for one in flows:
            self.history.see(thing, one, cause=cause)
        return self

    def of(self, thing=LAMP, days=7):
        return asyncio.run(self.history.of(thing, days=days))

    def keys(self):
        return [key for key, _ in self.store.documents(PlaneName.NETWORK)]


def test_a_conversation_is_kept_with_its_name_amount_and_reason():
    (one,) = Desk().see(flow(names=("cloud.acme.example", "cdn.example"))).of()
    assert (one.who, one.address, one.port, one.protocol) == ("cloud.acme.example", "198.51.100.7", 443, 6)
    assert (one.packets_out, one.octets_out, one.packets_in, one.octets_in, one.flows) == (2, 200, 1, 60, 1)
    assert (one.allowed, one.by, one.why) == (True, "maker", "its maker says so")
    assert (one.first, one.last) == (AT, AT + timedelta(seconds=1))


def test_two_who_ask_at_once_count_nothing_twice_and_lose_nothing():
    desk = Desk().see(flow())

    async def later():
        for _ in range(3):
            await asyncio.sleep(0)
        desk.see(flow("198.51.100.8"))

    async def both():
        await asyncio.gather(desk.history.of(LAMP, days=1), desk.history.of(LAMP, days=1), later())
        return await desk.history.of(LAMP, days=1)

    assert [(one.address, one.flows) for one in asyncio.run(both())] == [("198.51.100.7", 1), ("198.51.100.8", 1)]


def test_who_asks_for_some_is_told_those_whole_and_no_other():
    desk = Desk().see(flow(), flow("198.51.100.9", 80), flow(at=AT + timedelta(seconds=9)))
    (one,) = asyncio.run(desk.history.of(LAMP, days=1, where=lambda contact: contact.port == 443))
    assert (one.port, one.flows, one.packets_out) == (443, 2, 4)


def test_many_alike_are_one_row_also_across_a_restart():
    desk = Desk().see(*[flow(device_port=port) for port in range(5)])
    assert [one.flows for one in desk.of()] == [5]
    assert [one.flows for one in desk.restart().see(flow()).of()] == [6]


def test_the_port_of_who_was_contacted_counts():
    (one,) = Desk().see(flow(port=22, outbound=False)).of()
    assert (one.outbound, one.port) == (False, 22)


def test_a_thing_of_ours_is_called_by_its_id():
    assert Desk().see(flow("10.77.0.9")).of()[0].who == OTHER


def test_the_reason_is_that_of_the_moment():
    desk = Desk().see(flow())
    desk.of()
    desk.answer = NO
    rows = desk.see(flow()).of()
    assert {(one.allowed, one.flows) for one in rows} == {(True, 1), (False, 1)}


def test_what_the_other_things_rules_dropped_is_explained_there():
    (one,) = Desk().see(flow("10.77.0.9", 80, outbound=False), cause="refused").of()
    assert (one.allowed, one.by) == (False, f"elsewhere {OTHER}")
    assert f"thingstead network drops {OTHER}" in one.why


def attempt(**changes):
    return replace(flow("10.77.0.9", 80), packets_in=0, octets_in=0, **changes)


@pytest.mark.parametrize("answer", [YES, NO])
def test_an_attempt_that_was_dropped_is_told_once(answer):
    desk = Desk()
    desk.answer = answer
    (one,) = desk.see(attempt()).see(attempt(), cause="barred").of()
    assert (one.by, one.dropped) == ("barred", 1)


@pytest.mark.parametrize("other", [flow("10.77.0.9", 80), attempt(protocol=17), attempt(remote_port=81)])
def test_what_passed_is_told_beside_what_was_dropped(other):
    assert len(Desk().see(other).see(attempt(protocol=other.protocol), cause="barred").of()) == 2


def test_what_its_own_rules_dropped_is_not():
    desk = Desk()
    desk.answer = NO
    (one,) = desk.see(flow("10.77.0.9", 80, outbound=False), cause="refused_inbound").of()
    assert (one.by, one.why) == ("nobody", "no rule names it")


def test_what_the_kernel_dropped_was_refused_whatever_a_rule_says_by_now():
    (one,) = Desk().see(flow(), flow(), cause="refused").of()
    assert (one.allowed, one.dropped, one.packets_out, one.octets_in) == (False, 2, 0, 0)
    assert (one.by, one.why) == ("late", "it was no part of an open conversation; one that begins now is allowed")
    (one,) = Desk().see(flow(), cause="barred").of()
    assert (one.by, one.allowed) == ("barred", False)
    assert "cut off" in one.why


def test_what_passes_while_it_is_learned_is_no_drop():
    (one,) = Desk().see(flow(), cause="learned").of()
    assert (one.allowed, one.dropped) == (True, 0)


def test_days_are_apart_and_end():
    desk = Desk(Limits(days=3)).see(flow())
    assert desk.of()
    desk.clock.seconds = 2 * 86_400
    assert desk.see(flow("192.0.2.1")).of(days=1)[0].address == "192.0.2.1"
    assert len(desk.of(days=3)) == 2
    desk.clock.seconds = 3 * 86_400
    assert [one.address for one in desk.of(days=3)] == ["192.0.2.1"]
    assert len(desk.keys()) == 1


def test_what_somebody_elses_clock_says_opens_no_other_day():
    desk = Desk().see(flow(at=AT - timedelta(days=4000)), flow(at=AT + timedelta(days=4000)))
    assert len(desk.of(days=1)) == 1
    assert len(desk.keys()) == 1


def test_who_talks_to_thousands_fills_one_document_and_no_more():
    desk = Desk(Limits(contacts=16, waiting=500))
    desk.see(*[flow(f"198.51.{number // 250}.{number % 250}") for number in range(600)])
    rows = desk.of()
    assert len(rows) <= 16
    assert desk.history.left_out >= 100
    others = [one for one in rows if one.who == "(others)"]
    assert sum(one.flows for one in others) > 400
    assert all(one.address == "" for one in others)
    desk.see(*[flow(f"203.0.113.{number}") for number in range(200)])
    assert len(desk.of()) <= 16


def test_what_nobody_explains_waits():
    desk = Desk().see(flow())
    desk.down = True
    with pytest.raises(TransportError):
        asyncio.run(desk.history.flush())
    desk.down = False
    assert [one.flows for one in desk.of()] == [1]


def test_what_was_not_kept_waits():
    desk = Desk().see(flow())
    commit = desk.store.commit

    async def full(unit):
        raise StorageError("full")

    desk.store.commit = full
    with pytest.raises(StorageError):
        asyncio.run(desk.history.flush())
    desk.store.commit = commit
    assert [one.flows for one in desk.of()] == [1]


def test_things_are_apart_and_can_be_forgotten():
    desk = Desk().see(flow()).see(flow(), thing=OTHER)
    assert len(desk.of()) == len(desk.of(OTHER)) == 1
    asyncio.run(desk.history.forget(LAMP))
    assert desk.of() == ()
    assert len(desk.of(OTHER)) == 1


def test_a_frame_that_is_not_ip_has_the_address_of_its_link():
    other = flow()
    frame = Flow(
        *(bytes(6), True, True, bytes([2, 0, 0, 0, 0, 9]), (), 0x88CC, None, None, None, None, 0.0, 1.0, 1, 60, 0, 0)
    )
    rows = Desk().see(other, frame).of()
    assert {one.address for one in rows} == {"198.51.100.7", "02:00:00:00:00:09"}
