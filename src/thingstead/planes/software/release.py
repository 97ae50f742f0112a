"""A release as the domain takes it: authentic under its maker's anchor, and rehearsed as a thing would install it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime
from typing import Any

from thingstead.crypto.judgement import Quantum
from thingstead.crypto.lifetime import judgement, name_of
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import (
    PolicyError,
    SecurityError,
    UntrustedError,
)
from thingstead.planes.software import rehearsal
from thingstead.protocols.coap.block import entity_tag
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import authentication, envelope
from thingstead.protocols.suit.authentication import AuthenticatedEnvelope
from thingstead.protocols.suit.command import Sequence
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.manifest import Content, Manifest, decode_manifest, open_manifest
from thingstead.protocols.suit.processor import Processor
from thingstead.protocols.suit.registry import CommandId, Member, ParameterId
from thingstead.protocols.suit.step import Limits, Recipient

__all__ = ["ClassKey", "Line", "Release", "open_release"]

_LIMITS = Limits(max_image_bytes=profile.MAX_IMAGE_SIZE)
_SEAL = object()
_SETS = frozenset({CommandId.SET_PARAMETERS, CommandId.OVERRIDE_PARAMETERS})


@dataclass(frozen=True, slots=True)
class ClassKey:
    """Whom a release is for: vendor and class identifier of 16 bytes each (RFC 9124 §4.5)."""

    vendor_id: bytes
    class_id: bytes

    def __str__(self) -> str:
        return f"{self.vendor_id.hex()}{self.class_id.hex()}"


@dataclass(frozen=True, slots=True)
class Line:
    """Releases that follow each other.

    Attributes:
        target: whom they are for.
        source: name of the anchor whose release keys sign them: the maker's, or that of who took its part (RFC 8576
            §5.5).
    """

    target: ClassKey
    source: str


@dataclass(frozen=True, slots=True)
class Release:
    """A release that a thing of its class would install; made by `open_release` and by nothing else.

    Attributes:
        manifest: signed by every release key of its source.
        encoded: the envelope as it came, and as it goes out.
        image: what is fetched: the image, or its ciphertext.
        further: what else is fetched, by file name; empty where the release has one image.
        line: whom it is for, and whose it is.
        use_before: from then on no thing installs it; None for never.
        etag: names the envelope to those who have it (RFC 7252 §5.10.6).
        installed: SHA-256 of the firmware of who has installed it.
    """

    manifest: Manifest
    encoded: bytes
    image: bytes
    further: Mapping[str, bytes]
    line: Line
    use_before: datetime | None
    etag: bytes
    installed: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a Release is made by release.open_release")

    @property
    def sequence_number(self) -> int:
        """Higher is newer."""
        return self.manifest.content.sequence_number

    @property
    def is_post_quantum(self) -> bool:
        """Whether a signature that counts is by an algorithm that a quantum computer does not undo."""
        signers = self.manifest.authenticated.signers
        return any(judgement(name_of(one.signature_id)).quantum is Quantum.RESISTANT for one in signers)

    @property
    def version(self) -> str:
        """For people; empty when the maker gave none."""
        return self.manifest.content.version_of(profile.FIRMWARE)


def open_release(
    encoded: bytes,
    image: bytes,
    *,
    files: Mapping[str, bytes],
    sources: Callable[[ClassKey], Iterable[TrustAnchor]],
    newest: Callable[[Line], int],
    at: datetime,
) -> Release:
    """Authenticate an envelope and let a thing of its class install it on paper.

    The rehearsal runs the same manifest processor as things do, so that what they would refuse is refused here.

    Args:
        encoded: the envelope.
        image: what it is about.
        files: what lies beside it, by name; those are taken up that the release fetches.
        sources: who may sign releases for a class; the first under whose keys it holds is its source.
        newest: sequence number of the release before this one, -1 for none.
        at: now.

    Raises:
        UntrustedError: for things that nobody may sign releases for ("vendor"), or not signed by each release key of
            one who may ("signers").
        AuthenticationError: unsigned, a signature that does not verify, or another image ("image-digest").
        ReplayError: not newer than the release before ("rollback").
        ExpiredError: past its use-before.
        PolicyError: for no single class.
        ProtocolError: not an envelope, or a manifest that things do not execute.
    """
    opened = envelope.decode(encoded)
    # A claim so far: it chooses the keys that have to prove it.
    target = _target(decode_manifest(opened))
    source, authentic = _authenticate(opened, sources(target))
    manifest, line = open_manifest(authentic), Line(target, source.maker)
    recipient = Recipient(
        vendor_ids=frozenset({target.vendor_id}),
        class_ids=frozenset({target.class_id}),
        components=rehearsal.COMPONENTS | frozenset(manifest.content.components),
        installed_sequence=newest(line),
    )
    further = _further(manifest.content, files)
    steps = Processor(manifest, recipient, at=at, limits=_LIMITS).update()
    installed = rehearsal.rehearse(steps, image, further)
    use_before, etag = _use_before(manifest.content), entity_tag(encoded)
    return Release(manifest, encoded, image, further, line, use_before, etag, installed.value, _SEAL)


def _authenticate(opened: Envelope, sources: Iterable[TrustAnchor]) -> tuple[TrustAnchor, AuthenticatedEnvelope]:
    """Whose it is; what the first source's keys say is told where none holds."""
    refusal: SecurityError = UntrustedError("expected a release of a maker whose anchor is in trust/", reason="vendor")
    for number, source in enumerate(sources):
        keys, policy = profile.authentication(source.release_keys, source.signing)
        try:
            return source, authentication.authenticate(opened, keys, policy)
        except SecurityError as error:
            refusal = refusal if number else error
    raise refusal


def _target(content: Content) -> ClassKey:
    said = _parameters(content.shared)
    match said.get(ParameterId.VENDOR_IDENTIFIER), said.get(ParameterId.CLASS_IDENTIFIER):
        case bytes(vendor_id), bytes(class_id):
            return ClassKey(vendor_id, class_id)
        case _:
            raise PolicyError("expected a release for one class of one vendor", reason="class")


def _further(content: Content, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Images beside the first that the manifest names; one that is not there the rehearsal misses."""
    sequences = (content.shared, *content.sequences.values())
    said = [command.parameters.get(ParameterId.URI) for sequence in sequences for command in sequence]
    names = [profile.image_name(uri) for uri in said if isinstance(uri, str)]
    return {name: files[name] for name in names if name and name in files}


def _use_before(content: Content) -> datetime | None:
    said = _parameters(content.shared) | _parameters(content.sequences.get(Member.INSTALL, ()))
    seconds = said.get(ParameterId.USE_BEFORE)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _parameters(sequence: Sequence) -> dict[int, Any]:
    return {
        key: value for command in sequence if command.id in _SETS for key, value in dict(command.parameters).items()
    }
