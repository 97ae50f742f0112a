"""What came of a thing's evidence: its standing, every finding, and the form in which both are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.ear import result
from thingstead.protocols.ear.result import Aspect, Claim, Result, Tier

__all__ = ["Appraisal", "Finding", "Standing", "decode", "encode", "result_of"]

_FORMAT = 1
_LIMITS = codec.Limits(max_bytes=1 << 14, max_depth=6)


class Standing(StrEnum):
    """What a verifier makes of what a thing runs."""

    GOOD = "good"
    """The release that is offered to it now, or the one before."""

    OLD = "old"
    """A release that was published for it, longer ago."""

    UNKNOWN = "unknown"
    """Nothing that was published for it, and nothing else was expected: what it came with."""

    BAD = "bad"
    """Not what it should be, or no evidence that holds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an appraisal has to say.

    Attributes:
        name: a slug.
        tier: how much it counts against the thing (draft-ietf-rats-ar4si-10).
        detail: for people.
    """

    name: str
    tier: Tier
    detail: str


@dataclass(frozen=True, slots=True)
class Appraisal:
    """One appraisal of one thing.

    Attributes:
        standing: in one word.
        at: when.
        findings: all of them, the worst first.
        version: of the release that it runs; empty where none of ours is.
        sequence_number: of that release; -1 where none of ours is.
    """

    standing: Standing
    at: datetime
    findings: tuple[Finding, ...] = ()
    version: str = ""
    sequence_number: int = -1

    @property
    def passes(self) -> bool:
        """Whether it may be given what waits for evidence."""
        return self.standing in _PASSES

    def is_fresh(self, at: datetime, max_age: timedelta) -> bool:
        """Whether it counts still."""
        return timedelta(0) <= at - self.at < max_age

    def says_the_same(self, other: Appraisal | None) -> bool:
        """Whether another one differs from it in nothing but its time."""
        return other is not None and (other.standing, other.findings, other.sequence_number) == (
            self.standing,
            self.findings,
            self.sequence_number,
        )


def result_of(thing: str, appraisal: Appraisal, *, build: str) -> Result:
    """The same as an attestation result (draft-ietf-rats-ear-04).

    Of hardware it claims nothing: the evidence is a program's word.
    """
    identity = Claim.CRYPTO_FAILED if any(one.name in _UNPROVEN for one in appraisal.findings) else Claim.APPROVED
    status, executables = _VERDICTS[appraisal.standing]
    vector: Mapping[Aspect, int] = {
        Aspect.INSTANCE_IDENTITY: identity,
        Aspect.EXECUTABLES: executables,
        Aspect.HARDWARE: Claim.NO_CLAIM,
    }
    if identity is Claim.CRYPTO_FAILED:
        vector = {Aspect.INSTANCE_IDENTITY: identity}
    return Result(thing, status, appraisal.at, vector, (_POLICY,), build=build)


def encode(appraisal: Appraisal, ear: bytes) -> bytes:
    """Encode as one document, the attestation result beside it."""
    rows = [[one.name, one.tier.value, one.detail] for one in appraisal.findings]
    at = microseconds(appraisal.at)
    return codec.encode(
        [_FORMAT, appraisal.standing.value, at, rows, appraisal.version, appraisal.sequence_number, ear]
    )


def decode(document: bytes) -> Appraisal:
    """Read back what `encode` wrote.

    Raises:
        DecodeError: not one of ours.
    """
    match codec.decode(document, limits=_LIMITS):
        case [int(form), str(standing), int(at), list(rows), str(version), int(number), bytes(ear)] if (
            form == _FORMAT and standing in set(Standing)
        ):
            result.decode(ear)
            return Appraisal(Standing(standing), instant(at), tuple(map(_finding, rows)), version, number)
        case _:
            raise DecodeError(f"expected an appraisal of format {_FORMAT}")


def _finding(row: Any) -> Finding:
    match row:
        case [str(name), int(tier), str(detail)] if tier in {one.value for one in Tier}:
            return Finding(name, Tier(tier), detail)
        case _:
            raise DecodeError("expected a finding of an appraisal")


_PASSES = frozenset({Standing.GOOD, Standing.OLD})
_UNPROVEN = frozenset({"evidence", "no-evidence"})
_POLICY = "tag:thingstead.example,2026:appraisal#1"
_VERDICTS: Mapping[Standing, tuple[Tier, Claim]] = {
    Standing.GOOD: (Tier.AFFIRMING, Claim.APPROVED_BOOT),
    Standing.OLD: (Tier.WARNING, Claim.KNOWN_UNSAFE),
    Standing.UNKNOWN: (Tier.WARNING, Claim.UNRECOGNIZED),
    Standing.BAD: (Tier.CONTRAINDICATED, Claim.CONTRAINDICATED),
}
"""Status by our policy, and what it says of the executables."""
