"""What the security test of a type of thing came to: one thing of it, as it stands on the network (R-84).

A type is a model of a maker with what it runs. A result is deterministic CBOR; the ledger has its SHA-256, and
`domain.vouched` proves it to others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime
from enum import StrEnum

from thingstead.crypto.digest import digest
from thingstead.crypto.key import PublicKey
from thingstead.domain import vouched
from thingstead.domain.check import Check, Outcome, decode_basis, decode_checks, encode_checks
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.cbor import codec

__all__ = ["SignedTypeResult", "ThingType", "TypeResult", "Verdict", "authenticate", "decode", "encode"]

_FORMAT = 1
_LIMITS = codec.Limits(max_bytes=1 << 19, max_depth=4)
_MAX_DIGEST = 64
_NAME_SIZE = 16
_KINDS = frozenset({Kind.EXAMINATION})
_SOUND = frozenset({Outcome.PASSED, Outcome.NOT_APPLICABLE})
_SEAL = object()


class Verdict(StrEnum):
    """What all checks together came to; a type of which some could not be made is not said to have passed."""

    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class ThingType:
    """What is tested once.

    Attributes:
        maker: who makes it.
        model: the maker's word for it.
        manifest: digest of the manifest of what it runs; empty for what its factory put there.
    """

    maker: str
    model: str
    manifest: bytes = b""

    @property
    def name(self) -> str:
        """In 16 hexadecimal digits."""
        return digest(codec.encode([self.maker, self.model, self.manifest])).hex()[:_NAME_SIZE]


@dataclass(frozen=True, slots=True)
class TypeResult:
    """What each check of a type came to.

    Attributes:
        type: what was tested.
        version: of what it runs, for people; empty where nobody said.
        thing: the one of it that was tested.
        at: when the last check ended.
        checks: in the order in which they are made.
        basis: versions of what was judged by.
    """

    type: ThingType
    version: str
    thing: ThingId
    at: datetime
    checks: tuple[Check, ...]
    basis: Mapping[str, str]

    @property
    def verdict(self) -> Verdict:
        """What they come to together."""
        outcomes = {one.outcome for one in self.checks}
        if Outcome.FAILED in outcomes:
            return Verdict.FAILED
        return Verdict.PASSED if Outcome.PASSED in outcomes and outcomes <= _SOUND else Verdict.INCOMPLETE


@dataclass(frozen=True, slots=True)
class SignedTypeResult:
    """A result that the ledger's key vouches for; made by `authenticate` and by nothing else.

    Attributes:
        result: what the checks came to.
        entry: where the domain recorded it.
    """

    result: TypeResult
    entry: Entry
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a SignedTypeResult is made by type_result.authenticate")


def encode(result: TypeResult) -> bytes:
    """The document of which the ledger holds the digest."""
    subject = result.type
    return codec.encode(
        [
            _FORMAT,
            [subject.maker, subject.model, subject.manifest],
            result.version,
            result.thing,
            microseconds(result.at),
            encode_checks(result.checks),
            dict(result.basis),
        ]
    )


def decode(data: bytes) -> TypeResult:
    """Read a result and prove nothing.

    Raises:
        DecodeError: not one, or not in deterministic encoding.
    """
    match codec.decode_deterministic(data, limits=_LIMITS):
        case [
            int(format_),
            [str(maker), str(model), bytes(manifest)],
            str(version),
            str(thing),
            at,
            list(checks),
            dict(basis),
        ] if type(format_) is int and format_ == _FORMAT and len(manifest) <= _MAX_DIGEST:
            subject = ThingType(maker, model, manifest)
            return TypeResult(
                subject, version, thing_id(thing), instant(at), decode_checks(checks), decode_basis(basis)
            )
        case _:
            raise DecodeError(f"expected the result of a type's test, of format {_FORMAT}", reason="result")


def authenticate(data: bytes, public: PublicKey) -> SignedTypeResult:
    """Verify the file for others under the ledger's key; errors as for `vouched.authenticate` and `decode`."""
    proved = vouched.authenticate(data, public, kinds=_KINDS)
    return SignedTypeResult(decode(proved.document), proved.entry, _SEAL)
