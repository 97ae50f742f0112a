"""A campaign over real things and a real domain, both of which die: what its plan bounds stays bounded."""

import random

import pytest

from tests.scenarios.apart import apart, at_once
from tests.scenarios.test_backup import backed_up, begun_again
from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import POLICY, play
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName

pytestmark = pytest.mark.slow

STAGED = 'stages = [1, 3, "100%"]\nzone_share = "34%"\n'
SERIALS = tuple(f"A{number:04}" for number in range(6))


class Rollout:
    """A release for all lamps of a world, and what the ledger says became of it."""

    def __init__(self, world, folder, plan, **made):
        self.world, self.plan = world, plan
        self.releases = Releases(world, folder)
        self.encoded, self.image = self.releases.make(**made)

    async def publish(self):
        return await self.releases.publish(self.encoded, self.image, plan=self.plan)

    async def shown(self, campaign="LX-1"):
        return await self.world.domain.ask("campaign.show", campaign=campaign)

    def history(self):
        """In the order of the ledger: the number of each stage that began, and ``installed`` for each thing."""
        found = []
        for one in self.world.domain.entries(Kind.CAMPAIGN, Kind.INSTALLATION):
            if one.kind is Kind.CAMPAIGN and one.details["status"] == "running":
                found.append(one.details["stage"])
            elif one.cause == "installed":
                found.append("installed")
        return found

    def check_stages(self, places):
        """No stage ever had more than its places, whoever died when."""
        stage, installed = 1, 0
        for one in self.history():
            if one == "installed":
                installed += 1
                assert installed <= places[stage - 1], self.history()
            else:
                stage = one


async def lamps(world, serials=SERIALS):
    return await world.joined(*serials)


def run_it(things, what="1.1.0"):
    return sum(thing.is_up and version(thing) == what for thing in things)


@pytest.mark.requirement("R-72")
@pytest.mark.requirement("R-69")
def test_a_campaign_goes_by_stages_to_everybody_and_says_so(tmp_path):
    async def story(world):
        things = await lamps(world)
        rollout = Rollout(world, tmp_path, STAGED)
        preview = await world.domain.ask("campaign.preview", model="LX-1", plan=STAGED)
        assert (preview["things"], preview["zones"][0]["at_once"], preview["asleep"]) == (6, 2, [])
        await rollout.publish()
        before = (await rollout.shown())["story"][0]
        await world.until(lambda: run_it(things) == 6, within=900)
        await world.sleep(2)
        rollout.check_stages((1, 3, 6))
        assert [one for one in rollout.history() if one != "installed"] == [1, 2, 3]
        after = await rollout.shown()
        assert (after["status"], after["installed"]) == ("finished", 6)
        assert ("0 of 6 run it" in before, "6 of 6 run it" in after["story"][0]) == (True, True)

    play(story)


@pytest.mark.requirement("R-72")
def test_nobody_begins_in_quiet_hours(tmp_path):
    async def story(world):
        things = await lamps(world, SERIALS[:2])
        rollout = Rollout(world, tmp_path, 'quiet = ["11:00-12:10"]')
        await rollout.publish()
        await world.sleep(8 * 60)
        assert run_it(things) == 0
        assert {row["why"] for row in (await rollout.shown())["places"]} == {"outside the hours of the campaign"}
        await world.until(lambda: run_it(things) == 2, within=900)

    play(story)


async def _die(world, things, chance, deaths):
    """Domain and things die at one of their next writes and are started again; gives the most that updated at once."""
    most = 0
    for _ in range(deaths):
        victim = chance.choice([world.domain, *things])
        victim.fate.fatal = victim.fate.instants + chance.randint(1, 12)
        for _ in range(chance.randint(1, 40)):
            await world.sleep(0.5)
            if world.domain.is_up:
                campaign = world.domain.controller.planes.campaigns.find("LX-1").campaign
                most = max(most, campaign.zones.updating["floor-1"])
        victim.fate.fatal = None
        if not world.domain.is_up:
            await world.domain.start()
        for thing in things:
            if not thing.is_up:
                thing.start()
    return most


def _deaths(folder, seed, *, deaths):
    async def story(world):
        things = await lamps(world)
        rollout = Rollout(world, folder, STAGED)
        await rollout.publish()
        most = await _die(world, things, random.Random(seed), deaths)
        await world.until(lambda: run_it(things) == 6, within=1800)
        rollout.check_stages((1, 3, 6))
        assert most <= 2

    play(story, seed=seed)


@pytest.mark.requirement("R-72")
@pytest.mark.parametrize("seed", range(3))
def test_whoever_dies_whenever_no_stage_and_no_zone_gets_more_than_its_share(tmp_path, seed):
    _deaths(tmp_path, seed, deaths=10)


