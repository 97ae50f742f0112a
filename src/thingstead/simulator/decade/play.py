"""How a decade is played: on a loop whose time jumps, from one seed, in one process, without a socket or a disk."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from thingstead.agent.core import Agent
from thingstead.simulator.decade.decade import DAYS, Decade
from thingstead.simulator.decade.event import Happenings, publish_mud, support
from thingstead.simulator.decade.tale import Tale
from thingstead.simulator.decade.wink import GoesByDates, wink
from thingstead.simulator.virtual.clock import VirtualLoop, run
from thingstead.simulator.virtual.world import World

__all__ = ["POLICY", "play_decade", "play_wink"]

POLICY = """
profile = "home"

[scope.member]
"/senml" = ["POST"]
"/credential" = ["FETCH"]

[[rule]]
name = "lamps of Acme"
makers = ["acme"]
models = ["LX-*"]
zone = "floor-1"
scope = "member"

[[rule]]
name = "sensors of Brook"
makers = ["brook"]
models = ["TH-*"]
zone = "floor-2"
scope = "member"

[granted]
"/standing" = ["FETCH"]
"/wipe" = ["POST"]
"/custody" = ["GET", "PUT"]

[[series]]
name = "readings"
purpose = "to see that it lives"
retention_days = 30
"""


def play_decade(*, seed: int, things: int, tell: Callable[[str], None]) -> Tale:
    """Live ten years with so many things; every line is told at once, and kept."""
    tale = Tale(tell)

    async def whole(world: World, folder: Path) -> None:
        publish_mud(world)
        await world.domain.start()
        born = support(world.clock.utc().date())
        decade = Decade(world, seed=seed, things=things, support=born, tale=tale)
        happenings = Happenings(folder)
        await decade.live(happenings.events(), days=DAYS)
        await happenings.after_the_sunset(decade)

    _played(whole, seed)
    return tale


def play_wink(*, seed: int, things: int, tell: Callable[[str], None]) -> Tale:
    """Live through one wrong day, twice (`wink`)."""
    tale = Tale(tell)

    async def compared(world: World, _folder: Path) -> None:
        tale.say("things that go by dates alone, for comparison (no thing of this product does):")
        served = await wink(world, seed=seed, things=things, tale=tale, make=GoesByDates)
        tale.say(f"  the power is back: {served} of {things} are served, {things - served} are stranded for good")

    async def ours(world: World, _folder: Path) -> None:
        tale.say("this product's things, and nobody heeds the calendar either:")
        served = await wink(world, seed=seed, things=things, tale=tale, make=Agent)
        tale.say(f"  the power is back: {served} of {things} are served, by themselves")

    _played(compared, seed)
    _played(ours, seed)
    return tale


def _played(story: Callable[[World, Path], Awaitable[None]], seed: int) -> None:
    loop = VirtualLoop()

    async def whole(folder: Path) -> None:
        world = World(loop, seed=seed, policy=POLICY)
        try:
            await story(world, folder)
        finally:
            await world.close()

    with tempfile.TemporaryDirectory() as folder:
        run(loop, whole(Path(folder)))
