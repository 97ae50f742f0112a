"""A maker's things go over to other update keys: whoever is awake at once, sleepers when they wake, nobody is lost.

::

    owner                  domain                       thing                       sleeper
      | start (step 1) ---->|                             |                            x
      |                     |<-- poll, at keys 0 ---------|                            x
      |                     |--- step 1 ----------------->| old and new must sign      x
      | retire (step 2) --->|<-- poll, at keys 1 ---------|                            x
      |                     |--- step 2 ----------------->| new alone                  x
      |                     |<-- poll, at keys 0 ----------------------------------------|
      |                     |--- step 1, then step 2 -----------------------------------> |
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.scenarios.test_sleepers import asleep
from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import POLICY, play
from thingstead.crypto.key import KeyType, generate
from thingstead.domain import anchor as anchor_file
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Restriction
from thingstead.errors import UntrustedError
from thingstead.protocols.profile import key_set, succession
from thingstead.protocols.profile.key_set import KeySet

pytestmark = pytest.mark.slow

UNTIL = "2026-12-31"


class Maker:
    """A maker who replaces its keys, and the file that it gives to owners."""

    def __init__(self, world, folder):
        self.world, self.folder = world, folder
        self.old = world.makers["acme"].release_keys
        self.new = (generate(KeyType.ML_DSA_44),)
        self.anchor = next(one for one in world.domain.anchors() if one.maker == "acme")

    def step(self, made):
        self.anchor = anchor_file.follow(self.anchor, [made])
        return self

    def introduce(self, keys=None):
        keys = keys or KeySet(tuple(key.public for key in self.new))
        state = self.anchor.update_keys
        return self.step(succession.introduce(state, keys, [*self.old, *self.new], at=self.world.clock.utc()))

    def retire(self):
        state = self.anchor.update_keys
        return self.step(succession.retire(state, [*self.old, *self.new], at=self.world.clock.utc()))

    def take_back(self):
        return self.step(succession.take_back(self.anchor.update_keys, self.old, at=self.world.clock.utc()))

    def file(self):
        path = self.folder / "acme.anchor"
        path.write_bytes(anchor_file.encode(self.anchor))
        return str(path)

    async def ask(self, operation, **arguments):
        return await self.world.domain.ask(f"migration.{operation}", anchor=self.file(), **arguments)

    async def refused(self, operation, **arguments):
        answer = await self.world.domain.answer(f"migration.{operation}", anchor=self.file(), **arguments)
        return answer["error"]["reason"]


async def joined(world, *serials):
    """Things that are in, and have said what they verify."""
    things = await world.joined(*serials)
    told = world.domain.controller.migrations._reached
    await world.until(lambda: all(one.id in told for one in things))
    return things


def number(thing):
    return thing.agent.update_anchor.keys().number


def at(things, expected):
    return lambda: all(thing.is_up and number(thing) == expected for thing in things)


async def reached(world, things, expected):
    """Until the domain has it from each that it is there."""
    told = world.domain.controller.migrations._reached
    await world.until(lambda: all(told[one.id].step == expected for one in things))


@pytest.mark.requirement("R-87")
@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_things_take_releases_of_old_and_new_keys_and_then_of_the_new_alone(tmp_path, loss):
    async def story(world):
        maker, releases = Maker(world, tmp_path), Releases(world, tmp_path)
        first, second = await joined(world, "A0001", "A0002")
        await maker.introduce().ask("start", until=UNTIL)
        await world.until(at([first, second], 1))
        alone = await releases.publish(*releases.make())
        assert alone["error"]["reason"] == "signers"
        await releases.publish(*releases.make(keys=(*maker.old, *maker.new)))
        await world.until(lambda: version(first) == version(second) == "1.1.0")
        await reached(world, [first, second], 1)
        await maker.retire().ask("retire")
        await world.until(at([first, second], 2))
        forged = await releases.publish(*releases.make(version="1.2.0", sequence_number=3, keys=maker.old))
        assert forged["error"]["reason"] == "signers"
        await releases.publish(*releases.make(version="1.2.0", sequence_number=3, keys=maker.new))
        await world.until(lambda: version(first) == version(second) == "1.2.0")
        (told,) = await world.domain.ask("migration.status")
        assert (told["phase"], told["number"], told["done"], told["by_name"]) == ("steady", 2, 2, [])
        causes = [one.cause for one in world.domain.entries(Kind.CONFIGURATION) if "update-keys" in one.cause]
        assert causes.count("update-keys-introduced") == causes.count("update-keys-retired") == 1
        assert causes.count("update-keys") >= 4

    play(story, loss=loss)


@pytest.mark.requirement("R-76")
@pytest.mark.requirement("R-74")
def test_a_fifth_of_the_things_sleeps_through_it_all_and_walks_the_chain_when_it_wakes(tmp_path):
    async def story(world):
        maker, releases = Maker(world, tmp_path), Releases(world, tmp_path)
        things = await joined(world, *[f"A000{number}" for number in range(1, 6)])
        awake, sleeper = things[:4], things[4]
        with asleep(world, sleeper):
            await world.sleep(120)
            planned = await maker.introduce().ask("plan", until=UNTIL)
            assert (planned["awake"], planned["asleep"]) == (4, 1)
            (named,) = planned["by_name"]
            assert (named["serial"], named["last_safe_day"], named["stranded"]) == ("A0005", UNTIL, False)
            await maker.ask("start", until=UNTIL)
            await reached(world, awake, 1)
            await world.domain.crash()
            await world.domain.start()
            await maker.retire().ask("retire")
            await world.until(at(awake, 2))
            assert number(sleeper) == 0
        await world.until(at([sleeper], 2), within=900)
        await releases.publish(*releases.make(keys=maker.new))
        await world.until(lambda: version(sleeper) == "1.1.0", within=900)

    play(story, policy=POLICY + "every_seconds = 20\n")


@pytest.mark.requirement("R-75")
def test_a_type_that_cannot_verify_the_new_signatures_is_not_left_behind_unnamed(tmp_path):
    async def story(world):
        maker = Maker(world, tmp_path)
        able, unable = await joined(world, "A0001", "A0002")
        told = unable.agent.update_anchor
        born = replace(told._born(), verifies=frozenset({-9}))
        told._born = lambda: born
        await world.until(
            lambda: (
                world.domain.controller.migrations._reached.get(unable.id) is not None
                and world.domain.controller.migrations._reached[unable.id].verifies == {-9}
            ),
            within=600,
        )
        assert await maker.introduce().refused("start", until=UNTIL) == "capability"
        assert number(able) == 0
        await maker.ask("start", until=UNTIL, leaving="A0002")
        await world.until(at([able], 1))

    play(story)


def test_nobody_awake_is_left_with_the_old_keys(tmp_path):
    async def story(world):
        maker = Maker(world, tmp_path)
        (lamp,) = await joined(world, "A0001")
        lamp.agent.update_anchor.walk = refuse
        await maker.introduce().ask("start", until=UNTIL)
        await world.sleep(10)
        assert await maker.retire().refused("retire") == "moving"

    def refuse(_step):
        raise UntrustedError("not today")

    play(story)


@pytest.mark.parametrize("late", [False, True])
def test_the_owner_goes_back_at_any_step(tmp_path, late):
    async def story(world):
        maker, releases = Maker(world, tmp_path), Releases(world, tmp_path)
        first, second = await joined(world, "A0001", "A0002")
        await maker.introduce().ask("start", until=UNTIL)
        await world.until(at([first], 1))
        if late:
            await reached(world, [first, second], 1)
            await maker.retire().ask("retire")
            await maker.introduce(KeySet(tuple(key.public for key in maker.old))).ask("rollback")
            await reached(world, [first, second], 3)
            await maker.retire().ask("retire")
            await world.until(at([first, second], 4))
        else:
            await maker.take_back().ask("rollback")
            await world.until(at([first, second], 2))
        await releases.publish(*releases.make(keys=maker.old))
        await world.until(lambda: version(first) == version(second) == "1.1.0")

    play(story)


def test_a_file_that_does_not_go_on_from_what_is_trusted_moves_nobody(tmp_path):
    async def story(world):
        maker = Maker(world, tmp_path)
        (lamp,) = await joined(world, "A0001")
        assert await maker.refused("start") == "config"
        thief = Maker(world, tmp_path)
        thief.old = (generate(KeyType.P256), generate(KeyType.ML_DSA_44))
        thief.anchor = replace(thief.anchor, release_keys=tuple(key.public for key in thief.old))
        assert await thief.introduce().refused("start") == "succession"
        assert await maker.introduce().refused("retire") == "step"
        assert await maker.refused("rollback", until="soon") == "config"
        assert await maker.refused("start", leaving="A9999") == "config"
        await world.sleep(10)
        assert number(lamp) == 0

    play(story)


def test_to_a_hybrid_that_keeps_the_old_classical_key(tmp_path):
    async def story(world):
        maker, releases = Maker(world, tmp_path), Releases(world, tmp_path)
        (lamp,) = await joined(world, "A0001")
        hybrid = key_set.hybrid((maker.old[0].public, maker.new[0].public))
        await maker.introduce(hybrid).ask("start", until=UNTIL)
        await reached(world, [lamp], 1)
        await maker.retire().ask("retire")
        await world.until(at([lamp], 2))
        for keys in (maker.old, maker.new):
            answer = await releases.publish(*releases.make(keys=keys))
            assert answer["error"]["reason"] == "signers"
        await releases.publish(*releases.make(keys=(maker.old[0], maker.new[0])))
        await world.until(lambda: version(lamp) == "1.1.0")

    play(story)


@pytest.mark.requirement("R-76")
def test_who_wakes_after_its_last_safe_day_is_held_and_walks_when_it_is_let_go(tmp_path):
    async def story(world):
        maker = Maker(world, tmp_path)
        (sleeper,) = await joined(world, "A0001")
        sleeper.crash()
        yesterday = (world.clock.utc() - timedelta(days=1)).date()
        await maker.introduce().ask("start", until=yesterday.isoformat(), leaving="A0001")
        await world.domain.crash()
        await world.domain.start()
        await world.until(lambda: world.domain.record("A0001").restriction is Restriction.HELD)
        sleeper.start()
        await world.sleep(60)
        assert number(sleeper) == 0
        await world.domain.ask("thing.restore", thing=world.domain.record("A0001").id)
        await world.until(at([sleeper], 1), within=900)

    play(story)
