"""Operations on what answers from outside: knock now, and see what answered last."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from thingstead.analysis.plain_words import service
from thingstead.clock import Clock
from thingstead.controller.exposure_scan import HERE, ExposureScan
from thingstead.controller.operation import Operation
from thingstead.domain.open_service import OpenService
from thingstead.domain.role import Right
from thingstead.errors import ConfigError
from thingstead.identifier import thing_id
from thingstead.phases.doors import DOORS

__all__ = ["Door", "Place", "PlanExposure", "ShowExposure", "TellExposure", "rows"]


@dataclass(frozen=True, slots=True)
class ShowExposure:
    """Services of things that answer when a stranger knocks.

    Attributes:
        thing: of one alone; empty for all.
        again: knock now; else what answered last.
    """

    thing: str = ""
    again: bool = False


class Place(StrEnum):
    """Where somebody knocked."""

    SITE = "site"
    INTERNET = "internet"


@dataclass(frozen=True, slots=True)
class PlanExposure:
    """A request that says all by its name."""


@dataclass(frozen=True, slots=True)
class Door:
    """What answered.

    Attributes:
        address: where.
        protocol: of IP: 6 or 17.
        port: on the thing.
    """

    address: str
    protocol: int
    port: int


@dataclass(frozen=True, slots=True)
class TellExposure:
    """What `thingstead exposure knock` found elsewhere.

    Attributes:
        place: where that was.
        knocked: addresses.
        open: what answered there.
    """

    place: Place
    knocked: list[str]
    open: list[Door]


def rows(scan: ExposureScan, *, domain: str, clock: Clock) -> tuple[Operation[Any], ...]:
    """The table."""

    async def show(request: ShowExposure) -> list[dict[str, Any]]:
        thing = thing_id(request.thing) if request.thing else None
        found = await scan.scan(thing) if request.again else scan.found()
        return [_told(one) for one in found if thing in {None, one.thing}]

    async def plan(_request: PlanExposure) -> dict[str, Any]:
        return {"domain": domain, "made_at": clock.utc(), "addresses": list(scan.addresses())}

    async def tell(request: TellExposure) -> list[dict[str, Any]]:
        if not {(one.protocol, one.port) for one in request.open} <= frozenset(DOORS):
            raise ConfigError("expected doors at which `thingstead exposure knock` knocks")
        opened = {(one.address, one.protocol, one.port) for one in request.open}
        await scan.tell(request.place.value, frozenset(request.knocked), opened)
        return [_told(one) for one in scan.found() if one.seen_from == request.place.value]

    return (
        Operation("network.exposure", ShowExposure, Right.MAINTAIN, "services that answer a stranger's knock", show),
        Operation("exposure.plan", PlanExposure, Right.MAINTAIN, "where somebody elsewhere may knock for us", plan),
        Operation("exposure.tell", TellExposure, Right.MAINTAIN, "what answered somebody who knocked elsewhere", tell),
    )


_PROTOCOLS = {6: "tcp", 17: "udp"}


def _told(one: OpenService) -> dict[str, Any]:
    close = f"thingstead network block --thing {one.thing} --protocol {_PROTOCOLS[one.protocol]} --port {one.port}"
    if one.seen_from and not one.expected:
        # What gets around the rules is not kept back by one more.
        close = "find the way on which it is reached past this machine, and end it"
    if one.thing == HERE:
        end = "keep others from it where they come in" if one.seen_from else "have it listen on loopback alone"
        close = "" if one.expected else f"stop it, or {end}"
    return {
        "thing": one.thing or "this machine",
        "address": one.address,
        "service": service(one.protocol, one.port),
        "open_to": list(one.open_to),
        "expected": one.expected,
        "why": one.why,
        "seen_from": one.seen_from or "this machine",
        "since": one.since,
        "close": close,
    }
