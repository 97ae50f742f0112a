"""Build an envelope, and sign it with as many keys as the policy wants.

`assemble` takes all that a manifest can say. `build` is for a release of one component, after three templates of
draft-ietf-suit-manifest §7: compatibility check, component download and trusted invocation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from thingstead.crypto.algorithm import REGISTRY, Kind
from thingstead.crypto.key import PrivateKey
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import mac0, sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.cose.structure import CoseTag
from thingstead.protocols.suit.authentication import Signer
from thingstead.protocols.suit.digest import Digest, digest_of_member
from thingstead.protocols.suit.envelope import SEVERABLE, Envelope
from thingstead.protocols.suit.manifest import ComponentId
from thingstead.protocols.suit.parameter import Version
from thingstead.protocols.suit.registry import (
    DEPENDENCY_PREFIX,
    CommandId,
    CommonKey,
    ComponentTextKey,
    ManifestKey,
    Member,
    ParameterId,
)
from thingstead.secret import Secret

__all__ = [
    "Commands",
    "Draft",
    "Release",
    "assemble",
    "build",
    "claims",
    "encode_commands",
    "require_own_digest",
    "sign",
]

Commands = tuple[tuple[int, Any], ...]
"""Commands with their arguments, as CBOR has them."""

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


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest that is to be made, member by member; nothing is added to what it says.

    Attributes:
        sequence_number: higher than that of every release before it.
        components: what it works on, in the order of their indices.
        dependencies: which indices are manifests, each with its prefix, or empty.
        shared: commands that run before each sequence.
        sections: command sequences by member.
        texts: by language, as CBOR has them.
        coswid: an encoded concise-swid-tag (RFC 9393), or empty.
        reference_uri: where the manifest is kept, or empty.
        component_id: of the manifest itself, or empty.
        set_version: of all that it updates, or empty.
        severed: members whose body stands in the envelope, and whose digest in the manifest.
        payloads: what travels in the envelope, by URI.
    """

    sequence_number: int
    components: tuple[ComponentId, ...] = ()
    dependencies: Mapping[int, ComponentId] = field(default_factory=dict)
    shared: Commands = ()
    sections: Mapping[Member, Commands] = field(default_factory=dict)
    texts: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    coswid: bytes = b""
    reference_uri: str = ""
    component_id: ComponentId = ()
    set_version: Version = ()
    severed: frozenset[Member] = frozenset()
    payloads: Mapping[str, bytes] = field(default_factory=dict)


def assemble(draft: Draft) -> Envelope:
    """The unsigned envelope; the same draft gives the same bytes.

    Raises:
        ValueError: a member that cannot be severed, or is not there to be severed.
    """
    bodies = {member: encode_commands(commands) for member, commands in draft.sections.items()}
    if draft.texts:
        bodies[Member.TEXT] = codec.encode(draft.texts)
    if draft.coswid:
        bodies[Member.COSWID] = draft.coswid
    if not draft.severed <= bodies.keys() & SEVERABLE:
        raise ValueError("only a severable member that is there can be severed")
    members: dict[int, Any] = {
        ManifestKey.VERSION.value: 1,
        ManifestKey.SEQUENCE_NUMBER.value: draft.sequence_number,
        ManifestKey.COMMON.value: codec.encode(_common(draft)),
    }
    for member, body in bodies.items():
        members[member.value] = _digest_array(body) if member in draft.severed else body
    if draft.reference_uri:
        members[ManifestKey.REFERENCE_URI.value] = draft.reference_uri
    if draft.component_id:
        members[ManifestKey.COMPONENT_ID.value] = list(draft.component_id)
    if draft.set_version:
        members[ManifestKey.SET_VERSION.value] = codec.encode(list(draft.set_version))
    manifest = codec.encode(members)
    digest = digest_of_member(manifest)
    severed = {member.value: bodies[member] for member in sorted(draft.severed)}
    return Envelope(digest, digest.encode(), (), manifest, severed, dict(draft.payloads))


def encode_commands(commands: Commands) -> bytes:
    """A command sequence without its byte string's head."""
    return codec.encode([item for command, argument in commands for item in (int(command), argument)])


def build(release: Release) -> Envelope:
    """The unsigned envelope; the same release gives the same bytes."""
    text = {"en": {release.component: {ComponentTextKey.COMPONENT_VERSION.value: release.version}}}
    return assemble(
        Draft(
            sequence_number=release.sequence_number,
            components=(release.component,),
            shared=_shared(release),
            sections={
                Member.INSTALL: _install(release),
                Member.VALIDATE: ((CommandId.CONDITION_IMAGE_MATCH, _REPORT_ALL),),
                Member.INVOKE: ((CommandId.INVOKE, _REPORT_FAILURE),),
            },
            texts=text,
            reference_uri=release.reference_uri,
            payloads=release.payloads,
        )
    )


