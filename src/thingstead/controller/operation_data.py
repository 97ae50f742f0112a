"""Operations on data: what is known of a thing, shown, handed out, erased."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.controller.operation import Operation, Role
from thingstead.domain.register import Register
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


def rows(collector: Collector, register: Register) -> tuple[Operation[Any], ...]:
    """The table; of a thing that was never here nothing is told, and nothing is written on the ledger."""

    def known(thing: str) -> ThingId:
        return register.thing(thing_id(thing)).id

    async def listing(_request: OfAll) -> list[dict[str, Any]]:
        return [{"thing": thing, "latest": collector.latest(thing)} for thing in collector.things()]

    async def show(request: OfThing) -> dict[str, Any]:
        return {"thing": request.thing, "latest": collector.latest(known(request.thing))}

    async def export(request: PageOfThing) -> ExportPage:
        return await collector.export(known(request.thing), actor=_ACTOR, after=request.after)

    async def erase(request: OfThing) -> ErasureReceipt:
        return await collector.erase(known(request.thing), actor=_ACTOR)

    return (
        Operation("data.list", OfAll, Role.AUDITOR, "newest value of each series of every thing", listing),
        Operation("data.show", OfThing, Role.AUDITOR, "newest value of each series", show),
        Operation("data.export", PageOfThing, Role.OWNER, "what is kept of a thing, a SenML-JSON pack a page", export),
        Operation("data.erase", OfThing, Role.OWNER, "erase everything kept of a thing", erase),
    )
