"""A release on its way out of the domain, to whoever may have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from thingstead.planes.software.release import Release

__all__ = ["Offer", "offer_of"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A release as it goes out; attributes as in `Release`, the digest of its manifest, and the maker's word for it."""

    version: str
    sequence_number: int
    encoded: bytes
    image: bytes
    etag: bytes
    use_before: datetime | None
    manifest_digest: bytes
    model: str = ""
    further: Mapping[str, bytes] = field(default_factory=dict)


def offer_of(release: Release, model: str = "") -> Offer:
    """What goes out of a release for things of a model."""
    return Offer(
        release.version,
        release.sequence_number,
        release.encoded,
        release.image,
        release.etag,
        release.use_before,
        release.manifest.digest.value,
        model,
        release.further,
    )