def sign(envelope: Envelope, keys: Sequence[tuple[Signer, PrivateKey | Secret]]) -> Envelope:
    """Add one authentication block for each key: a signature, or a MAC under a shared one (§8.3).

    The digest is compared with the manifest first, so that nobody signs what was exchanged since.

    Raises:
        AuthenticationError: the manifest is not the one digested.
        UnsupportedError: an algorithm that is not one of its key.
    """
    require_own_digest(envelope)
    blocks = [_block(envelope.digest, signer, key) for signer, key in keys]
    return replace(envelope, signed=envelope.digest.encode(), blocks=(*envelope.blocks, *blocks))


def require_own_digest(envelope: Envelope) -> None:
    """Pass where the digest that is signed is the manifest's.

    Raises:
        AuthenticationError: the manifest is not the one digested.
    """
    envelope.digest.verify(codec.encode(envelope.manifest), what="manifest", reason="manifest-digest")


def claims(envelope: Envelope) -> tuple[Signer, ...]:
    """Whose the blocks say that they are; nothing of it is proved. A block of another kind than ours is left out.

    Raises:
        DecodeError: a block outside the grammar of COSE.
    """
    found: list[Signer] = []
    for block in envelope.blocks:
        tagged = codec.decode_deterministic(block)
        if isinstance(tagged, codec.Tag) and tagged.tag in _BLOCKS:
            headers = _BLOCKS[tagged.tag](block).headers
            number = headers.protected.get(Label.ALG)
            if number in REGISTRY and REGISTRY[number].kind in {Kind.SIGNATURE, Kind.MAC}:
                found.append(Signer(headers.kid, number))
    return tuple(found)


_BLOCKS: dict[int, Callable[[bytes], sign1.Sign1 | mac0.Mac]] = {
    CoseTag.SIGN1: sign1.decode,
    CoseTag.MAC0: mac0.decode,
}


def _block(digest: Digest, signer: Signer, key: PrivateKey | Secret) -> bytes:
    """The kid of a signer goes into the protected bucket, so that no byte of the block is left to a stranger."""
    if isinstance(key, Secret):
        return mac0.protect(digest.encode(), key, mac_id=signer.signature_id, kid=signer.kid, detached=True)
    protected = {Label.KID.value: signer.kid}
    return sign1.sign(digest.encode(), key, signature_id=signer.signature_id, protected=protected, detached=True)


def _digest_array(body: bytes) -> list[Any]:
    digest = digest_of_member(body)
    return [digest.algorithm_id, digest.value]


def _common(draft: Draft) -> dict[int, Any]:
    common: dict[int, Any] = {CommonKey.COMPONENTS.value: [list(component) for component in draft.components]}
    if draft.dependencies:
        common[CommonKey.DEPENDENCIES.value] = {
            index: {DEPENDENCY_PREFIX: list(prefix)} if prefix else {} for index, prefix in draft.dependencies.items()
        }
    if draft.shared:
        common[CommonKey.SHARED_SEQUENCE.value] = encode_commands(draft.shared)
    return common


def _shared(release: Release) -> Commands:
    parameters = {
        ParameterId.VENDOR_IDENTIFIER.value: release.vendor_id,
        ParameterId.CLASS_IDENTIFIER.value: release.class_id,
        ParameterId.IMAGE_DIGEST.value: release.image_digest.encode(),
        ParameterId.IMAGE_SIZE.value: release.image_size,
    }
    return (
        (CommandId.OVERRIDE_PARAMETERS, parameters),
        (CommandId.CONDITION_VENDOR_IDENTIFIER, _REPORT_ALL),
        (CommandId.CONDITION_CLASS_IDENTIFIER, _REPORT_ALL),
    )


def _install(release: Release) -> Commands:
    """Expiry stands here and not in the shared sequence: it must never keep an installed image from booting."""
    parameters: dict[int, Any] = {ParameterId.URI.value: release.uri}
    expiry: Commands = ()
    if release.use_before is not None:
        parameters[ParameterId.USE_BEFORE.value] = int(release.use_before.timestamp())
        expiry = ((CommandId.CONDITION_USE_BEFORE, _REPORT_ALL),)
    return (
        (CommandId.OVERRIDE_PARAMETERS, parameters),
        *expiry,
        (CommandId.FETCH, _REPORT_FAILURE),
        (CommandId.CONDITION_IMAGE_MATCH, _REPORT_ALL),
    )
