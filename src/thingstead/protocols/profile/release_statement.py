"""What a release carries beside its manifest, bound to it: ``statement.cose``.

A COSE_Sign (RFC 9052 §4.1) over deterministic CBOR: the manifest's digest, and name, media type and SHA-256 of each
member of the release's folder. Whoever signed the manifest signs the statement too; things never see it, and take
their plain manifest. Without it an SBOM is anybody's word about an image that somebody else signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import AuthenticationError, DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign
from thingstead.protocols.cose.header import Label
from thingstead.protocols.suit.authentication import Anchors, AuthenticatedEnvelope, Signer
from thingstead.protocols.suit.digest import Digest, decode_digest, digest_of

__all__ = [
    "MEDIA_TYPES",
    "Member",
    "MemberName",
    "ReleaseStatement",
    "Statement",
    "decode",
    "encode",
    "member",
    "open_statement",
    "sign_statement",
]

_FORMAT = 1
_AAD = b"thingstead release statement"
_LIMITS = codec.Limits(max_bytes=1 << 17, max_items=64)
_MAX_MEMBERS = 32
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\Z")
_SEAL = object()


class MemberName(StrEnum):
    """Members that have a meaning to the domain; payload files may stand in a statement under names of their own."""

    SBOM = "sbom.cdx.json"
    REFERENCE_VALUES = "reference.corim"
    MUD = "mud.json"
    WORDS = "words.json"


MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        MemberName.SBOM: "application/vnd.cyclonedx+json",
        MemberName.REFERENCE_VALUES: "application/rim+cbor",
        MemberName.MUD: "application/mud+json",
        MemberName.WORDS: "application/json",
    }
)
"""Media type of each; a file under another name is application/octet-stream (RFC 2046 §4.5.1)."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file, as a statement names it.

    Attributes:
        media_type: what it is, in lower case without parameters.
        sha_256: digest of all of it, 32 bytes.
    """

    media_type: str
    sha_256: bytes

    def __post_init__(self) -> None:
        if not _MEDIA_TYPE.match(self.media_type) or len(self.sha_256) != 32:
            raise DecodeError("expected a media type and a SHA-256 of each member of a release", reason="statement")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement says; nothing in it is proved.

    Attributes:
        manifest_digest: of the manifest that it goes with.
        members: by file name, one folder deep.
    """

    manifest_digest: Digest
    members: Mapping[str, Member]

    def __post_init__(self) -> None:
        if len(self.members) > _MAX_MEMBERS or not all(_NAME.match(name) for name in self.members):
            raise DecodeError(
                f"expected at most {_MAX_MEMBERS} members of a release, each a plain file name", reason="statement"
            )


@dataclass(frozen=True, slots=True)
class ReleaseStatement:
    """A statement of those who signed the manifest; made by `open_statement` and by nothing else.

    Attributes:
        statement: what it says.
        signers: who signed both, as the envelope has them.
        encoded: as it came.
    """

    statement: Statement
    signers: tuple[Signer, ...]
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a ReleaseStatement is made by release_statement.open_statement")

    def verify(self, files: Mapping[str, bytes]) -> None:
        """Compare what lies in a folder with what was signed: all of it, and nothing else.

        Args:
            files: by name, without the envelope and the statement itself.

        Raises:
            UntrustedError: a file that the statement does not name, or one that it names and that is not there
                ("member").
            AuthenticationError: another content ("member-digest").
        """
        strange = sorted(files.keys() - self.statement.members.keys())
        missing = sorted(self.statement.members.keys() - files.keys())
        if strange:
            raise UntrustedError(f"expected members that the statement names, got {strange[0]!r}", reason="member")
        if missing:
            raise UntrustedError(f"expected {missing[0]}, which the statement names", reason="member")
        for name, row in self.statement.members.items():
            if digest_of(files[name]).value != row.sha_256:
                raise AuthenticationError(f"{name} is not the one that the statement names", reason="member-digest")


def member(name: str, content: bytes) -> Member:
    """The row of a file, with the media type of its name."""
    return Member(MEDIA_TYPES.get(name, "application/octet-stream"), digest_of(content).value)


