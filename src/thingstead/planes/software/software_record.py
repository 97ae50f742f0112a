"""The software plane's sub-record of a thing: what it says it runs, and what it said it refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.registry import Reason

__all__ = ["SoftwareRecord", "decode", "encode"]


@dataclass(frozen=True, slots=True)
class SoftwareRecord:
    """By the thing's own reports; no evidence yet (RFC 9334 would be).

    Attributes:
        sequence_number: of the installed release; -1 before the first report.
        version: of it, for people.
        manifest_digest: of its manifest, 32 bytes or more; empty before the first report.
        image_digest: of what runs, as the thing measured it.
        installed_at: when the report came; None before the first.
        refusals: (manifest digest, reason) of each release that it would not install, each once.
    """

    sequence_number: int = -1
    version: str = ""
    manifest_digest: bytes = b""
    image_digest: bytes = b""
    installed_at: datetime | None = None
    refusals: tuple[tuple[bytes, Reason], ...] = ()

    def refuse(self, manifest_digest: bytes, reason: Reason) -> SoftwareRecord:
        """With one more refusal; the same record if it is known."""
        row = (manifest_digest, reason)
        return self if row in self.refusals else replace(self, refusals=(*self.refusals, row))

    def refused(self, manifest_digest: bytes) -> bool:
        """Whether the thing said that it will not install a release."""
        return any(digest == manifest_digest for digest, _ in self.refusals)


def encode(record: SoftwareRecord) -> bytes:
    """Encode as one document."""
    return codec.encode(
        [
            record.sequence_number,
            record.version,
            record.manifest_digest,
            record.image_digest,
            None if record.installed_at is None else microseconds(record.installed_at),
            [[digest, reason.value] for digest, reason in record.refusals],
        ]
    )


def decode(document: bytes) -> SoftwareRecord:
    """Read back what `encode` wrote.

    Raises:
        DecodeError: not one of ours.
    """
    match codec.decode(document):
        case [int(number), str(version), bytes(manifest), bytes(image), int() | None as at, list(rows)]:
            installed_at = None if at is None else instant(at)
            return SoftwareRecord(number, version, manifest, image, installed_at, tuple([_row(row) for row in rows]))
        case _:
            raise DecodeError("expected a thing's record of the software plane")


def _row(value: Any) -> tuple[bytes, Reason]:
    match value:
        case [bytes(digest), int(reason)] if reason in set(Reason):
            return digest, Reason(reason)
        case _:
            raise DecodeError("expected a refusal in a thing's record of the software plane")
