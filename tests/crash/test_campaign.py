"""A campaign whose controller and things are killed by kill -9 while it goes round: no stage gets more than its places.

Real processes and SIGKILL; many more histories, in virtual time, are in tests/scenarios/test_campaign.py.
"""

import random
import time

import pytest

from tests.crash.world import World, eventually
from thingstead.errors import ThingsteadError, TransportError
from thingstead.simulator.factory import open_maker
from thingstead.simulator.maker_release import build

_PLAN = 'stages = [1, "100%"]\nzone_share = "50%"\n'
_SEED_OF_CI = 9019


class Rollout:
    """The lamps of a world, and a release for them."""

    def __init__(self, root):
        self.world = World(root, things=4)
        self.lamps = [thing for thing in self.world.things if "lamp" in thing.home.name]
        self.kills = 0

    def begin(self, folder):
        self.world.controller.start()
        for lamp in self.lamps:
            lamp.process.start()
        eventually(lambda: len(self._lamps()) == len(self.lamps), within=60, what="all lamps are members")
        (model,) = {one["model"] for one in self._lamps()}
        maker = open_maker(folder / "makers" / self._lamps()[0]["maker"]).maker
        files = build(folder, maker, model, version="1.1.0", sequence=2)
        self.world.ask("release.publish", envelope=str(files.envelope), image=str(files.image), plan=_PLAN)

    def kill(self, chance):
        """Kill the controller or a lamp, and start it again."""
        time.sleep(chance.uniform(0, 2.0))
        victim = chance.choice([self.world.controller, *[lamp.process for lamp in self.lamps]])
        victim.kill()
        self.kills += 1
        time.sleep(chance.uniform(0, 0.2))
        victim.start()

    def is_done(self):
        try:
            (campaign,) = self.world.ask("campaign.list")
        except (ThingsteadError, TransportError):
            return False
        return campaign["status"] == "finished" and campaign["installed"] == len(self.lamps)

    def history(self):
        """In the order of the ledger: the causes of the campaign's steps, and of what things reported."""
        kinds = ("campaign", "installation")
        entries = [one for kind in kinds for one in self.world.ask("ledger.show", count=1000, kind=kind)]
        return [one["cause"] for one in sorted(entries, key=lambda one: one["index"])]

    def _lamps(self):
        serials = {lamp.serial for lamp in self.lamps}
        return [
            one for serial, one in self.world.records().items() if serial in serials and one["state"] == "operational"
        ]


def _deaths(folder, *, seed, kills):
    chance, rollout = random.Random(seed), Rollout(folder)
    try:
        rollout.begin(folder)
        for _ in range(kills):
            rollout.kill(chance)
        eventually(rollout.is_done, within=90, what="every lamp runs it")
        history = rollout.history()
        print(f"{rollout.kills} kills: {history}")
        assert history.count("installed") == len(rollout.lamps), "each reported once, whoever died"
        assert history[: history.index("stage")].count("installed") <= 1
        assert (history[0], history.count("begun"), history.count("stage")) == ("begun", 1, 1)
    finally:
        rollout.world.close()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_campaign_goes_on_where_its_controller_and_its_things_were_killed(tmp_path):
    _deaths(tmp_path, seed=_SEED_OF_CI, kills=2)


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.requirement("R-72")
@pytest.mark.parametrize("seed", range(4))
def test_a_campaign_goes_on_after_a_dozen_kills(tmp_path, seed):
    _deaths(tmp_path, seed=seed, kills=12)
