"""What every check of a release came to (R-84).

A result is deterministic CBOR; the ledger entry of the publication, the hold or the refusal holds its SHA-256, and
`domain.vouched` proves it to others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime
from enum import StrEnum

from thingstead.crypto.key import PublicKey
from thingstead.domain import vouched
from thingstead.domain.check import Check, Outcome, decode_basis, decode_checks, encode_checks
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

__all__ = ["Result", "SignedResult", "Verdict", "authenticate", "decode", "encode"]

_FORMAT = 1
_LIMITS = codec.Limits(max_bytes=1 << 19, max_depth=4)
_DIGEST_SIZES = range(32, 65)
_KINDS = frozenset({Kind.RELEASE, Kind.REFUSAL})
_SEAL = object()


class Verdict(StrEnum):
    """What became of the release; who lets a held one through is in the ledger entry."""

    PUBLISHED = "published"
    HELD = "held"
    REFUSED = "refused"


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
        if not _agrees(self.verdict, outcomes):
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
            encode_checks(result.checks),
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
            read, judged = decode_checks(checks), decode_basis(basis)
            said = _verdict(verdict)
            return Result(manifest, image, maker, model, named, number, is_first, instant(at), said, read, judged)
        case _:
            raise DecodeError(f"expected a release's result of format {_FORMAT}", reason="result")


def authenticate(data: bytes, public: PublicKey) -> SignedResult:
    """Verify the file under the ledger's key; errors as for `vouched.authenticate`, and as for `decode`."""
    proved = vouched.authenticate(data, public, kinds=_KINDS)
    return SignedResult(decode(proved.document), proved.entry, _SEAL)


def _agrees(verdict: Verdict, outcomes: set[Outcome]) -> bool:
    if verdict is Verdict.REFUSED:
        return Outcome.REFUSED in outcomes
    if verdict is Verdict.HELD:
        return Outcome.HELD in outcomes and Outcome.REFUSED not in outcomes
    return bool(outcomes) and not outcomes & {Outcome.REFUSED, Outcome.FAILED, Outcome.NOT_RUN}


def _require_bounds(manifest: bytes, image: bytes, number: int) -> None:
    if len(manifest) not in _DIGEST_SIZES or len(image) not in _DIGEST_SIZES or number < 0:
        raise DecodeError("expected digests and a sequence number in a result", reason="result")


def _verdict(value: str) -> Verdict:
    try:
        return Verdict(value)
    except ValueError:
        raise DecodeError(f"expected a verdict, got {value[:40]!r}", reason="result") from None
