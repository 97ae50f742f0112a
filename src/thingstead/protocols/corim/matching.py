"""Whether what was found is what was meant: a condition against an entry (§8.3.4.4).

Every attribute that the condition gives has to be in the entry and to satisfy it; what the entry has beside that is
left out. Where nobody knows how two values compare, they do not match.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim.registry import TagNumber, Value
from thingstead.protocols.corim.statement import Environment, Measurement
from thingstead.protocols.coswid.named_digest import is_same

__all__ = ["is_environment", "is_measurement", "mismatches"]


def is_environment(condition: Environment, entry: Environment) -> bool:
    """Whether all that a condition says of an environment is so in `entry` (§8.3.4.4.1)."""
    return all(
        wanted is None or _equal(wanted, getattr(entry, name))
        for name, wanted in ((row.name, getattr(condition, row.name)) for row in fields(Environment))
    )


def is_measurement(condition: Measurement, entry: Measurement) -> bool:
    """Whether an entry is of the element that a condition is about, and satisfies all its values (§8.3.4.4.4)."""
    return _equal(condition.element, entry.element) and not mismatches(condition, entry)


def mismatches(condition: Measurement, entry: Measurement) -> tuple[Any, ...]:
    """Codepoints of a condition that an entry does not have, or does not satisfy (§8.3.4.4.5)."""
    return tuple(
        [
            codepoint
            for codepoint, wanted in condition.values.items()
            if codepoint != Value.RAW_VALUE_MASK
            and (codepoint not in entry.values or not _satisfies(codepoint, wanted, condition, entry))
        ]
    )


def _satisfies(codepoint: Any, wanted: Any, condition: Measurement, entry: Measurement) -> bool:
    found = entry.values[codepoint]
    if codepoint == Value.RAW_VALUE:
        return _raw(wanted, condition.values.get(Value.RAW_VALUE_MASK), found)
    compare = _COMPARE.get(codepoint)
    return compare is not None and compare(wanted, found)


def _equal(wanted: Any, found: Any) -> bool:
    return type(wanted) is type(found) and codec.encode(wanted) == codec.encode(found)


def _svn(wanted: Any, found: Any) -> bool:
    is_least, least = isinstance(wanted, Tag) and wanted.tag == TagNumber.MIN_SVN, _bare(wanted)
    if isinstance(found, Tag) and found.tag == TagNumber.MIN_SVN:
        return is_least and bool(least == found.value)
    return bool(least <= _bare(found)) if is_least else bool(least == _bare(found))


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, Tag) else value


def _registers(wanted: Mapping[Any, Any], found: Mapping[Any, Any]) -> bool:
    return all(name in found and is_same(one, found[name]) for name, one in wanted.items())


def _raw(wanted: Any, mask: bytes | None, found: Any) -> bool:
    """Bit by bit under the mask; without one, all of them (§8.3.4.4.5)."""
    if not isinstance(found, Tag) or found.tag != TagNumber.BYTES or not isinstance(wanted, Tag):
        return False
    value = wanted.value
    if wanted.tag == TagNumber.MASKED_RAW_VALUE:
        value, mask = wanted.value
    mask = b"\xff" * len(value) if mask is None else mask
    if not len(value) == len(mask) == len(found.value):
        return False
    return hmac.compare_digest(_masked(value, mask), _masked(found.value, mask))


def _masked(value: bytes, mask: bytes) -> bytes:
    return bytes([one & other for one, other in zip(value, mask, strict=True)])


def _keys(wanted: tuple[Any, ...], found: tuple[Any, ...]) -> bool:
    return len(wanted) <= len(found) and all(_equal(one, other) for one, other in zip(wanted, found, strict=False))


def _range(wanted: Any, found: Any) -> bool:
    (least, most), (low, high) = _bounds(wanted), _bounds(found)
    if not isinstance(wanted, Tag):
        return bool((low, high) == (least, most))
    return (least is None or (low is not None and low >= least)) and (
        most is None or (high is not None and high <= most)
    )


def _bounds(value: Any) -> tuple[int | None, int | None]:
    low, high = value.value if isinstance(value, Tag) else (value, value)
    return low, high


_COMPARE: Mapping[Any, Callable[[Any, Any], bool]] = {
    Value.VERSION: _equal,
    Value.SVN: _svn,
    Value.DIGESTS: is_same,
    Value.FLAGS: lambda wanted, found: wanted.items() <= found.items(),
    Value.MAC_ADDRESS: _equal,
    Value.IP_ADDRESS: _equal,
    Value.SERIAL_NUMBER: _equal,
    Value.UEID: _equal,
    Value.UUID: _equal,
    Value.NAME: _equal,
    Value.CRYPTO_KEYS: _keys,
    Value.INTEGRITY_REGISTERS: _registers,
    Value.INT_RANGE: _range,
}
"""How the draft's own codepoints compare; those of profiles match nothing here."""
