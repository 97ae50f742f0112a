"""Build an envelope from a release of one component, and sign it with as many keys as the policy wants.

The manifest follows three templates of draft-ietf-suit-manifest §7: compatibility check, component
download and trusted invocation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from thingstead.crypto.key import PrivateKey
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import mac0, sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.suit.authentication import Signer
from thingstead.protocols.suit.digest import Digest, digest_of_member
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.manifest import ComponentId
from thingstead.protocols.suit.registry import CommandId, CommonKey, ManifestKey, Member, ParameterId, TextKey
from thingstead.secret import Secret

__all__ = ["Release", "build", "sign"]

_REPORT_ALL = 15
_REPORT_FAILURE = 2
_UUID_SIZE = 16


@dataclass(frozen=True, slots=True)
class Release:
    """One image for one component of one class of things.

    Attributes:
        component: path of the component, each segment in bytes.
        vendor_id: see `identifier.vendor_identifier`.
        class_id: see `identifier.class_identifier`.
        sequence_number: higher than that of every release before it.
        version: for people.
        image_digest: of the image.
        image_size: in bytes.
        uri: where the image is fetched, or the key of an integrated payload.
        use_before: from then on the release is not installed any more; an installed one stays bootable.
        reference_uri: where this manifest is kept, or empty.
        payloads: images that travel in the envelope, by URI.
    """

    component: ComponentId
    vendor_id: bytes
    class_id: bytes
    sequence_number: int
    version: str
    image_digest: Digest
    image_size: int
    uri: str
    use_before: datetime | None = None
    reference_uri: str = ""
    payloads: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.vendor_id) != _UUID_SIZE or len(self.class_id) != _UUID_SIZE:
            raise ValueError("vendor and class identifiers have 16 bytes")
        if self.sequence_number < 0 or self.image_size < 0 or not self.component:
            raise ValueError("a release has a component, and neither number is negative")


def build(release: Release) -> Envelope:
    """The unsigned envelope; the same release gives the same bytes."""
    manifest = codec.encode(_manifest(release))
    digest = digest_of_member(manifest)
    return Envelope(digest, digest.encode(), (), manifest, {}, dict(release.payloads))


def sign(envelope: Envelope, keys: Sequence[tuple[Signer, PrivateKey | Secret]]) -> Envelope:
    """Add one authentication block for each key: a signature, or a MAC under a shared one (§8.3).

    The digest is compared with the manifest first, so that nobody signs what was exchanged since.

    Raises:
        AuthenticationError: the manifest is not the one digested.
        UnsupportedError: an algorithm that is not one of its key.
    """
    envelope.digest.verify(codec.encode(envelope.manifest), what="manifest", reason="manifest-digest")
    blocks = [_block(envelope.digest, signer, key) for signer, key in keys]
    return replace(envelope, signed=envelope.digest.encode(), blocks=(*envelope.blocks, *blocks))


def _block(digest: Digest, signer: Signer, key: PrivateKey | Secret) -> bytes:
    """The kid of a signer goes into the protected bucket, so that no byte of the block is left to a stranger."""
    if isinstance(key, Secret):
        return mac0.protect(digest.encode(), key, mac_id=signer.signature_id, kid=signer.kid, detached=True)
    protected = {Label.KID.value: signer.kid}
    return sign1.sign(digest.encode(), key, signature_id=signer.signature_id, protected=protected, detached=True)


def _manifest(release: Release) -> dict[int, Any]:
    members: dict[int, Any] = {
        ManifestKey.VERSION.value: 1,
        ManifestKey.SEQUENCE_NUMBER.value: release.sequence_number,
        ManifestKey.COMMON.value: codec.encode(_common(release)),
        Member.INSTALL.value: codec.encode(_install(release)),
        Member.VALIDATE.value: codec.encode(_commands((CommandId.CONDITION_IMAGE_MATCH, _REPORT_ALL))),
        Member.INVOKE.value: codec.encode(_commands((CommandId.INVOKE, _REPORT_FAILURE))),
        Member.TEXT.value: codec.encode(
            {"en": {release.component: {TextKey.COMPONENT_VERSION.value: release.version}}}
        ),
    }
    if release.reference_uri:
        members[ManifestKey.REFERENCE_URI.value] = release.reference_uri
    return members


def _common(release: Release) -> dict[int, Any]:
    parameters = {
        ParameterId.VENDOR_IDENTIFIER.value: release.vendor_id,
        ParameterId.CLASS_IDENTIFIER.value: release.class_id,
        ParameterId.IMAGE_DIGEST.value: release.image_digest.encode(),
        ParameterId.IMAGE_SIZE.value: release.image_size,
    }
    shared = _commands(
        (CommandId.OVERRIDE_PARAMETERS, parameters),
        (CommandId.CONDITION_VENDOR_IDENTIFIER, _REPORT_ALL),
        (CommandId.CONDITION_CLASS_IDENTIFIER, _REPORT_ALL),
    )
    return {
        CommonKey.COMPONENTS.value: [list(release.component)],
        CommonKey.SHARED_SEQUENCE.value: codec.encode(shared),
    }


def _install(release: Release) -> list[Any]:
    """Expiry stands here and not in the shared sequence: it must never keep an installed image from booting."""
    parameters: dict[int, Any] = {ParameterId.URI.value: release.uri}
    expiry: tuple[tuple[CommandId, Any], ...] = ()
    if release.use_before is not None:
        parameters[ParameterId.USE_BEFORE.value] = int(release.use_before.timestamp())
        expiry = ((CommandId.CONDITION_USE_BEFORE, _REPORT_ALL),)
    return _commands(
        (CommandId.OVERRIDE_PARAMETERS, parameters),
        *expiry,
        (CommandId.FETCH, _REPORT_FAILURE),
        (CommandId.CONDITION_IMAGE_MATCH, _REPORT_ALL),
    )


def _commands(*commands: tuple[CommandId, Any]) -> list[Any]:
    return [item for command, argument in commands for item in (command.value, argument)]
