"""What a release brings with it as it is kept, and one that waits for a second person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from thingstead.analysis.consequence import Consequences, read_members
from thingstead.analysis.release_diff import Side
from thingstead.crypto.digest import digest
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.release_policy import ReleasePolicy
from thingstead.errors import DecodeError, ProtocolError
from thingstead.protocols.cbor import codec

__all__ = [
    "NOTHING",
    "Bundle",
    "Carried",
    "Held",
    "Terms",
    "Waiting",
    "decode_carried",
    "decode_waiting",
    "encode_carried",
    "encode_waiting",
]

_REASONS_SIZE = 16
_LIMITS = codec.Limits(max_bytes=32 << 20)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What lies beside the envelope in a release's folder.

    Attributes:
        files: by name, the statement left out.
        statement: ``statement.cose``; empty where there is none.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    statement: bytes = b""


NOTHING = Bundle()
"""An envelope and its image alone."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the owner's policy says, and who asks.

    Attributes:
        actor: who publishes, or approves.
        policy: on releases.
        crypto: on algorithms.
        allowed: MUD files that things go by now, by model.
        approves: manifest digest of a held release, where it is to be approved.
        reasons: what it is approved in spite of, as `Held.reasons` names it; empty elsewhere.
        proof: the request as whoever asks signed it, for the ledger; empty where the kernel said who they are.
    """

    actor: str
    policy: ReleasePolicy = field(default_factory=ReleasePolicy)
    crypto: CryptoPolicy = field(default_factory=CryptoPolicy)
    allowed: Mapping[str, bytes] = field(default_factory=dict)
    approves: bytes = b""
    reasons: str = ""
    proof: bytes = b""


@dataclass(frozen=True, slots=True)
class Carried:
    """What is kept of a release that was published, or waits.

    Attributes:
        envelope: octets.
        image: octets.
        algorithms: COSE numbers of its signatures.
        version: for people.
        sequence_number: higher is newer.
        files: its members, payloads left out.
    """

    envelope: int
    image: int
    algorithms: tuple[int, ...]
    version: str
    sequence_number: int
    files: Mapping[str, bytes]

    def side(self, *, at: datetime) -> Side:
        """As one side of a comparison; a member that cannot be read any more says nothing."""
        try:
            said = read_members(self.files, at=at)
        except ProtocolError:
            said = Consequences()
        return Side(self.version, self.sequence_number, self.image, self.envelope, self.algorithms, said)


@dataclass(frozen=True, slots=True)
class Held:
    """A release that waits for a second person.

    Attributes:
        manifest: hexadecimal digest of its manifest: what it is approved by.
        model: of the things that it is for.
        version: for people.
        by: who brought it.
        since: when.
        because: what speaks against it.
        envelope: SHA-256 of its envelope, by which its plan is kept.
    """

    manifest: str
    model: str
    version: str
    by: str
    since: datetime
    because: tuple[str, ...]
    envelope: bytes = b""

    @property
    def reasons(self) -> str:
        """Names what speaks against it, in 16 hexadecimal digits: who approves it says what they were shown."""
        return digest(codec.encode(sorted(self.because))).hex()[:_REASONS_SIZE]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A release that waits, whole."""

    held: Held
    encoded: bytes
    image: bytes
    bundle: Bundle


def encode_carried(one: Carried) -> bytes:
    """Encode as one document."""
    return codec.encode(
        [one.envelope, one.image, list(one.algorithms), one.version, one.sequence_number, dict(one.files)]
    )


def decode_carried(document: bytes) -> Carried:
    """Read back what was written.

    Raises:
        DecodeError: not one of ours.
    """
    match codec.decode(document, limits=_LIMITS):
        case [int(size), int(image), list(numbers), str(version), int(sequence), dict(files)]:
            return Carried(size, image, tuple(numbers), version, sequence, files)
        case _:
            raise DecodeError("expected what a release brings, in the software plane's record")


def encode_waiting(one: Waiting) -> bytes:
    """Encode as one document."""
    held, bundle = one.held, one.bundle
    said = [bytes.fromhex(held.manifest), held.model, held.version, held.by, microseconds(held.since)]
    return codec.encode([*said, list(held.because), one.encoded, one.image, dict(bundle.files), bundle.statement])


def decode_waiting(document: bytes) -> Waiting:
    """Read back what was written.

    Raises:
        DecodeError: not one of ours.
    """
    match codec.decode(document, limits=_LIMITS):
        case [
            bytes(manifest),
            str(model),
            str(version),
            str(by),
            int(at),
            list(because),
            bytes(encoded),
            bytes(image),
            dict(files),
            bytes(statement),
        ]:
            held = Held(manifest.hex(), model, version, by, instant(at), tuple(because), digest(encoded))
            return Waiting(held, encoded, image, Bundle(files, statement))
        case _:
            raise DecodeError("expected a release that waits, in the software plane's record")