def encode(statement: Statement) -> bytes:
    """What is signed: deterministic, so that several people who are apart sign the same bytes."""
    rows = {name: [row.media_type, row.sha_256] for name, row in statement.members.items()}
    digest = [statement.manifest_digest.algorithm_id, statement.manifest_digest.value]
    return codec.encode([_FORMAT, digest, rows])


def sign_statement(statement: Statement, keys: Sequence[tuple[Signer, PrivateKey]], *, signed: bytes = b"") -> bytes:
    """Sign, once for each key.

    Args:
        statement: what is said.
        keys: who signs, each under the name that it has among the release keys.
        signed: what others signed before, whose signatures stay; empty where nobody did.

    Raises:
        AuthenticationError: what others signed says something else ("statement").
        DecodeError: `signed` is not a statement.
        UnsupportedError: an algorithm that is not one of its key.
    """
    payload = encode(statement)
    if signed and sign.decode(signed, limits=_LIMITS).payload != payload:
        raise AuthenticationError("what others signed is another statement", reason="statement")
    signers = [sign.Signer(key, signer.signature_id, signer.kid) for signer, key in keys]
    if signed:
        return sign.add(signed, signers, external_aad=_AAD, limits=_LIMITS)
    return sign.sign(payload, signers, external_aad=_AAD)


def decode(data: bytes) -> Statement:
    """Read a statement and prove nothing.

    Raises:
        DecodeError: not one, or not in deterministic encoding.
        UnsupportedError: a hash that we do not have.
    """
    return _statement(sign.decode(data, limits=_LIMITS))


def open_statement(data: bytes, envelope: AuthenticatedEnvelope, anchors: Anchors) -> ReleaseStatement:
    """Verify that whoever signed a manifest also signed what is said to go with it.

    Args:
        data: ``statement.cose``.
        envelope: of the release, authenticated.
        anchors: the keys that it was authenticated under.

    Raises:
        DecodeError: not a statement, two signatures under one name, or a header that nobody signed.
        UnsupportedError: a critical header parameter, or a hash that we do not have.
        UntrustedError: a signer of the manifest did not sign the statement ("signers").
        AuthenticationError: a signature that does not verify, or the statement of another release ("statement").
    """
    message = sign.decode(data, limits=_LIMITS)
    places = _places(message)
    for signer in envelope.signers:
        key, place = anchors.get(signer.kid), places.get((signer.kid, signer.signature_id))
        if place is None or not isinstance(key, PublicKey):
            raise UntrustedError(
                f"expected a statement signed by each of the {len(envelope.signers)} who signed the manifest",
                reason="signers",
            )
        accept = frozenset({signer.signature_id})
        sign.authenticate(message, key, accept=accept, index=place, external_aad=_AAD)
    statement = _statement(message)
    if statement.manifest_digest != envelope.envelope.digest:
        raise AuthenticationError("the statement is about another manifest", reason="statement")
    return ReleaseStatement(statement, envelope.signers, data, _SEAL)


def _places(message: sign.Sign) -> dict[tuple[bytes, Any], int]:
    if message.headers.encoded or message.headers.unprotected:
        raise DecodeError("expected a statement without headers of its own", reason="statement")
    places: dict[tuple[bytes, Any], int] = {}
    for index, one in enumerate(message.signatures):
        name = (one.headers.kid, one.headers.protected.get(Label.ALG))
        if name in places or not one.headers.unprotected.keys() <= {Label.KID}:
            raise DecodeError("expected one signature of each, and no header beside its kid", reason="statement")
        places[name] = index
    return places


def _statement(message: sign.Sign) -> Statement:
    if message.payload is None:
        raise DecodeError("expected a statement that carries what it says", reason="statement")
    match codec.decode_deterministic(message.payload, limits=_LIMITS):
        case [int(version), list(digest), dict(rows)] if type(version) is int and version == _FORMAT:
            return Statement(decode_digest(digest), MappingProxyType({_named(k): _row(v) for k, v in rows.items()}))
        case _:
            raise DecodeError(f"expected a release statement of format {_FORMAT}", reason="statement")


def _named(name: Any) -> str:
    if not isinstance(name, str):
        raise DecodeError("expected names of members", reason="statement")
    return name


def _row(value: Any) -> Member:
    match value:
        case [str(media_type), bytes(sha_256)]:
            return Member(media_type, sha_256)
        case _:
            raise DecodeError("expected a media type and a SHA-256 of each member of a release", reason="statement")
