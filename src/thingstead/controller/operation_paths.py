"""The operation that looks for paths through things: what their rules open together, and how each holds (R-85)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from thingstead.analysis.reach import Hold, Path, paths
from thingstead.clock import Clock
from thingstead.controller.network_engine import RemoteNetwork
from thingstead.controller.operation import Operation
from thingstead.controller.software_engine import RemoteTracker
from thingstead.domain.register import Register
from thingstead.domain.release_policy import Severity
from thingstead.domain.role import Right
from thingstead.domain.thing import Thing
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.network.mud_manager import MudManager
from thingstead.planes.software.status_tracker import StatusTracker
from thingstead.planes.software.vulnerability_shelf import Exposure

__all__ = ["AskPaths", "hold_of", "rows"]


@dataclass(frozen=True, slots=True)
class AskPaths:
    """The weakest path to each thing.

    Attributes:
        thing: to one alone; empty for all.
    """

    thing: str = ""


def rows(
    network: MudManager | RemoteNetwork, tracker: StatusTracker | RemoteTracker, register: Register, *, clock: Clock
) -> tuple[Operation[Any], ...]:
    """The table."""

    async def listing(request: AskPaths) -> list[dict[str, Any]]:
        wanted = register.thing(thing_id(request.thing)).id if request.thing else ""
        exposures: dict[ThingId, list[Exposure]] = {}
        for one in await tracker.exposures():
            exposures.setdefault(one.thing, []).append(one)
        at = clock.utc()

        def hold(thing: ThingId) -> tuple[Hold, str]:
            return hold_of(register.thing(thing), exposures.get(thing, ()), at=at)

        # A large house takes seconds, and things are served meanwhile.
        found = await asyncio.to_thread(paths, await network.reach(), hold)
        return [_row(path) for path in found if wanted in ("", path.target)]

    return (
        Operation("network.paths", AskPaths, Right.AUDIT, "the weakest path to each thing, over others too", listing),
    )


def hold_of(thing: Thing, exposures: Iterable[Exposure], *, at: datetime) -> tuple[Hold, str]:
    """What a thing holds against who reaches it, and why."""
    certain = [one for one in exposures if one.is_certain]
    worst = max(certain, key=lambda one: one.severity, default=None)
    if worst is not None and worst.severity >= Severity.HIGH:
        return Hold.BROKEN, f"{worst.id} is known in {worst.component}"
    if thing.verifies_nothing:
        return Hold.POOR, "it runs whatever image it is sent"
    if thing.support_end is not None and thing.support_end <= at:
        return Hold.POOR, f"nobody mends it since {thing.support_end.date()}"
    if worst is not None:
        return Hold.POOR, f"{worst.id} is known in {worst.component}"
    return Hold.FAIR, ""


def _row(path: Path) -> dict[str, Any]:
    return {
        "thing": path.target,
        "cost": path.cost,
        "combination": path.is_combination,
        "weakest_step": path.weakest.words,
        "steps": [{"from": one.source, "to": one.target, "by": one.words, "cost": one.cost} for one in path.steps],
    }
