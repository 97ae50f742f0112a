"""Operations on data: what is known of a thing, shown, handed out, erased."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from thingstead.controller.data_engine import RemoteCollector
from thingstead.controller.operation import Operation
from thingstead.domain.purpose import Purpose
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.data.collector import Collector, ErasureReceipt, ExportPage

__all__ = ["OfAll", "OfThing", "PageOfThing", "rows"]

_ACTOR = "owner"


@dataclass(frozen=True, slots=True)
class OfAll:
    """A request that says all by its name."""


@dataclass(frozen=True, slots=True)
class OfThing:
    """Whose data."""

    thing: str


@dataclass(frozen=True, slots=True)
class PageOfThing:
    """Whose data.

    Attributes:
        thing: its id.
        after: `following` of the page before; empty for the first.
    """

    thing: str
    after: str = ""


def rows(
    collector: Collector | RemoteCollector, register: Register, *, forget: Callable[[ThingId], Awaitable[None]]
) -> tuple[Operation[Any], ...]:
    """The table; of a thing that was never here nothing is told, and nothing is written on the ledger.

    What is erased of a thing goes with what `forget` knows of it: whom it talked to.
    """

    def known(thing: str) -> ThingId:
        return register.thing(thing_id(thing)).id

    async def listing(_request: OfAll) -> list[dict[str, Any]]:
        return [{"thing": thing, "latest": latest} for thing, latest in collector.everything().items()]

    async def flows(_request: OfAll) -> list[dict[str, Any]]:
        return [_flow(purpose) for purpose in collector.purposes]

    async def show(request: OfThing) -> dict[str, Any]:
        return {"thing": request.thing, "latest": collector.latest(known(request.thing))}

    async def export(request: PageOfThing) -> ExportPage:
        return await collector.export(known(request.thing), actor=_ACTOR, after=request.after)

    async def erase(request: OfThing) -> ErasureReceipt:
        thing = known(request.thing)
        await forget(thing)
        return await collector.erase(thing, actor=_ACTOR)

    return (
        Operation("data.list", OfAll, Right.AUDIT, "newest value of each series of every thing", listing),
        Operation("data.flows", OfAll, Right.AUDIT, "what may be collected, why, for how long, how protected", flows),
        Operation("data.show", OfThing, Right.AUDIT, "newest value of each series", show),
        Operation("data.export", PageOfThing, Right.OWN, "what is kept of a thing, a SenML-JSON pack a page", export),
        Operation("data.erase", OfThing, Right.OWN, "erase everything kept of a thing", erase),
    )


def _flow(purpose: Purpose) -> dict[str, Any]:
    return {
        "series": purpose.series,
        "purpose": purpose.text,
        "retention_days": purpose.retention / timedelta(days=1),
        "personal": purpose.personal,
        "services": sorted(purpose.services),
        "needs": sorted(purpose.services if purpose.needs is None else purpose.needs),
    }
