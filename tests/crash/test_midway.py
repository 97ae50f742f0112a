"""A controller that is killed at any instant of cutting a thing off: what was decided is finished by its next life.

Real processes and SIGKILL; the same in virtual time, and for CI, is in tests/scenarios/test_kill.py.
"""

import random
import threading
import time

import pytest

from bench.pairs import Pairs
from thingstead.errors import TransportError

_EVERY = 0.05


class Midway:
    """One domain, whose sensors are cut off one after the other while it dies."""

    def __init__(self, world):
        self.world = world
        self.sensors = world.sensors()
        self.decided, self.undecided, self.recovery = 0, 0, []

    def undisturbed(self):
        """Seconds that it takes to cut one off, until its peers were asked."""
        began = time.monotonic()
        self.world.ask("thing.quarantine", thing=self.sensors.pop().thing)
        return time.monotonic() - began

    def kill(self, sensor, after):
        """Quarantine it, kill the controller so many seconds later, and start it again."""
        sensor.ask("insist", every=_EVERY)
        _until(lambda: sensor.ask("status")["met"], within=90)
        answered = threading.Event()

        def quarantine():
            try:
                self.world.ask("thing.quarantine", thing=sensor.thing)
                answered.set()
            except TransportError:
                pass

        asking = threading.Thread(target=quarantine)
        asking.start()
        time.sleep(after)
        self.world.kill_domain()
        asking.join()
        self.recovery.append(self.world.start_domain())
        self.check(sensor, was_answered=answered.is_set())

    def check(self, sensor, *, was_answered):
        (record,) = [one for one in self.world.ask("thing.list") if one["thing"] == sensor.thing]
        is_decided = record["restriction"] == "quarantined"
        assert is_decided or not was_answered
        if is_decided:
            self.decided += 1
            _until(lambda: self.is_settled(sensor), within=100)
            before = obeyed(sensor)
            time.sleep(10 * _EVERY)
            assert obeyed(sensor) == before
        else:
            self.undecided += 1

    def is_settled(self, sensor):
        """Nobody owes anything, and no relying party would take it, each asked."""
        shown = self.world.ask("thing.show", thing=sensor.thing)
        planes = {plane["plane"]: plane for plane in shown["planes"]}
        refused = all(plane["standing"] in {"refused", "absent"} for plane in planes.values())
        return not shown["owed"] and refused and planes["access"]["bound"] is None


def obeyed(sensor):
    """Commands that its lamp took, and answers that the domain gave it."""
    lamps = [lamp.ask({"operation": "status"})["switched"] for lamp in sensor.lamps.values()]
    return lamps, sensor.ask("status")["answers"]


def _until(holds, *, within):
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, f"expected within {within} s"
        time.sleep(0.05)


def _kills(folder, *, seed, count):
    chance = random.Random(seed)
    with Pairs(folder, count=count + 1, each=1, hours=2, pace=2.0) as world:
        midway = Midway(world)
        longest = midway.undisturbed()
        for sensor in midway.sensors:
            midway.kill(sensor, chance.uniform(0, longest))
            again = max(midway.recovery)
            print(f"{midway.decided} decided, {midway.undecided} not; answers again after {again:.1f} s", flush=True)
        assert midway.decided + midway.undecided == count


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("seed", range(4))
def test_fifty_kills_midway_leave_nothing_half_done(tmp_path, seed):
    _kills(tmp_path, seed=seed, count=50)
