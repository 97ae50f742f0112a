"""What is written together, and what is read at start: the messages of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from thingstead.domain.ledger.entry import Draft
from thingstead.domain.plane import Obligation, PlaneName
from thingstead.domain.thing import Thing

__all__ = ["PlaneRecord", "Snapshot", "Unit"]


@dataclass(frozen=True, slots=True)
class PlaneRecord:
    """One document of one plane under its key; None erases it."""

    plane: PlaneName
    key: str
    document: bytes | None


@dataclass(frozen=True, slots=True)
class Unit:
    """What is kept together or not at all.

    Attributes:
        things: records to write; each at version 1 if new, else exactly one above the stored version.
        records: documents of planes.
        entries: drafts for the ledger; the store numbers them in their order.
        opened: obligations that come into being; one that is open under the same key stays as it is.
        settled: obligations that are met, or replaced by later ones; each must be open.
    """

    things: tuple[Thing, ...] = ()
    records: tuple[PlaneRecord, ...] = ()
    entries: tuple[Draft, ...] = ()
    opened: tuple[Obligation, ...] = ()
    settled: tuple[Obligation, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a store holds, read once at start: things, plane documents, leaves in order, open obligations."""

    things: tuple[Thing, ...] = ()
    records: Mapping[PlaneName, Mapping[str, bytes]] = field(default_factory=dict)
    leaves: tuple[bytes, ...] = ()
    obligations: tuple[Obligation, ...] = ()
