"""Operations on what alarms had done: who is cut off, how fast that went, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.controller.operation import Acting, Operation
from thingstead.controller.response import Responder
from thingstead.controller.response_record import Response
from thingstead.domain.role import Right

__all__ = ["ListResponses", "UndoResponse", "rows"]


@dataclass(frozen=True, slots=True)
class ListResponses:
    """Responses that are kept.

    Attributes:
        thing: of one alone; empty for all.
    """

    thing: str = ""


@dataclass(frozen=True, slots=True)
class UndoResponse(Acting):
    """Let a thing go that an alarm cut off.

    Attributes:
        response: what `response.list` calls it.
    """

    response: str


def rows(responder: Responder) -> tuple[Operation[Any], ...]:
    """The table."""

    async def listing(request: ListResponses) -> list[dict[str, Any]]:
        return [_told(one) for one in responder.responses() if request.thing in {"", one.thing}]

    async def undo(request: UndoResponse) -> dict[str, Any]:
        return _told(await responder.undo(request.response, actor=request.by))

    return (
        Operation("response.list", ListResponses, Right.AUDIT, "things that an alarm cut off, and how fast", listing),
        Operation("response.undo", UndoResponse, Right.MAINTAIN, "let a thing go that an alarm cut off", undo),
    )


def _told(one: Response) -> dict[str, Any]:
    slowest = max((part.milliseconds for part in one.planes if part.milliseconds is not None), default=None)
    return {
        "response": one.id,
        "thing": one.thing,
        "zone": one.zone,
        "detector": one.detector,
        "explanation": one.explanation,
        "first_bad_packet": one.first,
        "at": one.at,
        "noticed_after_ms": round(one.noticed_after, 3),
        "cut_off_after_ms": None if slowest is None else round(one.noticed_after + slowest, 3),
        "planes": {part.plane.value: _plane(part.milliseconds) for part in one.planes},
        "details": {part.plane.value: part.detail for part in one.planes},
        "ended_at": one.ended_at,
        "ended_by": one.ended_by,
    }


def _plane(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)
