"""Reference values of the releases that were published: those that a release brought, or what its manifest says."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.errors import PolicyError, UnsupportedError
from thingstead.planes.software.catalogue import Published
from thingstead.planes.software.release import ClassKey, Release
from thingstead.protocols.profile import reference_values
from thingstead.protocols.profile.attestation import FIRMWARE, State
from thingstead.protocols.profile.reference_values import MEMBER, ReferenceValues

__all__ = ["Reference", "reference_of", "require_agreement"]


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


def require_agreement(corim: bytes, release: Release) -> None:
    """Hold the reference values that a release brings against the release itself (R-22).

    Values of a profile that is not ours are for other verifiers, and say nothing here.

    Raises:
        DecodeError: not a CoRIM, or outside its profile.
        PolicyError: values of another class, another release or another image.
    """
    try:
        values = reference_values.decode(corim)
    except UnsupportedError:
        return
    target, environment = release.line.target, values.claims.environment
    state = State(target.vendor_id, target.class_id, {})
    if not values.is_for(state) or values.sequence_number != release.sequence_number:
        raise PolicyError(f"{MEMBER}: values of another class or release than {environment}"[:200], reason="reference")
    if values.digests.get(FIRMWARE) != release.installed:
        raise PolicyError(f"{MEMBER}: things that run this image would measure otherwise", reason="reference")


def reference_of(manifest_digest: bytes, release: Published, brought: bytes = b"") -> Reference:
    """The reference values of a published release: those that it brought, or what its signed manifest says.

    Args:
        manifest_digest: that names it.
        release: what is kept of it.
        brought: its CoRIM, which agreed with it when it was published; empty where it brought none.
    """
    try:
        if brought and reference_values.decode(brought):
            return Reference(release.target, release.maker, manifest_digest, brought)
    except UnsupportedError:
        pass
    corim = reference_values.encode(
        vendor_id=release.target.vendor_id,
        class_id=release.target.class_id,
        version=release.version,
        sequence_number=release.sequence_number,
        image_digest=release.image_digest,
    )
    return Reference(release.target, release.maker, manifest_digest, corim)
