"""What is written together, and what is read at start: the messages of the store."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.domain.ledger.entry import Draft, Entry
from thingstead.domain.plane import Obligation, PlaneName
from thingstead.domain.thing import Thing

__all__ = ["Committed", "HeadRecord", "PlaneRecord", "Snapshot", "Unit"]


@dataclass(frozen=True, slots=True)
class PlaneRecord:
    """One document of one plane under its key; None erases it."""

    plane: PlaneName
    key: str
    document: bytes | None


@dataclass(frozen=True, slots=True)
class HeadRecord:
    """A signed tree head over the first `size` leaves, as its bytes."""

    size: int
    document: bytes


@dataclass(frozen=True, slots=True)
class Unit:
    """What is kept together or not at all.

    Attributes:
        things: records to write; each at version 1 if new, else exactly one above the stored version.
        records: documents of planes.
        entries: drafts for the ledger; the store numbers them in their order.
        opened: obligations that come into being.
        settled: obligations that are met, or replaced by later ones; each must be open.
        heads: signed tree heads, kept beside the leaves to narrow down where a change was made.
    """

    things: tuple[Thing, ...] = ()
    records: tuple[PlaneRecord, ...] = ()
    entries: tuple[Draft, ...] = ()
    opened: tuple[Obligation, ...] = ()
    settled: tuple[Obligation, ...] = ()
    heads: tuple[HeadRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a controller reads once at start: things, and open obligations in the order they came."""

    things: tuple[Thing, ...] = ()
    obligations: tuple[Obligation, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """A unit that is on disk, with its entries as they were numbered and the leaves that they became."""

    unit: Unit
    entries: tuple[Entry, ...]
    leaves: tuple[bytes, ...]
