"""Claims: one registry, decoded strictly, dates as UTC (RFC 8392 §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from thingstead.errors import DecodeError, ExpiredError
from thingstead.protocols.cbor import codec

__all__ = ["REGISTRY", "Claim", "ClaimRow", "Claims", "check_validity", "decode", "encode"]

_MAX_CTI = 64
_LAST_DATE = 253402300799  # 9999-12-31T23:59:59Z: what a datetime can hold


class Claim(IntEnum):
    """Claim keys that we process (IANA "CBOR Web Token (CWT) Claims"); below -65536 they are ours."""

    ISS = 1
    SUB = 2
    AUD = 3
    EXP = 4
    NBF = 5
    IAT = 6
    CTI = 7
    CNF = 8
    SCOPE = 9
    NONCE = 10
    ACE_PROFILE = 38
    CNONCE = 39
    EXI = 40
    EDHOC_INFO = 41
    UEID = 256
    HWMODEL = 259
    CONSTRAINED_CLASS = -65537
    MUD_URL = -65538
    SUPPORT_END = -65539
    ZONES = -65540
    DEVICE_CLASSES = -65541
    MOST_THINGS = -65542
    VERIFIES = -65543


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One row of the registry.

    Attributes:
        claim: the key on the wire.
        name: IANA name, or ours.
        types: Python types that the value may decode to.
        source: where it is defined.
    """

    claim: Claim
    name: str
    types: tuple[type, ...]
    source: str


# As plain numbers: a member of an enumeration costs as much to name as to look up.
_AUD, _EXP = int(Claim.AUD), int(Claim.EXP)
_BEGINNINGS = int(Claim.NBF), int(Claim.IAT)
_DATE = (int, float)
_OURS = "private use (RFC 8392 §9.1)"

REGISTRY: dict[Any, ClaimRow] = {
    row.claim: row
    for row in (
        ClaimRow(Claim.ISS, "iss", (str,), "RFC 8392 §3.1.1"),
        ClaimRow(Claim.SUB, "sub", (str,), "RFC 8392 §3.1.2"),
        ClaimRow(Claim.AUD, "aud", (str, list), "RFC 8392 §3.1.3"),
        ClaimRow(Claim.EXP, "exp", _DATE, "RFC 8392 §3.1.4"),
        ClaimRow(Claim.NBF, "nbf", _DATE, "RFC 8392 §3.1.5"),
        ClaimRow(Claim.IAT, "iat", _DATE, "RFC 8392 §3.1.6"),
        ClaimRow(Claim.CTI, "cti", (bytes,), "RFC 8392 §3.1.7"),
        ClaimRow(Claim.CNF, "cnf", (dict,), "RFC 8747 §3.1"),
        ClaimRow(Claim.SCOPE, "scope", (str, bytes), "RFC 8693 §4.2; RFC 9200 §5.8.1"),
        ClaimRow(Claim.ACE_PROFILE, "ace_profile", (int,), "RFC 9200 §5.10"),
        ClaimRow(Claim.CNONCE, "cnonce", (bytes,), "RFC 9200 §5.8.4.4"),
        ClaimRow(Claim.EXI, "exi", (int,), "RFC 9200 §5.10.3"),
        ClaimRow(Claim.EDHOC_INFO, "edhoc_info", (dict,), "draft-ietf-ace-edhoc-oscore-profile-11 §3.2, assumed"),
        ClaimRow(Claim.NONCE, "eat_nonce", (bytes, list), "RFC 9711 §4.1"),
        ClaimRow(Claim.UEID, "ueid", (bytes,), "RFC 9711 §4.2.1"),
        ClaimRow(Claim.HWMODEL, "hwmodel", (bytes,), "RFC 9711 §4.2.4"),
        ClaimRow(Claim.CONSTRAINED_CLASS, "constrained class (RFC 7228 §3)", (int,), _OURS),
        ClaimRow(Claim.MUD_URL, "MUD URL (RFC 8520 §5)", (str,), _OURS),
        ClaimRow(Claim.ZONES, "zones of a delegation", (list,), _OURS),
        ClaimRow(Claim.DEVICE_CLASSES, "device classes of a delegation (RFC 7228 §3)", (list,), _OURS),
        ClaimRow(Claim.MOST_THINGS, "things that a delegation may let in", (int,), _OURS),
        ClaimRow(Claim.VERIFIES, "COSE algorithms of release signatures that the thing verifies", (list,), _OURS),
        ClaimRow(Claim.SUPPORT_END, "last day of support, as days since 1970-01-01 (RFC 8943)", (int,), _OURS),
    )
}
"""The one table of claims; keys outside it are carried and not interpreted."""


_TYPES = {int(claim): row.types for claim, row in REGISTRY.items()}


