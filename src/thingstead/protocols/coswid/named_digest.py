"""Digests that go by the Named Information registry, not by COSE's numbers (RFC 6920 §9.4, RFC 9393 §2.9.1)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor.shape import octets, one_or_more, record, text, unlike

__all__ = ["SHA_256", "is_same", "read_digest", "read_digests"]

SHA_256 = 1
"""The number of SHA-256 there."""

_NAMED: dict[str, tuple[int, int]] = {
    "sha-256": (SHA_256, 32),
    "sha-256-128": (2, 16),
    "sha-256-120": (3, 15),
    "sha-256-96": (4, 12),
    "sha-256-64": (5, 8),
    "sha-256-32": (6, 4),
    "sha-384": (7, 48),
    "sha-512": (8, 64),
    "sha3-224": (9, 28),
    "sha3-256": (10, 32),
    "sha3-384": (11, 48),
    "sha3-512": (12, 64),
}
_SIZES = dict(_NAMED.values())


def read_digest(value: Any) -> tuple[int | str, bytes]:
    """Read an array of algorithm and output; one with a number and a name goes by its number.

    Raises:
        DecodeError: another form, or an output of another length than its algorithm has.
    """
    name, output = record(_algorithm, octets())(value)
    if len(output) != _SIZES.get(name, len(output)):
        raise unlike(f"{_SIZES[name]} bytes of digest {name}", output)
    return name, output


def read_digests(value: Any) -> dict[int | str, bytes]:
    """Read digests of one object by several algorithms.

    Raises:
        DecodeError: as for `read_digest`, none, or two of one algorithm.
    """
    found: dict[int | str, bytes] = {}
    for name, output in one_or_more(read_digest)(value):
        if name in found:
            raise DecodeError(f"expected one digest of {name}, got two", spec="RFC 9393 §2.9.1", reason="digests")
        found[name] = output
    return found


def is_same(wanted: Mapping[int | str, bytes], found: Mapping[int | str, bytes]) -> bool:
    """Whether two sets are of one object: an algorithm in common, and none of those says otherwise.

    All that are in common have to agree, so that nobody gets by with the weakest.
    """
    common = wanted.keys() & found.keys()
    return bool(common) and all(hmac.compare_digest(wanted[name], found[name]) for name in common)


def _algorithm(value: Any) -> int | str:
    if type(value) is int:
        return value
    name = text(value)
    return _NAMED[name][0] if name in _NAMED else name
