"""What is measured, and by whose key it may be said: the values of a measurement-map (§5.1.4.5.2, §5.1.4.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thingstead.errors import DecodeError
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
)
from thingstead.protocols.corim.registry import DRAFT, TagNumber, Value
from thingstead.protocols.coswid.named_digest import read_digest, read_digests

__all__ = ["ELEMENT", "INSTANCE", "KEYS", "UUID", "read_values"]


def read_values(value: Any) -> dict[Any, Any]:
    """Read a measurement-values-map: digests as a map of algorithms, codepoints of profiles as they are.

    Raises:
        DecodeError: nothing in it, a value of another kind than its codepoint has, or a mask of no raw value.
    """
    found = members(value, _VALUES, what="measurement-values-map", extensible=True)
    if Value.RAW_VALUE_MASK in found and Value.RAW_VALUE not in found:
        raise DecodeError("expected a raw value beside its mask", spec=f"{DRAFT} §5.1.4.5.6", reason="member")
    return found


def _version(value: Any) -> dict[Any, Any]:
    return members(value, {0: text, 1: choice({}, integer, text)}, what="version-map", needs=(0,))


def _flags(value: Any) -> dict[Any, Any]:
    return members(value, dict.fromkeys(range(11), boolean), what="flags-map", extensible=True)


def _registers(value: Any) -> dict[Any, Any]:
    if not isinstance(value, Mapping) or not value:
        raise DecodeError("expected integrity registers by name", spec=f"{DRAFT} §5.1.4.7", reason="member")
    return {_REGISTER(name): read_digests(found) for name, found in value.items()}


def _cose_key(value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping) or 1 not in value:
        raise DecodeError("expected a COSE_Key with its type", spec="RFC 9052 §7", reason="member")
    return value


def _bound(value: Any) -> int | None:
    return None if value is None else integer(value)


UUID: Mapping[int, Check] = {TagNumber.UUID: octets(16)}
"""A UUID under its tag."""

_UEID = octets(*range(7, 34))
_REGISTER = choice({}, uint, text, extensible=False)
_KEY_TAGS: Mapping[int, Check] = {
    TagNumber.PKIX_KEY: text,
    TagNumber.PKIX_CERT: text,
    TagNumber.KEY_THUMBPRINT: read_digest,
    TagNumber.COSE_KEY: _cose_key,
    TagNumber.CERT_THUMBPRINT: read_digest,
    TagNumber.BYTES: octets(),
    TagNumber.DER_CERT: octets(),
}
_PATH_TAGS: Mapping[int, Check] = {TagNumber.PKIX_CERT_PATH: text, TagNumber.CERT_PATH_THUMBPRINT: read_digest}

KEYS = one_or_more(choice({**_KEY_TAGS, **_PATH_TAGS}))
"""Keys, certificates or what they hash to, each under the tag of its form."""

INSTANCE = choice({**_KEY_TAGS, **UUID, TagNumber.UEID: _UEID})
"""What names one thing: also the key that it alone has."""

ELEMENT = choice({**UUID, TagNumber.OID: octets()}, uint, text)
"""What names a measured element."""

_VALUES: Mapping[int, Check] = {
    Value.VERSION: _version,
    Value.SVN: choice({TagNumber.SVN: uint, TagNumber.MIN_SVN: uint}, uint, extensible=False),
    Value.DIGESTS: read_digests,
    Value.FLAGS: _flags,
    Value.RAW_VALUE: choice({TagNumber.BYTES: octets(), TagNumber.MASKED_RAW_VALUE: record(octets(), octets())}),
    Value.RAW_VALUE_MASK: octets(),
    Value.MAC_ADDRESS: octets(6, 8),
    Value.IP_ADDRESS: octets(4, 16),
    Value.SERIAL_NUMBER: text,
    Value.UEID: _UEID,
    Value.UUID: octets(16),
    Value.NAME: text,
    Value.CRYPTO_KEYS: KEYS,
    Value.INTEGRITY_REGISTERS: _registers,
    Value.INT_RANGE: choice({TagNumber.INT_RANGE: record(_bound, _bound)}, integer, extensible=False),
}
