"""Reference values that follow from a release file: what its things measure once they run it (RFC 9334 §8.3)."""

from __future__ import annotations

from collections.abc import Sequence

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import DecodeError
from thingstead.phases.authoring.template import Component, Identity
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import reference_values
from thingstead.protocols.profile.attestation import component_name
from thingstead.protocols.profile.release import FIRMWARE, STAGING
from thingstead.protocols.suit.digest import decode_digest
from thingstead.protocols.suit.manifest import Content
from thingstead.protocols.suit.registry import ParameterId

__all__ = ["reference_of"]


def reference_of(content: Content, components: Sequence[Component], identity: Identity) -> bytes:
    """The CoRIM of a release of whole images; empty where what a thing measures does not follow from its file.

    It does not for other vendors or classes than one, for components without SHA-256 of what is installed, or with one
    image for each of several places.
    """
    digests: dict[str, bytes] = {}
    for component in components:
        if component.path == STAGING:
            continue
        encoded = component.image.get(ParameterId.IMAGE_DIGEST.value)
        if component.slots or encoded is None:
            return b""
        digest = decode_digest(codec.decode(encoded))
        if digest.algorithm_id != AlgorithmId.SHA_256:
            return b""
        digests[component_name(component.path)] = digest.value
    if not digests or not isinstance(identity.vendor, bytes) or identity.class_id is None:
        return b""
    try:
        return reference_values.encode(
            vendor_id=identity.vendor,
            class_id=identity.class_id,
            version=content.version_of(FIRMWARE),
            sequence_number=content.sequence_number,
            components=digests,
        )
    except DecodeError:
        # Identifiers of no 16 bytes: it is for things of others, whose verifier wants values of another form.
        return b""
