"""Invariant: whichever write a program dies at, before it or after it, in whatever order and on whatever line:
what was acknowledged stands, no key meets a nonce twice, no member has to join again, and nobody retired gets in."""

import random

import pytest

from tests.scenarios.nonces import watched_nonces
from tests.scenarios.world import World, play
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import Standing
from thingstead.identifier import ThingId

_DEATHS = 6
_REFUSES = {Standing.REFUSED, Standing.ABSENT}
_OPERATIONS = ("thing.quarantine", "thing.restore", "thing.list", "thing.list")


class _Life:
    """A seeded history of a domain and three things, with what has to be true of it."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.things = [world.thing(f"A{number}") for number in range(3)]
        self.restriction: dict[ThingId, str] = {}
        self.settled: dict[ThingId, int] = {}
        self.shut_out: set[ThingId] = set()

    async def run(self):
        self.start_all()
        for _ in range(_DEATHS):
            await self.die_somewhere()
            await self.start_all_again()
            self.check_restrictions()
        await self.retire_first()
        await self.die_somewhere()
        await self.start_all_again()
        await self.check_end()

    def fates(self):
        return [self.world.domain.fate, *(thing.fate for thing in self.things)]

    def start_all(self):
        for thing in self.things:
            if not thing.is_up:
                thing.start()

    async def start_all_again(self):
        for fate in self.fates():
            fate.fatal = None
        if not self.world.domain.is_up:
            await self.world.domain.start()
        self.start_all()
        await self.world.sleep(self.random.uniform(0, 8))
        self.note_settled()

    async def die_somewhere(self):
        fate = self.random.choice(self.fates())
        fate.fatal = fate.instants + self.random.randint(1, 16)
        await self.world.sleep(self.random.uniform(0, 8))
        known = list(self.world.domain.controller.register.things()) if self.world.domain.is_up else []
        if known and self.world.domain.is_up:
            await self.operate(self.random.choice(_OPERATIONS), self.random.choice(known).id)
        await self.world.sleep(self.random.uniform(0, 8))

    async def operate(self, operation, thing):
        arguments = {} if operation == "thing.list" else {"thing": thing}
        if operation == "thing.quarantine":
            # Refused under its keys it may try to join, and get in that way once the quarantine is lifted.
            self.shut_out.add(thing)
            self.settled.pop(thing, None)
        answer = await self.world.domain.answer(operation, **arguments)
        if "result" in answer and arguments:
            self.restriction[thing] = answer["result"]["restriction"]
        elif not answer:
            self.restriction.pop(thing, None)

    def joins(self, thing):
        return sum(one.cause == "joined" and one.thing == thing for one in self.world.domain.entries(Kind.TRANSITION))

    def note_settled(self):
        """Both sides have the association: from now on there is no reason to join again."""
        for thing in self.things:
            if thing.has_reported and thing.id not in self.settled.keys() | self.shut_out:
                self.settled[thing.id] = self.joins(thing.id)

    def check_restrictions(self):
        for thing, restriction in self.restriction.items():
            assert self.world.domain.controller.register.thing(thing).restriction == restriction

    async def retire_first(self):
        for thing in self.world.domain.controller.register.things():
            if thing.restriction != "none":
                await self.world.domain.ask("thing.restore", thing=thing.id)
        await self.world.until(lambda: all(thing.has_reported for thing in self.things), within=300)
        self.restriction.clear()
        self.note_settled()
        self.old_disk = dict(self.things[0].disk)
        self.retired = self.things[0].id
        await self.world.domain.ask("thing.retire", thing=self.retired)

    async def check_end(self):
        world, domain = self.world, self.world.domain
        self.things[0].crash()
        self.things[0].disk.clear()
        self.things[0].disk.update(self.old_disk)
        self.things[0].start()
        for thing in domain.controller.register.things():
            if thing.restriction != "none":
                await domain.ask("thing.restore", thing=thing.id)
        data = domain.controller.planes.data
        seen = {thing.serial: data.latest(thing.id)["readings"] for thing in self.things[1:]}

        def all_tell_more():
            return all(
                thing.has_reported and data.latest(thing.id)["readings"] != seen[thing.serial]
                for thing in self.things[1:]
            )

        await world.until(all_tell_more, within=120)
        assert {thing: self.joins(thing) for thing in self.settled} == self.settled
        probes = await domain.controller.kill_clock.probe(self.retired)
        assert {probe.standing for probe in probes} <= _REFUSES
        assert domain.record("A0").state == "decommissioned"
        assert domain.controller.register.obligations() == ()


@pytest.mark.requirement("R-26")
@pytest.mark.parametrize("seed", range(12))
def test_whatever_dies_nothing_is_lost_repeated_or_let_in(seed):
    async def story(world):
        await _Life(world, seed).run()

    with watched_nonces() as nonces:
        play(story, seed=seed, loss=0.05 * (seed % 3), duplication=0.1 * (seed % 2), jitter=0.02)
    assert nonces.used
    assert nonces.repeated == []
