"""How far a release has come: each thing of its class is somewhere between offered and installed, or refused it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from thingstead.identifier import ThingId
from thingstead.planes.software.catalogue import Published
from thingstead.planes.software.software_record import SoftwareRecord

__all__ = ["Campaign", "Progress", "campaign"]


@dataclass(frozen=True, slots=True)
class Campaign:
    """One release and its things.

    Attributes:
        maker: who signed it.
        model: whom it is for.
        version: for people.
        sequence_number: higher is newer.
        published_at: when it was first offered.
        things: of the class, as many as may update now.
        offered: that got the envelope; since the controller's start, or by their report.
        fetched: that asked for the image; likewise.
        installed: that run it, by their report.
        refused: that would not install it, by their report, and do not run it.
    """

    maker: str
    model: str
    version: str
    sequence_number: int
    published_at: datetime
    things: int
    offered: int
    fetched: int
    installed: int
    refused: int


@dataclass(slots=True)
class Progress:
    """Who was given what since the start of the controller; kept in memory, for a poll must not cost a write."""

    offered: set[ThingId] = field(default_factory=set)
    fetched: set[ThingId] = field(default_factory=set)


def campaign(
    digest: bytes, release: Published, progress: Progress, *, things: int, records: Mapping[ThingId, SoftwareRecord]
) -> Campaign:
    """Count.

    Args:
        digest: of the release's manifest.
        release: what it is.
        progress: of the same release.
        things: of the class, that may update now.
        records: what each thing reported.
    """
    installed = {thing for thing, record in records.items() if record.manifest_digest == digest}
    refused = {thing for thing, record in records.items() if record.refused(digest)} - installed
    return Campaign(
        release.maker,
        release.model,
        release.version,
        release.sequence_number,
        release.published_at,
        things,
        offered=len(progress.offered | installed | refused),
        fetched=len(progress.fetched | installed),
        installed=len(installed),
        refused=len(refused),
    )
