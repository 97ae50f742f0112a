"""Operations on traffic: what came, what was refused and why, and what stands half open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.controller.data_engine import RemoteCollector
from thingstead.controller.operation import Operation
from thingstead.controller.server import DomainServer
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.endpoint.resource import Resources
from thingstead.phases.bootstrap import Bootstrap
from thingstead.planes.data.collector import Collector

__all__ = ["ShowTraffic", "Traffic", "rows"]


@dataclass(frozen=True, slots=True)
class ShowTraffic:
    """A request that says all by its name."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Since the controller was started.

    Attributes:
        half_open: handshakes that wait for message_3.
        things: things that the domain keeps a record of.
        values: telemetry values taken.
        requests: requests refused behind the message layer, by reason.
        messages: messages refused, repeated or not understood by it, by reason.
    """

    half_open: int
    things: int
    values: int
    requests: dict[str, int]
    messages: dict[str, int]


def rows(
    server: DomainServer,
    resources: Resources,
    bootstrap: Bootstrap,
    register: Register,
    collector: Collector | RemoteCollector,
) -> tuple[Operation[Any], ...]:
    """The table."""

    async def show(_request: ShowTraffic) -> Traffic:
        return Traffic(
            half_open=bootstrap.half_open,
            things=sum(1 for _ in register.things()),
            values=collector.accepted,
            requests=dict(resources.refused),
            messages=server.counters,
        )

    return (Operation("traffic.show", ShowTraffic, Right.AUDIT, "what was refused, by reason, since start", show),)
