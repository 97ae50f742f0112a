"""Operations on what answers from outside: knock now, and see what answered last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.analysis.plain_words import service
from thingstead.controller.exposure_scan import HERE, ExposureScan
from thingstead.controller.operation import Operation
from thingstead.domain.open_service import OpenService
from thingstead.domain.role import Right
from thingstead.identifier import thing_id

__all__ = ["ShowExposure", "rows"]


@dataclass(frozen=True, slots=True)
class ShowExposure:
    """Services of things that answer when a stranger knocks.

    Attributes:
        thing: of one alone; empty for all.
        again: knock now; else what answered last.
    """

    thing: str = ""
    again: bool = False


def rows(scan: ExposureScan) -> tuple[Operation[Any], ...]:
    """The table."""

    async def show(request: ShowExposure) -> list[dict[str, Any]]:
        thing = thing_id(request.thing) if request.thing else None
        found = await scan.scan(thing) if request.again else scan.found()
        return [_told(one) for one in found if thing in {None, one.thing}]

    return (
        Operation(
            "network.exposure", ShowExposure, Right.MAINTAIN, "services of things that answer a stranger's knock", show
        ),
    )


def _told(one: OpenService) -> dict[str, Any]:
    name = {6: "tcp", 17: "udp"}[one.protocol]
    close = f"thingstead network block --thing {one.thing} --protocol {name} --port {one.port}"
    if one.thing == HERE:
        close = "" if one.expected else "stop it, or have it listen on loopback alone"
    return {
        "thing": one.thing or "this machine",
        "address": one.address,
        "service": service(one.protocol, one.port),
        "open_to": list(one.open_to),
        "expected": one.expected,
        "why": one.why,
        "since": one.since,
        "close": close,
    }
