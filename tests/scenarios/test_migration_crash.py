"""Invariant: whichever write a domain or a thing dies at while keys change, every step that was decided is taken once,
no thing takes a release that the keys it has do not let in, and in the end all of them have the same keys."""

import random

import pytest

from tests.scenarios.test_migration import UNTIL, Maker, joined, number
from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import play
from thingstead.domain.ledger.entry import Kind

pytestmark = pytest.mark.slow

_PATIENCE = 40


class _Course:
    """One migration from start to end, with deaths at random writes."""

    def __init__(self, world, folder, seed):
        self.world, self.random = world, random.Random(seed)
        self.maker, self.releases = Maker(world, folder), Releases(world, folder)

    async def run(self, *, returns):
        self.things = await joined(self.world, "A0001", "A0002", "A0003")
        self.maker.introduce()
        await self.step("start", until=UNTIL)
        await self.all_at(1)
        (self.maker.take_back if returns else self.maker.retire)()
        await self.step("rollback" if returns else "retire")
        await self.all_at(2)
        await self.check(self.maker.old if returns else self.maker.new)

    async def step(self, operation, **arguments):
        """Decide, dying on the way or not, until it is decided."""
        file = self.maker.file()
        for _ in range(_PATIENCE):
            self.doom()
            answer = await self.world.domain.answer(f"migration.{operation}", anchor=file, **arguments)
            await self.revive()
            # Who died after the write has taken it: the file has no further step.
            if "result" in answer or answer.get("error", {}).get("message", "").endswith("not taken here"):
                return
            if answer:
                assert answer["error"]["reason"] == "moving", answer
        raise AssertionError(f"{operation} was never taken")

    async def all_at(self, expected):
        for _ in range(_PATIENCE):
            self.doom()
            await self.world.sleep(self.random.uniform(1, 8))
            await self.revive()
            told = self.world.domain.controller.migrations._reached
            if all(number(one) == expected and told[one.id].step == expected for one in self.things):
                return
        raise AssertionError("somebody was stranded")

    def doom(self):
        """Most of the time somebody dies at one of its next writes."""
        fates = [self.world.domain.fate, *[thing.fate for thing in self.things]]
        if self.random.random() < 0.7:
            fate = self.random.choice(fates)
            fate.fatal = fate.instants + self.random.randint(1, 6)

    async def revive(self):
        for one in (self.world.domain, *self.things):
            one.fate.fatal = None
        # Who is dying over its last write is down a moment later.
        await self.world.sleep(0.1)
        if not self.world.domain.is_up:
            await self.world.domain.start()
        for thing in self.things:
            if not thing.is_up:
                thing.start()
        await self.world.sleep(self.random.uniform(0, 4))

    async def check(self, keys):
        wrong = self.maker.new if keys is self.maker.old else self.maker.old
        refused = await self.releases.publish(*self.releases.make(keys=wrong))
        assert refused["error"]["reason"] == "signers"
        await self.releases.publish(*self.releases.make(keys=keys))
        await self.world.until(lambda: all(version(one) == "1.1.0" for one in self.things), within=600)
        causes = [one.cause for one in self.world.domain.entries(Kind.CONFIGURATION)]
        assert causes.count("update-keys-introduced") == 1
        assert causes.count("update-keys-retired") + causes.count("update-keys-taken-back") == 1


@pytest.mark.requirement("R-76")
@pytest.mark.parametrize("seed", [*range(3), *[pytest.param(seed, marks=pytest.mark.full) for seed in range(3, 60)]])
def test_keys_change_whoever_dies_on_the_way(tmp_path, seed):
    async def story(world):
        await _Course(world, tmp_path, seed).run(returns=seed % 3 == 0)

    play(story, seed=seed)
