"""What every check of a release came to, and the ledger's signature on it (R-84).

A result is deterministic CBOR; the ledger entry of the publication, the hold or the refusal holds its SHA-256. The file
for others, ``[format, result, entry, receipt]``, proves it with the ledger's public key alone: the receipt (RFC 9942)
is signed over a tree with that entry. So no key signs anything new, also where the plane has none in its process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from typing import Any

from thingstead.crypto.digest import digest
from thingstead.crypto.key import PublicKey
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.domain.ledger.head import ACCEPTED
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.receipts import receipt

__all__ = [
    "RESULT",
    "Check",
    "Outcome",
    "Result",
    "SignedResult",
    "Verdict",
    "authenticate",
    "decode",
    "enclose",
    "encode",
]

RESULT = "result"
"""Name of the digest among the details of a ledger entry."""

_FORMAT = 1
_LIMITS = codec.Limits(max_bytes=1 << 19, max_depth=4)
_FILE_LIMITS = codec.Limits(max_bytes=1 << 21, max_depth=2)
_MAX_CHECKS, _MAX_SAYINGS, _MAX_SAID, _MAX_BASIS, _MAX_TEXT = 32, 32, 300, 16, 200
_DIGEST_SIZES = range(32, 65)
_KINDS = frozenset({Kind.RELEASE, Kind.REFUSAL})
_SEAL = object()


class Outcome(StrEnum):
    """What one check came to."""

    PASSED = "passed"
    ALLOWED = "allowed"
    HELD = "held"
    REFUSED = "refused"
    NOT_APPLICABLE = "not applicable"
    NOT_RUN = "not run"


class Verdict(StrEnum):
    """What became of the release; who lets a held one through is in the ledger entry."""

    PUBLISHED = "published"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: of the check, or of the owner's concern.
        outcome: by the owner's policy, where that has a say.
        said: what was found, each with its place.
    """

    name: str
    outcome: Outcome
    said: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, outcome: Outcome, said: Iterable[str]) -> Check:
        """As much of what was found as a result has room for."""
        return cls(name, outcome, tuple([one[:_MAX_SAID] for one in islice(said, _MAX_SAYINGS)]))


@dataclass(frozen=True, slots=True)
class Result:
    """What every check of one release came to.

    Attributes:
        manifest: digest of its manifest, which names it.
        image: SHA-256 of what was looked through.
        maker: whose release it is.
        model: of the things that it is for.
        version: for people.
        sequence_number: higher is newer.
        is_first: no release for this type of thing came before it.
        at: when.
        verdict: what became of it.
        checks: in the order in which they are made.
        basis: versions of what was judged by.
    """

    manifest: bytes
    image: bytes
    maker: str
    model: str
    version: str
    sequence_number: int
    is_first: bool
    at: datetime
    verdict: Verdict
    checks: tuple[Check, ...]
    basis: Mapping[str, str]

    def __post_init__(self) -> None:
        outcomes = {one.outcome for one in self.checks}
        if len({one.name for one in self.checks}) != len(self.checks) or not _agrees(self.verdict, outcomes):
            raise DecodeError(f"expected checks that come to {self.verdict}", reason="result")


@dataclass(frozen=True, slots=True)
class SignedResult:
    """A result that the ledger's key vouches for; made by `authenticate` and by nothing else.

    Attributes:
        result: what the checks came to.
        entry: where the domain recorded it, with who brought or approved the release.
    """

    result: Result
    entry: Entry
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a SignedResult is made by release_result.authenticate")


def encode(result: Result) -> bytes:
    """The document of which the ledger holds the digest."""
    return codec.encode(
        [
            _FORMAT,
            result.manifest,
            result.image,
            [result.maker, result.model, result.version],
            result.sequence_number,
            result.is_first,
            microseconds(result.at),
            result.verdict.value,
            [[one.name, one.outcome.value, list(one.said)] for one in result.checks],
            dict(result.basis),
        ]
    )


