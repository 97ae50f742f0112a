"""What is kept of fleets on their way to other update keys: what the owner decided, and what each thing said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.cbor import codec

__all__ = ["Campaign", "Reached", "decode_campaign", "decode_reached", "encode_campaign", "encode_reached"]

_LIMITS = codec.Limits(max_bytes=1 << 18, max_depth=4)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a thing has walked, by its own word.

    Attributes:
        step: number of its update keys; None where they are none of its source's.
        verifies: COSE algorithms of signatures that it verifies; None where it said nothing.
        at: when it said so.
    """

    step: int | None
    verifies: frozenset[int] | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Campaign:
    """What the owner decided about a maker's keys.

    Attributes:
        origin: digest of the maker's first keys here; another anchor put there by hand ends the campaign.
        steps: taken so far, of all campaigns of this maker.
        until: last day on which the word of the keys that go counts.
        leaving: things that the owner named as left behind.
        at: of the last step.
    """

    origin: bytes
    steps: tuple[bytes, ...]
    until: date | None
    leaving: frozenset[ThingId]
    at: datetime


def encode_campaign(campaign: Campaign) -> bytes:
    """As one document."""
    until = None if campaign.until is None else campaign.until.isoformat()
    left = sorted(campaign.leaving)
    return codec.encode([campaign.origin, list(campaign.steps), until, left, microseconds(campaign.at)])


def decode_campaign(document: bytes) -> Campaign:
    """Read back what `encode_campaign` wrote.

    Raises:
        DecodeError: damaged.
    """
    match codec.decode(document, limits=_LIMITS):
        case [bytes(origin), list(steps), str() | None as until, list(left), int(at)] if all(
            isinstance(one, bytes) for one in steps
        ) and all(isinstance(one, str) for one in left):
            return Campaign(origin, tuple(steps), _day(until), frozenset(map(thing_id, left)), instant(at))
        case _:
            raise DecodeError("expected a campaign of update keys")


def encode_reached(said: Reached) -> bytes:
    """As one document."""
    verifies: Any = None if said.verifies is None else sorted(said.verifies)
    return codec.encode([said.step, verifies, microseconds(said.at)])


def decode_reached(document: bytes) -> Reached:
    """Read back what `encode_reached` wrote.

    Raises:
        DecodeError: damaged.
    """
    match codec.decode(document, limits=_LIMITS):
        case [int() | None as step, list() | None as verifies, int(at)]:
            return Reached(step, None if verifies is None else frozenset(verifies), instant(at))
        case _:
            raise DecodeError("expected what a thing said of its update keys")


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise DecodeError("expected a day in a campaign of update keys") from None
