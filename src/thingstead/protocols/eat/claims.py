"""Claims-Sets of EAT: each claim in its grammar, submodules read by what they are (RFC 9711 §4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.shape import (
    Check,
    boolean,
    choice,
    integer,
    members,
    octets,
    one_or_more,
    record,
    text,
    uint,
    unlike,
)
from thingstead.protocols.cwt import claims as cwt

__all__ = ["LIMITS", "ClaimsSet", "DebugStatus", "DetachedDigest", "EatClaim", "NestedToken", "decode", "from_map"]

LIMITS = codec.Limits(max_bytes=1 << 14, max_depth=16)
"""What is decoded of strangers, nested tokens within."""

_MAX_SUBMODULES = 32
_MAX_LEVELS = 4
_NONCE_SIZES = range(8, 65)


class EatClaim(IntEnum):
    """Keys of the claims that RFC 9711 adds to a CWT's (§10.2)."""

    NONCE = 10
    UEID = 256
    SUEIDS = 257
    OEMID = 258
    HWMODEL = 259
    HWVERSION = 260
    UPTIME = 261
    OEMBOOT = 262
    DBGSTAT = 263
    LOCATION = 264
    PROFILE = 265
    SUBMODS = 266
    BOOTCOUNT = 267
    BOOTSEED = 268
    DLOAS = 269
    SWNAME = 270
    SWVERSION = 271
    MANIFESTS = 272
    MEASUREMENTS = 273
    MEASRES = 274
    INTUSE = 275


class DebugStatus(IntEnum):
    """Values of `dbgstat` (§4.2.9)."""

    ENABLED = 0
    DISABLED = 1
    DISABLED_SINCE_BOOT = 2
    DISABLED_PERMANENTLY = 3
    DISABLED_FULLY_AND_PERMANENTLY = 4


@dataclass(frozen=True, slots=True)
class NestedToken:
    """A submodule that signs for itself: CBOR as bytes, JSON as text (§4.2.18.1.2); nothing in it is read here."""

    token: bytes | str


@dataclass(frozen=True, slots=True)
class DetachedDigest:
    """A submodule whose claims travel beside the token (§4.2.18.1.3).

    Attributes:
        digest_id: COSE number or name of the hash.
        digest: of the encoded Claims-Set.
    """

    digest_id: int | str
    digest: bytes


@dataclass(frozen=True, slots=True)
class ClaimsSet:
    """Claims of the right form; whether anybody vouches for them is another type's business.

    Attributes:
        values: by key; lists as tuples, nonces always as a tuple, submodules read.
    """

    values: Mapping[Any, Any]

    @property
    def nonces(self) -> tuple[bytes, ...]:
        """All it answers (§4.1)."""
        nonces: tuple[bytes, ...] = self.values.get(EatClaim.NONCE, ())
        return nonces

    @property
    def profile(self) -> str | bytes | None:
        """By whose rules it is to be read: URI, or object identifier in BER; None where it names none (§6)."""
        return self.values.get(EatClaim.PROFILE)

    @property
    def submodules(self) -> Mapping[str, ClaimsSet | NestedToken | DetachedDigest]:
        """The parts that it speaks of (§4.2.18)."""
        modules: Mapping[str, ClaimsSet | NestedToken | DetachedDigest] = self.values.get(EatClaim.SUBMODS, {})
        return modules

    @property
    def measurements(self) -> tuple[tuple[int, bytes], ...]:
        """What was measured: each content format and its body (§4.2.16)."""
        found: tuple[tuple[int, bytes], ...] = self.values.get(EatClaim.MEASUREMENTS, ())
        return found


def decode(data: bytes, *, limits: codec.Limits = LIMITS) -> ClaimsSet:
    """Decode a Claims-Set.

    Raises:
        DecodeError: not one map, or a claim outside its grammar.
    """
    return from_map(dict(cwt.decode(data, limits=limits).values))