@dataclass(frozen=True, slots=True)
class Claims:
    """A claims set of the right types; whether anybody vouches for it is another type's business."""

    values: Mapping[Any, Any]

    def text(self, claim: Claim) -> str:
        """A text claim that must be there, of 1 to 255 printable characters: it will be shown to people.

        Raises:
            DecodeError: absent, of another type, empty, too long or not printable.
        """
        value = self.required(claim)
        if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
            raise DecodeError(f"expected {REGISTRY[claim].name} of 1 to 255 printable characters", spec=_spec(claim))
        return value

    def date(self, claim: Claim) -> datetime | None:
        """A NumericDate claim as UTC, or None."""
        value = self.values.get(claim)
        return None if value is None else datetime.fromtimestamp(value, UTC)

    def required_date(self, claim: Claim) -> datetime:
        """A NumericDate claim that must be there, as UTC.

        Raises:
            DecodeError: it is not.
        """
        return datetime.fromtimestamp(self.required(claim), UTC)

    def token_id(self) -> bytes:
        """The `cti` claim, which must be there and have 1 to 64 bytes: it stands in ledgers and lists.

        Raises:
            DecodeError: it is not there, empty or longer.
        """
        cti: bytes = self.required(Claim.CTI)
        if not 0 < len(cti) <= _MAX_CTI:
            raise DecodeError(f"expected a cti of 1 to {_MAX_CTI} bytes", spec="RFC 8392 §3.1.7")
        return cti

    def required(self, claim: Claim) -> Any:
        """A claim that must be there.

        Raises:
            DecodeError: it is not.
        """
        value = self.values.get(claim)
        if value is None:
            raise DecodeError(f"expected the claim {REGISTRY[claim].name}", spec=_spec(claim))
        return value

    @property
    def audience(self) -> tuple[str, ...]:
        """Everybody it is meant for; empty when it names nobody (RFC 8392 §3.1.3)."""
        value = self.values.get(Claim.AUD, ())
        return (value,) if isinstance(value, str) else tuple(value)


def encode(values: Mapping[Any, Any]) -> bytes:
    """Encode a claims set; a datetime becomes a NumericDate of whole seconds.

    Raises:
        DecodeError: the set breaks the grammar that `decode` checks.
    """
    data = codec.encode({claim: _numeric(value) for claim, value in values.items()})
    decode(data)
    return data


def decode(data: bytes, *, limits: codec.Limits = codec.DEFAULT_LIMITS) -> Claims:
    """Decode a claims set (RFC 8392 §7.2 step 7).

    Raises:
        DecodeError: not one map, or a registered claim of another type or range.
    """
    values = codec.decode(data, limits=limits)
    if not isinstance(values, dict):
        raise DecodeError("expected a map of claims", spec="RFC 8392 §1.1")
    for key, value in values.items():
        kind = type(key)
        if kind is not int and kind is not str:
            raise DecodeError("expected claim keys of int or tstr", spec="RFC 8392 §1.1")
        types = _TYPES.get(key)
        if types is not None and type(value) not in types:
            row = REGISTRY[key]
            raise DecodeError(f"expected another type of {row.name} than {type(value).__name__}", spec=row.source)
        # What is not a number is in no range either.
        if types is _DATE and not 0 <= value <= _LAST_DATE:
            raise DecodeError(f"expected {REGISTRY[key].name} between 1970 and 9999", spec=_spec(key))
    audience = values.get(_AUD)
    if isinstance(audience, list) and not all(isinstance(name, str) for name in audience):
        raise DecodeError("expected aud of text", spec=_spec(_AUD))
    return Claims(MappingProxyType(values))


def check_validity(claims: Claims, *, at: datetime, leeway: timedelta) -> None:
    """Hold `exp`, `nbf` and `iat` against the clock (RFC 8392 §3.1.4 to §3.1.6).

    Raises:
        ExpiredError: at or after `exp`, or before `nbf` or `iat`; `reason` tells which side.
        ValueError: `at` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("validity is checked at an aware time")
    now, grace, values = at.timestamp(), leeway.total_seconds(), claims.values
    expires = values.get(_EXP)
    if expires is not None and now - grace >= expires:
        raise ExpiredError(f"expired at {_iso(expires)}", spec=_spec(_EXP))
    for claim in _BEGINNINGS:
        begins = values.get(claim)
        if begins is not None and now + grace < begins:
            raise ExpiredError(f"not valid before {_iso(begins)}", spec=_spec(claim), reason="premature")


def _iso(numeric_date: float) -> str:
    return datetime.fromtimestamp(numeric_date, UTC).isoformat()


def _numeric(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError("a NumericDate is made of an aware time")
    return int(value.timestamp())


def _spec(claim: int) -> str:
    return REGISTRY[claim].source
