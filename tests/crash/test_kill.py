"""Whatever dies, whenever: nothing acknowledged is lost, no nonce is used twice, nobody joins again or gets in."""

from collections import Counter

import pytest

from tests.crash.run import Run
from tests.crash.world import World

_MEMBERS_AT_START = 5
_SEED_OF_CI = 8613


def kill(root, *, seed, instants, newcomers):
    world = World(root, things=_MEMBERS_AT_START + newcomers)
    try:
        run = Run(world, seed=seed, instants=instants)
        run.go()
        report(world, run, seed)
        assert run.violations == []
    finally:
        world.close()


def report(world, run, seed):
    counts = sum((audit.counts for audit in world.audits()), Counter())
    figures = run.figures
    print(f"seed {seed}: {figures.controller_kills} kills of the controller, {figures.thing_kills} of things")
    print(f"on the wire: {dict(counts)}")
    print(f"seconds until all are answered again: at most {max(figures.recovery):.1f}")
    print(f"seconds of acknowledged telemetry lost by a kill: at most {max(figures.lost, default=0.0):.2f}")


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.requirement("R-04")
@pytest.mark.spec("RFC 8613 B.1")
def test_a_dozen_kills_lose_and_repeat_nothing(tmp_path):
    kill(tmp_path, seed=_SEED_OF_CI, instants=12, newcomers=2)


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.spec("RFC 8613 B.1")
def test_two_hundred_kills_lose_and_repeat_nothing(tmp_path):
    kill(tmp_path, seed=int(__import__("os").environ.get("SEED", "1")), instants=200, newcomers=12)