def from_map(value: Any, *, levels: int = _MAX_LEVELS) -> ClaimsSet:
    """Read a Claims-Set out of a decoded map.

    Args:
        value: the map.
        levels: of submodules that it may have.

    Raises:
        DecodeError: as for `decode`, or too many submodules.
    """
    if not levels:
        raise unlike(f"submodules of at most {_MAX_LEVELS} levels", "more")
    table = {**_CLAIMS, EatClaim.SUBMODS: lambda modules: _submodules(modules, levels)}
    return ClaimsSet(MappingProxyType(members(value, table, what="Claims-Set", extensible=True)))


def _nonces(value: Any) -> tuple[bytes, ...]:
    """One nonce, or an array of two or more; one of one is taken as well (§4.1)."""
    check = one_or_more(octets(*_NONCE_SIZES))
    found: tuple[bytes, ...] = check(value if isinstance(value, list | tuple) else [value])
    return found


def _submodules(value: Any, levels: int) -> dict[str, ClaimsSet | NestedToken | DetachedDigest]:
    if not isinstance(value, Mapping) or not 0 < len(value) <= _MAX_SUBMODULES:
        raise DecodeError(f"expected 1 to {_MAX_SUBMODULES} submodules by name", spec="RFC 9711 §4.2.18")
    return {text(name): _submodule(module, levels) for name, module in value.items()}


def _submodule(value: Any, levels: int) -> ClaimsSet | NestedToken | DetachedDigest:
    match value:
        case bytes() | str():
            return NestedToken(value)
        case list() | tuple():
            return DetachedDigest(*record(choice({}, integer, text, extensible=False), octets())(value))
        case _:
            return from_map(value, levels=levels - 1)


def _profile(value: Any) -> str | bytes:
    """A URI or an object identifier, without tags (§4.3.2)."""
    if not value or not isinstance(value, str | bytes):
        raise unlike("a profile as URI or object identifier", value)
    return value


def _among(*numbers: int) -> Check:
    def check(value: Any) -> int:
        if type(value) is not int or value not in numbers:
            raise unlike(f"one of {numbers[0]} to {numbers[-1]}", value)
        return value

    return check


def _number(value: Any) -> int | float:
    if type(value) not in {int, float}:
        raise unlike("a number", value)
    number: int | float = value
    return number


def _location(value: Any) -> dict[Any, Any]:
    return members(value, dict.fromkeys(range(1, 10), _number), what="location", needs=(1, 2))


def _all_ueids(value: Any) -> dict[str, bytes]:
    if not isinstance(value, Mapping) or not value:
        raise unlike("identifiers by name", value)
    return {text(name): _UEID(one) for name, one in value.items()}


_UEID = octets(*range(7, 34))
_VERSION = record(text, choice({}, integer, text, extensible=False), optional=1)
_BODIES = one_or_more(record(_among(*range(1 << 16)), choice({}, octets(), text, extensible=False)))
_URI = choice({32: text}, text, extensible=False)
_RESULT = record(choice({}, text, octets(), extensible=False), _among(1, 2, 3, 4))
_CLAIMS: Mapping[int, Check] = {
    EatClaim.NONCE: _nonces,
    EatClaim.UEID: _UEID,
    EatClaim.SUEIDS: _all_ueids,
    EatClaim.OEMID: choice({}, integer, octets(3, 16), extensible=False),
    EatClaim.HWMODEL: octets(*range(1, 33)),
    EatClaim.HWVERSION: _VERSION,
    EatClaim.UPTIME: uint,
    EatClaim.OEMBOOT: boolean,
    EatClaim.DBGSTAT: _among(*DebugStatus),
    EatClaim.LOCATION: _location,
    EatClaim.PROFILE: _profile,
    EatClaim.BOOTCOUNT: uint,
    EatClaim.BOOTSEED: octets(),
    EatClaim.DLOAS: one_or_more(record(_URI, text, text, optional=1)),
    EatClaim.SWNAME: text,
    EatClaim.SWVERSION: _VERSION,
    EatClaim.MANIFESTS: _BODIES,
    EatClaim.MEASUREMENTS: _BODIES,
    EatClaim.MEASRES: one_or_more(record(text, one_or_more(_RESULT))),
    EatClaim.INTUSE: _among(1, 2, 3, 4, 5),
}