@pytest.mark.full
@pytest.mark.requirement("R-72")
@pytest.mark.parametrize("seed", range(100, 160))
def test_whoever_dies_in_sixty_histories_no_stage_gets_more_than_its_share(tmp_path, seed):
    _deaths(tmp_path, seed, deaths=20)


@pytest.mark.parametrize("dies", [False, True])
def test_the_failure_that_is_one_too_many_ends_it_and_so_it_stays(tmp_path, dies):
    async def story(world):
        things = await lamps(world)
        rollout = Rollout(world, tmp_path, 'stages = [2, "100%"]\nabort = [2]')
        await rollout.publish()
        (offer,) = world.domain.controller.planes.software._shelf._offers.values()
        object.__setattr__(offer, "image", rollout.releases.make(version="6.6.6")[1])

        def campaign():
            return world.domain.controller.planes.campaigns.find("LX-1").campaign.header

        await world.until(lambda: campaign().status == "aborted", within=900)
        if dies:
            await world.domain.crash()
            await world.domain.start()
        await world.sleep(120)
        assert campaign().status == "aborted"
        assert sum(bool(thing.agent.updating.refused.total()) for thing in things) == 2
        assert run_it(things) == 0
        shown = await rollout.shown()
        assert (shown["because"], shown["failed"]) == ("too many things failed", 2)

    play(story)


def test_sleepers_are_named_and_catch_up_and_who_joins_later_gets_it_too(tmp_path):
    async def story(world):
        things = await lamps(world, SERIALS[:3])
        sleeper = things[2]
        name = sleeper.id
        sleeper.crash()
        rollout = Rollout(world, tmp_path, "deadline_days = 0.01\npatience_hours = 0.1")
        await rollout.publish()
        await world.sleep(15 * 60)
        shown = await rollout.shown()
        assert (shown["status"], shown["failed"], shown["asleep"]) == ("finished", 0, [name])
        (newcomer,) = await lamps(world, ("A0009",))
        sleeper.start()
        await world.until(lambda: run_it([*things, newcomer]) == 4, within=900)

    play(story)


def test_what_was_brought_is_taken_back_by_a_higher_number(tmp_path):
    async def story(world):
        things = await lamps(world, SERIALS[:3])
        rollout = Rollout(world, tmp_path, "")
        await rollout.publish()
        await world.until(lambda: run_it(things) == 3)
        newer = Rollout(world, tmp_path, 'stages = [1, "100%"]\nsoak_hours = 1', version="1.2.0", sequence_number=3)
        await newer.publish()
        await world.until(lambda: run_it(things, "1.2.0") == 1)
        await world.domain.ask("campaign.abort", campaign="LX-1")
        back = Rollout(world, tmp_path, "", version="1.1.0", sequence_number=4)
        await back.publish()
        await world.until(lambda: {thing.agent.status()["sequence"] for thing in things} == {4}, within=300)
        assert run_it(things, "1.1.0") == 3

    play(story)


@pytest.mark.requirement("R-72")
@pytest.mark.parametrize("seed", range(2))
def test_with_the_engine_elsewhere_and_dying_too_the_plan_holds(tmp_path, monkeypatch, seed):
    at_once(monkeypatch)
    chance = random.Random(seed)

    async def story(world):
        things = await lamps(world)
        async with apart(world, tmp_path, PlaneName.SOFTWARE) as parts:
            rollout = Rollout(world, tmp_path, STAGED)
            await rollout.publish()
            for _ in range(4):
                await world.sleep(chance.uniform(0, 20))
                parts.again(PlaneName.SOFTWARE)
            await world.until(lambda: run_it(things) == 6, within=1800)
            await world.sleep(2)
            rollout.check_stages((1, 3, 6))
            assert (await rollout.shown())["status"] == "finished"

    play(story)


@pytest.mark.requirement("R-72")
def test_a_restored_campaign_waits_until_somebody_has_looked(tmp_path, monkeypatch):
    async def at_once(work, *arguments):
        return work(*arguments)

    monkeypatch.setattr("asyncio.to_thread", at_once)

    async def story(world):
        things = await lamps(world)
        rollout = Rollout(world, tmp_path, 'stages = [2, "100%"]\nsoak_hours = 0.05')
        await rollout.publish()
        await world.until(lambda: run_it(things) == 2, within=900)
        backup = await backed_up(world, tmp_path)
        await begun_again(world, backup)
        await world.sleep(400)
        assert run_it(things) == 2
        shown = await rollout.shown()
        assert (shown["status"], shown["because"].split(":")[0]) == ("paused", "the domain was restored from a backup")
        await world.domain.ask("campaign.resume", campaign="LX-1")
        await world.until(lambda: run_it(things) == 6, within=900)

    play(story, policy=POLICY)
