"""What is kept of a response: whom an alarm cut off, how long each plane took, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from thingstead.crypto.digest import digest
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.plane import PlaneName
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.cbor import codec

__all__ = ["PlaneTime", "Response", "decode", "encode", "response_id"]


@dataclass(frozen=True, slots=True)
class PlaneTime:
    """One plane's part.

    Attributes:
        plane: whose.
        milliseconds: from the decision to its receipt; None where it still owes one.
        detail: its receipt in a line, or why there is none.
    """

    plane: PlaneName
    milliseconds: float | None
    detail: str


@dataclass(frozen=True, slots=True)
class Response:
    """A thing cut off for an alarm.

    Attributes:
        id: what it is undone by.
        thing: whom it cut off.
        zone: where that was then.
        detector: whose word it was.
        explanation: in a sentence.
        first: of the packets that were told of; the clock of who saw them.
        at: when it was decided.
        before: what was held against the thing until then; undoing leads back to that.
        planes: each plane's part; empty while they are being asked.
        ended_at: when the thing was let go, or went; None while it is cut off.
        ended_by: who did that.
    """

    id: str
    thing: ThingId
    zone: str
    detector: str
    explanation: str
    first: datetime
    at: datetime
    before: Restriction
    planes: tuple[PlaneTime, ...] = ()
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the thing is still cut off by it."""
        return self.ended_at is None

    @property
    def noticed_after(self) -> float:
        """Milliseconds from the first bad packet to the decision; 0 where the two clocks disagree about their order."""
        return max(0.0, (self.at - self.first).total_seconds() * 1000)


def response_id(thing: ThingId, at: datetime) -> str:
    """A short name for it; one thing is cut off once in an instant."""
    return digest(codec.encode([thing, microseconds(at)])).hex()[:12]


def encode(response: Response) -> bytes:
    """One document of a plane's record."""
    planes = [[one.plane.value, _micro(one.milliseconds), one.detail] for one in response.planes]
    ended = None if response.ended_at is None else microseconds(response.ended_at)
    times = [microseconds(response.first), microseconds(response.at), ended]
    words = [response.thing, response.zone, response.detector, response.explanation, response.ended_by]
    return codec.encode([response.id, words, times, response.before.value, planes])


def decode(document: bytes) -> Response:
    """Read back what `encode` gave.

    Raises:
        DecodeError: anything else.
    """
    match codec.decode(document):
        case [
            str(identifier),
            [str(thing), str(zone), str(detector), str(explanation), str(by)],
            [int(first), int(at), int() | None as ended],
            str(before),
            list(planes),
        ]:
            times = (instant(first), instant(at))
            end = None if ended is None else instant(ended)
            try:
                restriction, parts = Restriction(before), tuple([_plane(one) for one in planes])
            except ValueError as error:
                raise DecodeError(f"expected a response: {error}") from None
            named = thing_id(thing)
            return Response(identifier, named, zone, detector, explanation, *times, restriction, parts, end, by)
        case _:
            raise DecodeError("expected a response: its name, words, times, restriction and planes")


def _plane(part: object) -> PlaneTime:
    match part:
        case [str(plane), int() | None as micro, str(detail)]:
            return PlaneTime(PlaneName(plane), None if micro is None else micro / 1000, detail)
        case _:
            raise DecodeError("expected a plane of a response: its name, microseconds and a line")


def _micro(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds * 1000)