def decode(data: bytes) -> Result:
    """Read a result and prove nothing.

    Raises:
        DecodeError: not one, not in deterministic encoding, or with a verdict that its checks do not come to.
    """
    match codec.decode_deterministic(data, limits=_LIMITS):
        case [
            int(version),
            bytes(manifest),
            bytes(image),
            [str(maker), str(model), str(named)],
            int(number),
            bool(is_first),
            at,
            str(verdict),
            list(checks),
            dict(basis),
        ] if type(version) is int and version == _FORMAT and type(number) is int:
            _require_bounds(manifest, image, number)
            read = tuple([_check(one) for one in _few(checks, _MAX_CHECKS)])
            said = _verdict(verdict)
            return Result(
                manifest, image, maker, model, named, number, is_first, instant(at), said, read, _basis(basis)
            )
        case _:
            raise DecodeError(f"expected a release's result of format {_FORMAT}", reason="result")


def enclose(result: bytes, entry: bytes, inclusion: bytes) -> bytes:
    """The file for others.

    Args:
        result: as `encode` gave it.
        entry: the leaf of the ledger that holds its digest.
        inclusion: receipt that the leaf is in the ledger.
    """
    return codec.encode([_FORMAT, result, entry, inclusion])


def authenticate(data: bytes, public: PublicKey) -> SignedResult:
    """Verify the file under the ledger's key (RFC 9942 §5.2.1).

    Raises:
        DecodeError: not such a file, or a part of it that is none.
        UnsupportedError: a receipt of another tree or algorithm.
        AuthenticationError: another ledger's, or an entry that is not in it.
        UntrustedError: an entry about something else than this result ("entry").
    """
    match codec.decode_deterministic(data, limits=_FILE_LIMITS):
        case [int(version), bytes(encoded), bytes(bytes_), bytes(inclusion)] if (
            type(version) is int and version == _FORMAT
        ):
            receipt.authenticate(inclusion, bytes_, public=public, accept=ACCEPTED)
        case _:
            raise DecodeError(f"expected a signed result of format {_FORMAT}", reason="result")
    entry = leaf.decode(bytes_)
    if entry.kind not in _KINDS or entry.details.get(RESULT) != digest(encoded):
        raise UntrustedError("expected the ledger entry that was made of this result", reason="entry")
    return SignedResult(decode(encoded), entry, _SEAL)


def _agrees(verdict: Verdict, outcomes: set[Outcome]) -> bool:
    if verdict is Verdict.REFUSED:
        return Outcome.REFUSED in outcomes
    if verdict is Verdict.HELD:
        return Outcome.HELD in outcomes and Outcome.REFUSED not in outcomes
    return bool(outcomes) and not outcomes & {Outcome.REFUSED, Outcome.NOT_RUN}


def _require_bounds(manifest: bytes, image: bytes, number: int) -> None:
    if len(manifest) not in _DIGEST_SIZES or len(image) not in _DIGEST_SIZES or number < 0:
        raise DecodeError("expected digests and a sequence number in a result", reason="result")


def _few(items: list[Any], most: int) -> list[Any]:
    if len(items) > most:
        raise DecodeError(f"expected at most {most} in a list of a result, got {len(items)}", reason="result")
    return items


def _check(value: Any) -> Check:
    match value:
        case [str(name), str(outcome), list(said)] if len(name) <= _MAX_TEXT and outcome in set(Outcome):
            if all(isinstance(one, str) and len(one) <= _MAX_SAID for one in _few(said, _MAX_SAYINGS)):
                return Check(name, Outcome(outcome), tuple(said))
    raise DecodeError("expected checks of a name, an outcome and what was found", reason="result")


def _verdict(value: str) -> Verdict:
    try:
        return Verdict(value)
    except ValueError:
        raise DecodeError(f"expected a verdict, got {value[:40]!r}", reason="result") from None


def _basis(value: dict[Any, Any]) -> Mapping[str, str]:
    rows = [text for row in value.items() for text in row]
    if len(value) > _MAX_BASIS or not all(isinstance(text, str) and len(text) <= _MAX_TEXT for text in rows):
        raise DecodeError(f"expected at most {_MAX_BASIS} versions in a result", reason="result")
    return MappingProxyType(value)
