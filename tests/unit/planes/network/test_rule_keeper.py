import asyncio
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import Kernel
from thingstead.domain.network import AppliedChange, FlowRule, ThingAddress
from thingstead.domain.plane import Demand
from thingstead.errors import TransportError
from thingstead.identifier import ThingId
from thingstead.planes.network.residents import Resident, Residents
from thingstead.planes.network.rule_book import RuleBook
from thingstead.planes.network.rule_keeper import RuleKeeper, described

NOW = JumpingClock().utc()
FIRST, SECOND, THIRD, STRANGER = (ThingId(f"t-{number}") for number in (1, 2, 3, 9))
HOME = frozenset({FlowRule(outbound=True, remote=ip_network("10.77.0.1/32"), protocol=17, remote_ports=(5683, 5683))})
CLOUD = frozenset({FlowRule(outbound=True, remote=ip_network("198.51.100.7/32"), protocol=6, remote_ports=(443, 443))})


class Book(RuleBook):
    """Says the same of everybody; learns until a time."""

    def __init__(self):
        self.learns_until = NOW

    def allowed(self, _thing):
        return HOME | CLOUD

    def refused(self, _thing):
        return frozenset()

    def named(self, _thing):
        return frozenset()

    def repair(self):
        return HOME

    def learns(self, _thing, at):
        return at < self.learns_until


class Slow(Kernel):
    """Takes its time for each step, and has something happen after it; refuses while told to."""

    refuses = False

    def __init__(self, clock, seconds, meanwhile=lambda: None):
        super().__init__()
        self.clock, self.seconds, self.meanwhile = clock, seconds, meanwhile

    async def apply_all(self, changes):
        if self.refuses:
            raise TransportError("no")
        told = await super().apply_all(changes)
        await self.clock.wait(self.seconds)
        self.meanwhile()
        return told


def resident(number, demand=Demand.ADMIT):
    thing = a_thing(id=ThingId(f"t-{number}"))
    return Resident(thing, (ThingAddress(number.to_bytes(6, "big"), ip_address(f"10.77.1.{number}")),), demand)


class House:
    def __init__(self, things, *, seconds=0.0, at_once=1):
        self.clock, self.book, self.residents = JumpingClock(), Book(), Residents()
        self.kernel = Slow(self.clock, seconds)
        for number in range(1, things + 1):
            self.residents.put(resident(number))
        self.keeper = RuleKeeper(self.kernel, self.book, self.residents, rate=None, clock=self.clock, at_once=at_once)
        self.all = {one.thing.id for one in self.residents}

    def in_force(self):
        return [change.thing for change in self.kernel.applied]


def test_what_the_enforcer_refuses_is_owed_and_done_with_whatever_comes_next():
    house = House(2)
    house.kernel.refuses = True
    with pytest.raises(TransportError):
        asyncio.run(house.keeper.reapply({FIRST}))
    assert set(house.keeper.owed()) == {FIRST}
    house.kernel.refuses = False
    asyncio.run(house.keeper.reapply({SECOND}))
    assert house.in_force() == [FIRST, SECOND]
    assert not house.keeper.owed()


def test_what_takes_too_long_for_one_turn_is_owed_for_the_next():
    house = House(3, seconds=3.0)
    asyncio.run(house.keeper.reapply(house.all))
    assert house.in_force() == [FIRST, SECOND]
    assert set(house.keeper.owed()) == {THIRD}
    asyncio.run(house.keeper.reapply(set()))
    assert house.in_force() == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize("demand", [Demand.RESTRICT, Demand.WITHDRAW])
def test_who_was_cut_off_while_others_had_their_turn_does_not_come_back(demand):
    house = House(2)
    house.kernel.meanwhile = lambda: house.residents.put(resident(2, demand))
    asyncio.run(house.keeper.reapply(house.all))
    assert house.in_force() == [FIRST]
    assert not house.keeper.owed()
    asyncio.run(house.keeper.apply_again(SECOND))
    assert house.in_force() == [FIRST]


def test_of_somebody_who_is_on_no_record_nothing_is_put_in_force():
    house = House(0)
    asyncio.run(house.keeper.reapply({STRANGER}))
    asyncio.run(house.keeper.apply_again(STRANGER))
    assert house.in_force() == []


@pytest.mark.parametrize(("demand", "left"), [(Demand.RESTRICT, HOME), (Demand.WITHDRAW, frozenset())])
def test_who_is_barred_keeps_the_way_to_its_repair_only_if_it_shall_come_back(demand, left):
    house = House(0)
    asyncio.run(house.keeper.bar(resident(1, demand)))
    (change,) = house.kernel.applied
    assert (change.barred, change.rules, change.repair) == (True, None, left)


def test_who_was_learned_of_long_enough_is_named_until_its_rules_say_so():
    house = House(2)
    house.book.learns_until = house.clock.utc() + timedelta(hours=1)
    asyncio.run(house.keeper.apply_again(FIRST))
    assert house.kernel.applied[-1].learning
    assert house.keeper.who_learned_enough() == set()
    house.book.learns_until = house.clock.utc()
    assert house.keeper.who_learned_enough() == {FIRST}
    asyncio.run(house.keeper.reapply({FIRST}))
    assert not house.kernel.applied[-1].learning
    assert house.keeper.who_learned_enough() == set()


def test_nobody_keeps_rules_before_it_is_known_who():
    house = House(1)
    assert house.keeper.mode == "nobody yet"
    asyncio.run(house.keeper.settle())
    assert house.keeper.mode == "dry_run"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "DRY RUN: 3 rules added and 1 removed on paper, nothing is enforced"),
        (0.00125, "3 rules added, 1 removed, in force in 1.25 ms (nftables)"),
    ],
)
def test_a_receipt_says_whether_anybody_enforces(seconds, words):
    assert described(AppliedChange(FIRST, "nftables", 3, 1, seconds)) == words
