"""Whatever dies, whenever: nothing acknowledged is lost, no nonce is used twice, nobody joins again or gets in."""

import os
import random
from collections import Counter

import pytest

from tests.crash.run import Run
from tests.crash.world import World

_MEMBERS_AT_START = 5
_SEED_OF_CI = 8613


def kill(root, *, seed, instants, newcomers):
    print(f"seed {seed}")
    world = World(root, things=_MEMBERS_AT_START + newcomers)
    try:
        run = Run(world, seed=seed, instants=instants)
        run.go()
        report(world, run)
        assert run.violations == []
    finally:
        world.close()


def _seed():
    """A fresh one each time; the one that a run printed replays that run's choices."""
    return int(os.environ.get("THINGSTEAD_CRASH_SEED") or random.SystemRandom().randrange(1 << 32))


def report(world, run):
    counts: Counter[str] = sum((audit.counts for audit in world.audits()), Counter())
    figures = run.figures
    print(f"{figures.controller_kills} kills of the controller, {figures.thing_kills} of things")
    print(f"on the wire: {dict(counts)}")
    print(f"commands to the group: {world.group_audit.commands}")
    print(f"seconds until all are answered again: at most {max(figures.recovery):.1f}")
    print(f"seconds of acknowledged telemetry lost by a kill: at most {max(figures.lost, default=0.0):.2f}")


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.spec("RFC 8613 B.1")
def test_a_dozen_kills_lose_and_repeat_nothing(tmp_path):
    kill(tmp_path, seed=_SEED_OF_CI, instants=12, newcomers=2)


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.spec("RFC 8613 B.1")
def test_two_hundred_kills_lose_and_repeat_nothing(tmp_path):
    kill(tmp_path, seed=_seed(), instants=200, newcomers=12)
