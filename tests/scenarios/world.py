"""How a scenario is played: a coroutine that gets a `World` whose domain is up::

play(story, loss=0.2, seed=7)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from thingstead.simulator.virtual.clock import VirtualLoop, run
from thingstead.simulator.virtual.domain import LivingDomain
from thingstead.simulator.virtual.thing import LivingThing
from thingstead.simulator.virtual.world import AT, World, make_maker

__all__ = ["AT", "POLICY", "LivingDomain", "LivingThing", "World", "make_maker", "play"]

POLICY = """
profile = "building"

[scope.member]
"/senml" = ["POST"]
"/credential" = ["FETCH"]
"/update" = ["GET"]
"/update/image" = ["GET"]
"/update/report" = ["POST"]
"/ace-group/lamps" = ["GET", "POST", "FETCH"]

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

[release]
sbom_missing = "allow"

[granted]
"/light" = ["GET", "PUT"]
"/group-keys" = ["PUT"]
"/standing" = ["FETCH"]
"/wipe" = ["POST"]
"/custody" = ["GET", "PUT"]

[[series]]
name = "readings"
purpose = "to see that it lives"
retention_days = 30
"""

R = TypeVar("R")


def play(story: Callable[[World], Awaitable[R]], *, seed: int = 1, policy: str = POLICY, **line: float) -> R:
    """Run a scenario in a fresh world whose domain is up; `line` goes to `Network`."""
    loop = VirtualLoop()

    async def whole() -> R:
        world = World(loop, seed=seed, policy=policy, **line)
        await world.domain.start()
        try:
            return await story(world)
        finally:
            await world.close()

    return run(loop, whole())
