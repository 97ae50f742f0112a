"""What the detectors were shown and what they told, for whoever wants to know that they look at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.analysis.detectors.detector import detectors
from thingstead.controller.detector_memory import DetectorMemory
from thingstead.controller.operation import Operation
from thingstead.controller.traffic_watch import TrafficWatch
from thingstead.domain.role import Right

__all__ = ["ShowDetectors", "rows"]


@dataclass(frozen=True, slots=True)
class ShowDetectors:
    """A request that says all by its name."""


def rows(watch: TrafficWatch | None, memory: DetectorMemory | None) -> tuple[Operation[Any], ...]:
    """The table; both are None where nobody looks."""

    async def show(_request: ShowDetectors) -> dict[str, Any]:
        if watch is None or memory is None:
            return {"watching": False, "why": "[watch] interfaces names none"}
        return {
            "watching": True,
            "packets_seen": watch.seen,
            "frames_lost": watch.lost,
            "frames_refused": watch.refused,
            "packets_of_strangers_passed_over": watch.unseen,
            "detections_passed_over": watch.overlooked,
            "allowed_by_rules": watch.allowed,
            "memory": memory.said,
            "told": {one.name: watch.told[one.name] for one in detectors()},
        }

    return (
        Operation("network.detectors", ShowDetectors, Right.AUDIT, "what detectors saw and told since the start", show),
    )
