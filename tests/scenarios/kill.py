"""How long after a decision somebody still accepts a thing, asked of who would be harmed: its peers, and the domain."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.scenarios.peers import command
from tests.scenarios.world import AT
from thingstead.agent.lamp import SimulatedLamp
from thingstead.agent.story import Request, Story, Wait
from thingstead.clock import Clock
from thingstead.errors import ThingsteadError
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import path

__all__ = ["Kill", "TimedLamp", "insist", "killed", "pairs"]

_QUIET = {"telemetry_interval": 900.0, "update_interval": 900.0, "group_interval": 900.0}


@dataclass(frozen=True, slots=True)
class Kill:
    """Seconds from the decision to the last acceptance; 0 where none came after it.

    Attributes:
        peer: by the thing that it commands.
        domain: by the domain's own endpoint.
        told: by anybody, as the domain found out and told whoever decided.
        bound: until when a peer that it could not ask may accept, as it told; None where it could ask.
    """

    peer: float
    domain: float
    told: float
    bound: float | None


class TimedLamp(SimulatedLamp):
    """Knows when it was switched."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.accepted: list[float] = []

    def switch(self, on: bool) -> None:
        """Do it, and note when."""
        super().switch(on)
        self.accepted.append(self._clock.now())


async def pairs(world: Any, count: int, *, busy: int | None = None, every: float = 0.1) -> list[tuple[Any, Any]]:
    """Sensors and lamps, all online and joined.

    Args:
        world: where.
        count: of each.
        busy: so many sensors command their lamps without pause; all if not given.
        every: seconds that such a sensor waits between two commands.
    """
    made = []
    for number in range(count):
        lamp = world.thing(f"A{number}", **_QUIET)
        sensor = world.thing(f"B{number}", maker=world.makers["brook"], model="TH-2", **_QUIET)
        lamp.address, sensor.address = (_address(2, number), 5683), (_address(3, number), 5683)
        lamp.lamp = TimedLamp(world.clock)
        made.append((sensor, lamp))
    for start in range(0, count, 50):
        batch = [thing for pair in made[start : start + 50] for thing in pair]
        for thing in batch:
            thing.start()
        await world.until(lambda: all(thing.is_joined for thing in batch), within=300)  # noqa: B023
    for sensor, lamp in made[:busy]:
        sensor.agent.stories.start("insist", insist(sensor, lamp.id, lamp.address, every), world.clock.now())
        sensor.flush()
    await world.until(lambda: all(lamp.lamp.accepted for _, lamp in made[:busy]), within=300)
    return made


def insist(client: Any, server_id: Any, address: Any, every: float) -> Story:
    """Ask the peer, and the domain, again and again, whatever they answer."""
    while True:
        with suppress(ThingsteadError):
            yield from client.agent.peer_client.ask(server_id, address, command(True))
        with suppress(ThingsteadError):
            yield Request(request(Code.FETCH, path.CREDENTIAL_STATUS))
        yield Wait(every)


async def killed(world: Any, pair: tuple[Any, Any], *, after: float, watch: float) -> Kill:
    """Quarantine the sensor of a pair, and watch who still accepts it for so long."""
    sensor, lamp = pair
    identifier = sensor.id
    await asyncio.sleep(after)
    decided = world.clock.now()
    said = await world.domain.ask("thing.quarantine", thing=identifier)
    await asyncio.sleep(max(0.0, decided + watch - world.clock.now()))
    last = world.domain.controller.server.last_acceptance(identifier)
    (access,) = [plane for plane in said["planes"] if plane["plane"] == "access"]
    since = AT + timedelta(seconds=decided)
    return Kill(
        peer=max(0.0, max(lamp.lamp.accepted, default=decided) - decided),
        domain=0.0 if last is None else max(0.0, (last - since).total_seconds()),
        told=access["milliseconds"] / 1000,
        bound=None if access["bound"] is None else (datetime.fromisoformat(access["bound"]) - since).total_seconds(),
    )


def _address(net: int, number: int) -> str:
    return f"10.{net}.{number // 250}.{number % 250 + 1}"
