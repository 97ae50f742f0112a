"""Attestation results: a trustworthiness vector and the tier that an appraisal policy makes of it (EAR, AR4SI)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.shape import Check, integer, members, one_or_more, text, unlike

__all__ = ["DRAFT", "PROFILE", "Aspect", "Claim", "Result", "Tier", "decode", "encode", "tier_of"]

DRAFT = "draft-ietf-rats-ear-04"
PROFILE = "tag:ietf.org,2026:rats/ear#03"
"""What the draft's own text has as `eat_profile` of this version."""

_IAT, _PROFILE, _SUBMODS, _STATUS, _VECTOR, _POLICIES, _VERIFIER = 6, 265, 266, 1000, 1001, 1003, 1004
_LIMITS = codec.Limits(max_bytes=1 << 12, max_depth=6)
_LAST_DATE = 253402300799


class Tier(IntEnum):
    """How far a thing is to be trusted (draft-ietf-rats-ar4si-10 §2.3.2)."""

    NONE = 0
    AFFIRMING = 2
    WARNING = 32
    CONTRAINDICATED = 96


class Aspect(IntEnum):
    """What of a thing a claim is about (draft-ietf-rats-ar4si-10 §2.3.4)."""

    INSTANCE_IDENTITY = 0
    CONFIGURATION = 1
    EXECUTABLES = 2
    FILE_SYSTEM = 3
    HARDWARE = 4
    RUNTIME_OPAQUE = 5
    STORAGE_OPAQUE = 6
    SOURCED_DATA = 7


class Claim(IntEnum):
    """Values of claims that we give; the same number says another thing of another aspect (ibid.)."""

    NO_CLAIM = 0
    UNEXPECTED_EVIDENCE = 1
    APPROVED = 2
    APPROVED_BOOT = 3
    KNOWN_UNSAFE = 32
    UNRECOGNIZED = 33
    CONTRAINDICATED = 96
    UNKNOWN_INSTANCE = 97
    CRYPTO_FAILED = 99


@dataclass(frozen=True, slots=True)
class Result:
    """One appraisal of one thing.

    Attributes:
        subject: the submodule's name: the thing.
        status: what the policy makes of it; never better than the worst of the vector.
        at: when.
        vector: what is said of each aspect; nothing of those that are not there.
        policies: URIs of what it was appraised by.
        developer: who made the verifier.
        build: of the verifier.
    """

    subject: str
    status: Tier
    at: datetime
    vector: Mapping[Aspect, int] = field(default_factory=dict)
    policies: tuple[str, ...] = ()
    developer: str = "thingstead"
    build: str = "unknown"


def tier_of(claim: int) -> Tier:
    """The tier of a claim by its number (draft-ietf-rats-ar4si-10 §2.3.2)."""
    magnitude = abs(claim)
    if magnitude <= 1:
        return Tier.NONE
    return (
        Tier.AFFIRMING
        if magnitude < Tier.WARNING
        else Tier.WARNING
        if magnitude < Tier.CONTRAINDICATED
        else (Tier.CONTRAINDICATED)
    )


def encode(result: Result) -> bytes:
    """Encode a Claims-Set; it is unsigned.

    Raises:
        DecodeError: it would break the grammar that `decode` checks, or say better than its vector.
    """
    appraisal: dict[int, Any] = {_STATUS: result.status.value}
    if result.vector:
        appraisal[_VECTOR] = {int(aspect): int(claim) for aspect, claim in result.vector.items()}
    if result.policies:
        appraisal[_POLICIES] = list(result.policies)
    data = codec.encode(
        {
            _PROFILE: PROFILE,
            _IAT: int(result.at.timestamp()),
            _VERIFIER: {0: result.developer, 1: result.build},
            _SUBMODS: {result.subject: appraisal},
        }
    )
    decode(data)
    return data


def decode(data: bytes) -> Result:
    """Decode the result of one thing.

    Raises:
        DecodeError: outside the grammar, of another version, of several things, or better than its vector.
    """
    found = members(codec.decode(data, limits=_LIMITS), _RESULT, what="EAR", needs=_RESULT, extensible=True)
    ((subject, appraisal),) = found[_SUBMODS].items()
    vector = {Aspect(number): claim for number, claim in appraisal.get(_VECTOR, {}).items()}
    status = Tier(appraisal[_STATUS])
    worst = max([tier_of(claim) for claim in vector.values()], default=Tier.NONE)
    if Tier.NONE < status < worst:
        raise DecodeError(f"expected a status no better than {worst.name}, got {status.name}", spec=f"{DRAFT} §3.1")
    return Result(
        subject, status, found[_IAT], vector, appraisal.get(_POLICIES, ()), found[_VERIFIER][0], found[_VERIFIER][1]
    )


def _instant(value: Any) -> datetime:
    if not 0 <= integer(value) <= _LAST_DATE:
        raise unlike("a time between 1970 and 9999", value)
    return datetime.fromtimestamp(value, UTC)


def _own(value: Any) -> str:
    if value != PROFILE:
        raise unlike(f"the profile {PROFILE}", value)
    return PROFILE


def _claim(value: Any) -> int:
    if not -128 <= integer(value) <= 127:
        raise unlike("a claim of -128 to 127", value)
    return int(value)


def _tier(value: Any) -> int:
    if integer(value) not in {one.value for one in Tier}:
        raise unlike("a tier", value)
    return int(value)


def _vector(value: Any) -> dict[Any, Any]:
    return members(value, dict.fromkeys(map(int, Aspect), _claim), what="trustworthiness vector")


def _one_appraisal(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or len(value) != 1:
        raise unlike("the appraisal of one thing", value)
    table: Mapping[int, Check] = {_STATUS: _tier, _VECTOR: _vector, _POLICIES: one_or_more(text)}
    return {
        text(name): members(one, table, what="appraisal", needs=(_STATUS,), extensible=True)
        for name, one in value.items()
    }


def _verifier(value: Any) -> dict[Any, Any]:
    return members(value, {0: text, 1: text}, what="verifier-id", needs=(0, 1))


_RESULT: Mapping[int, Check] = {_PROFILE: _own, _IAT: _instant, _VERIFIER: _verifier, _SUBMODS: _one_appraisal}
