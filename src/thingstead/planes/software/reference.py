"""Reference values of the releases that were published: those that a release brought, or what its manifest says."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.planes.software.catalogue import Published
from thingstead.planes.software.release import ClassKey
from thingstead.protocols.profile import reference_values
from thingstead.protocols.profile.reference_values import ReferenceValues

__all__ = ["Reference", "reference_of"]


@dataclass(frozen=True, slots=True)
class Reference:
    """What things of a class measure when they run one release.

    Attributes:
        target: whom they are for.
        source: whose release it is.
        manifest_digest: that names the release.
        corim: as CoRIM.
    """

    target: ClassKey
    source: str
    manifest_digest: bytes
    corim: bytes

    def values(self) -> ReferenceValues:
        """Read."""
        return reference_values.decode(self.corim)


def reference_of(manifest_digest: bytes, release: Published) -> Reference:
    """The reference values of a published release; its manifest is signed, and has its image's digest."""
    corim = reference_values.encode(
        vendor_id=release.target.vendor_id,
        class_id=release.target.class_id,
        version=release.version,
        sequence_number=release.sequence_number,
        image_digest=release.image_digest,
    )
    return Reference(release.target, release.maker, manifest_digest, corim)
