"""The constrained voucher: YANG data in CBOR under one signature of the maker (RFC 8366, RFC 9254).

A thing that has never met its domain trusts one statement: its maker's, that the thing of this serial
number belongs to the domain of this key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, ExpiredError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1

__all__ = ["DRAFT", "LIMITS", "SID", "Assertion", "Leaf", "ValidVoucher", "authenticate", "decode_leaves", "issue"]

DRAFT = "draft-ietf-anima-constrained-voucher-31"
"""The draft that these bytes follow; its data model is draft-ietf-anima-rfc8366bis."""

SID = 2451
"""YANG SID of ietf-voucher:voucher; leaves are numbered from it (RFC 9254 §3.2)."""

LIMITS = codec.Limits(max_bytes=1 << 13, max_depth=6)

_NAME = "ietf-voucher:voucher"
_SPEC = "RFC 8366 §5.3"
_DEFAULT_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_SEAL = object()
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Assertion(IntEnum):
    """Why the maker believes that the domain owns the thing (RFC 8366 §5.3)."""

    VERIFIED = 0
    LOGGED = 1
    PROXIMITY = 2


class Leaf(IntEnum):
    """Leaves by their distance from `SID` (ietf-voucher.sid of the draft)."""

    ASSERTION = 1
    CREATED_ON = 2
    DOMAIN_CERT_REVOCATION_CHECKS = 3
    EXPIRES_ON = 4
    IDEVID_ISSUER = 5
    LAST_RENEWAL_DATE = 6
    NONCE = 7
    PINNED_DOMAIN_CERT = 8
    PINNED_DOMAIN_PUBK = 9
    PINNED_DOMAIN_PUBK_SHA256 = 10
    SERIAL_NUMBER = 11


_TYPES: dict[Leaf, type] = {
    Leaf.ASSERTION: int,
    Leaf.CREATED_ON: str,
    Leaf.DOMAIN_CERT_REVOCATION_CHECKS: bool,
    Leaf.EXPIRES_ON: str,
    Leaf.IDEVID_ISSUER: bytes,
    Leaf.LAST_RENEWAL_DATE: str,
    Leaf.NONCE: bytes,
    Leaf.PINNED_DOMAIN_CERT: bytes,
    Leaf.PINNED_DOMAIN_PUBK: bytes,
    Leaf.PINNED_DOMAIN_PUBK_SHA256: bytes,
    Leaf.SERIAL_NUMBER: str,
}
_BY_NAME = {leaf.name.lower().replace("_", "-"): leaf for leaf in Leaf}


@dataclass(frozen=True, slots=True)
class ValidVoucher:
    """A voucher that holds for this thing, this domain and this moment; made by `authenticate` alone.

    Attributes:
        serial: serial number of the thing.
        domain_key: the key that the voucher pins.
        assertion: why the maker says so.
        created_on: UTC.
        expires_on: UTC, or None for a voucher that is fresh by its nonce, or for ever.
        nonce: the thing's own, or None.
        encoded: the voucher as received.
    """

    serial: str
    domain_key: PublicKey
    assertion: Assertion
    created_on: datetime
    expires_on: datetime | None
    nonce: bytes | None
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a ValidVoucher is made by voucher.authenticate")


def issue(
    domain_key: PublicKey,
    anchor: PrivateKey,
    *,
    serial: str,
    at: datetime,
    assertion: Assertion = Assertion.VERIFIED,
    expires: datetime | None = None,
    nonce: bytes | None = None,
    signature_id: int = AlgorithmId.ESP256,
) -> bytes:
    """Issue a voucher that pins the hash of a domain's key, as a tagged COSE_Sign1 (media type 836).

    Args:
        domain_key: the key that the thing shall accept.
        anchor: the maker's.
        serial: serial number of the thing.
        at: now, aware.
        assertion: why the maker says so.
        expires: aware; not together with a nonce.
        nonce: 8 to 32 bytes that the thing chose; not together with `expires`.
        signature_id: COSE algorithm, one of the anchor's.

    Raises:
        DecodeError: a value that `authenticate` would refuse.
        ExpiredError: `expires` is not after `at`.
    """
    optional = {
        Leaf.EXPIRES_ON: None if expires is None else _render_date(expires),
        Leaf.NONCE: nonce,
    }
    leaves = {
        Leaf.ASSERTION: int(assertion),
        Leaf.CREATED_ON: _render_date(at),
        Leaf.PINNED_DOMAIN_PUBK_SHA256: digest(domain_key.subject_public_key_info()),
        Leaf.SERIAL_NUMBER: serial,
        **{leaf: value for leaf, value in optional.items() if value is not None},
    }
    payload = codec.encode({SID: {int(leaf): value for leaf, value in leaves.items()}})
    data = sign1.sign(payload, anchor, signature_id=signature_id)
    accept = frozenset({int(signature_id)})
    authenticate(data, anchor.public, serial=serial, domain_key=domain_key, at=at, nonce=nonce, accept=accept)
    return data


def authenticate(
    data: bytes,
    anchor: PublicKey,
    *,
    serial: str,
    domain_key: PublicKey,
    at: datetime,
    nonce: bytes | None = None,
    accept: frozenset[int] = _DEFAULT_ACCEPT,
    leeway: timedelta = timedelta(0),
) -> ValidVoucher:
    """Verify a voucher as the thing does, before it tells the domain who it is (RFC 8366 §5.3, RFC 8995 §5.6.1).

    Args:
        data: the voucher as received.
        anchor: the maker's key, built into the thing.
        serial: the thing's own serial number.
        domain_key: the key that the peer has proved.
        at: now, aware.
        nonce: the one that the thing sent; None where it sent none.
        accept: signature algorithms that the thing accepts.
        leeway: how far the two clocks may be apart.

    Raises:
        DecodeError: outside the grammar of the draft.
        UnsupportedError: an algorithm outside `accept`, a leaf that we do not know, or a pin by certificate.
        AuthenticationError: the maker's signature does not verify.
        UntrustedError: for another thing, another domain or another nonce; `reason` tells which.
        ExpiredError: outside its validity.
    """
    proved = sign1.authenticate(sign1.decode(data, limits=LIMITS), anchor, accept=accept)
    leaves = decode_leaves(proved.payload)
    if _required(leaves, Leaf.SERIAL_NUMBER) != serial:
        raise UntrustedError("the voucher is for another thing", spec=_SPEC, reason="serial")
    _check_pin(leaves, domain_key)
    if leaves.get(Leaf.NONCE) != nonce:
        raise UntrustedError("the voucher does not answer this nonce", spec=_SPEC, reason="nonce")
    created_on, expires_on = _validity(leaves, at=at, leeway=leeway)
    return ValidVoucher(
        serial=serial,
        domain_key=domain_key,
        assertion=Assertion(_required(leaves, Leaf.ASSERTION)),
        created_on=created_on,
        expires_on=expires_on,
        nonce=nonce,
        encoded=data,
        seal=_SEAL,
    )


def decode_leaves(payload: bytes) -> Mapping[Leaf, Any]:
    """Decode the voucher's YANG data: keys as SID deltas or as names (RFC 9254 §3.2, §3.3); proves nothing.

    Raises:
        DecodeError: not one voucher, a leaf twice or of another type, or a nonce beside an expiry.
        UnsupportedError: a leaf that we do not know: what it would forbid, we could not obey.
    """
    outer = codec.decode(payload, limits=LIMITS)
    if not isinstance(outer, dict) or len(outer) != 1:
        raise DecodeError(f"expected one container {_NAME}", spec="RFC 9254 §4.2.1")
    ((key, inner),) = outer.items()
    if not (key == _NAME or (type(key) is int and key == SID)) or not isinstance(inner, dict):
        raise DecodeError(f"expected the container {_NAME} ({SID})", spec=DRAFT)
    leaves: dict[Leaf, Any] = {}
    for label, value in inner.items():
        leaf = _leaf(label)
        if leaf in leaves or type(value) is not _TYPES[leaf]:
            raise DecodeError(f"expected one {leaf.name} of type {_TYPES[leaf].__name__}", spec=_SPEC)
        leaves[leaf] = value
    _check_values(leaves)
    return MappingProxyType(leaves)


def _leaf(label: Any) -> Leaf:
    if isinstance(label, str) and label in _BY_NAME:
        return _BY_NAME[label]
    if type(label) is int and label in _TYPES:
        return Leaf(label)
    raise UnsupportedError(f"expected a leaf of {_NAME} that we know, got {label!r}", spec=DRAFT)


def _check_values(leaves: Mapping[Leaf, Any]) -> None:
    if leaves.get(Leaf.ASSERTION, 0) not in set(Assertion):
        raise DecodeError(f"expected an assertion of 0 to 2, got {leaves[Leaf.ASSERTION]}", spec=_SPEC)
    if not 8 <= len(leaves.get(Leaf.NONCE, bytes(8))) <= 32:
        raise DecodeError("expected a nonce of 8 to 32 bytes", spec=_SPEC)
    if Leaf.NONCE in leaves and Leaf.EXPIRES_ON in leaves:
        raise DecodeError("expected a nonce or an expiry, got both", spec=_SPEC)
    for leaf in (Leaf.CREATED_ON, Leaf.EXPIRES_ON, Leaf.LAST_RENEWAL_DATE):
        if leaf in leaves:
            _parse_date(leaves[leaf])


def _check_pin(leaves: Mapping[Leaf, Any], domain_key: PublicKey) -> None:
    encoded = domain_key.subject_public_key_info()
    pins = {
        Leaf.PINNED_DOMAIN_PUBK: encoded,
        Leaf.PINNED_DOMAIN_PUBK_SHA256: digest(encoded),
    }
    found = pins.keys() & leaves.keys()
    if Leaf.PINNED_DOMAIN_CERT in leaves:
        raise UnsupportedError("expected a voucher that pins a key, got one that pins a certificate", spec=DRAFT)
    if not found:
        raise DecodeError("expected a voucher that pins a key", spec=DRAFT)
    if any(leaves[leaf] != pins[leaf] for leaf in found):
        raise UntrustedError("the voucher is for another domain", spec=_SPEC, reason="domain")


def _validity(leaves: Mapping[Leaf, Any], *, at: datetime, leeway: timedelta) -> tuple[datetime, datetime | None]:
    if at.tzinfo is None:
        raise ValueError("a voucher is checked at an aware time")
    created_on = _parse_date(_required(leaves, Leaf.CREATED_ON))
    expires_on = _parse_date(leaves[Leaf.EXPIRES_ON]) if Leaf.EXPIRES_ON in leaves else None
    if at + leeway < created_on:
        raise ExpiredError(f"the voucher begins at {created_on.isoformat()}", spec=_SPEC, reason="premature")
    if expires_on is not None and at - leeway >= expires_on:
        raise ExpiredError(f"the voucher expired at {expires_on.isoformat()}", spec=_SPEC)
    return created_on, expires_on


def _required(leaves: Mapping[Leaf, Any], leaf: Leaf) -> Any:
    if leaf not in leaves:
        raise DecodeError(f"expected a voucher with {leaf.name}", spec=_SPEC)
    return leaves[leaf]


def _render_date(date: datetime) -> str:
    if date.tzinfo is None:
        raise ValueError("a voucher is dated with an aware time")
    return date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse_date(text: str) -> datetime:
    try:
        if not _DATE.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise DecodeError(f"expected a date and time with its offset, got {text[:40]!r}", spec="RFC 6991 §3") from None
