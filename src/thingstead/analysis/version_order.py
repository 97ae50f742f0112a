"""Which version is older, where the ecosystem says how to tell: Semantic Versioning 2.0.0 and Debian's order.

Other ecosystems have orders of their own; for those a record is matched by the versions that it enumerates, never by
an order that we would have to guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from thingstead.errors import DecodeError

__all__ = ["ORDERS", "debian_key", "semver_key"]

_MAX_CHARACTERS = 256
_SEMVER = re.compile(
    r"v?(0|[1-9]\d{0,17})(?:\.(0|[1-9]\d{0,17}))?(?:\.(0|[1-9]\d{0,17}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\Z"
)
_DEBIAN = re.compile(r"(?:(\d{1,9}):)?([0-9A-Za-z.+~-]+?)(?:-([0-9A-Za-z+.~]+))?\Z")
_RUN = re.compile(r"(\D*)(\d*)")


def semver_key(text: str) -> Any:
    """A key to sort by (semver.org 2.0.0 §11); a leading ``v`` and missing minor and patch are taken.

    Raises:
        DecodeError: not such a version.
    """
    found = _SEMVER.match(text) if len(text) <= _MAX_CHARACTERS else None
    if found is None:
        raise DecodeError(f"expected a semantic version, got {text[:60]!r}", spec="SemVer 2.0.0 §2", reason="version")
    numbers = tuple([int(one or 0) for one in found.groups()[:3]])
    before = found[4]
    if before is None:
        return (*numbers, 1, ())
    parts = [(0, int(one), "") if one.isdigit() else (1, 0, one) for one in before.split(".")]
    return (*numbers, 0, tuple(parts))


def debian_key(text: str) -> Any:
    """A key to sort by (Debian Policy §5.6.12).

    Raises:
        DecodeError: not such a version.
    """
    found = _DEBIAN.match(text) if len(text) <= _MAX_CHARACTERS else None
    if found is None:
        raise DecodeError(f"expected a version of Debian, got {text[:60]!r}", spec="Debian Policy §5.6.12")
    return int(found[1] or 0), _runs(found[2]), _runs(found[3] or "0")


def _runs(text: str) -> tuple[Any, ...]:
    """Text and numbers by turns; a tilde sorts before the end, letters before everything else."""
    runs: list[Any] = []
    for words, digits in _RUN.findall(text):
        if words or digits:
            runs += [_word(words), int(digits or 0)]
    return (*runs, _word(""))


def _word(text: str) -> tuple[int, ...]:
    ranks = [-1 if one == "~" else ord(one) if one.isalpha() else ord(one) + 256 for one in text]
    return (*ranks, 0)


ORDERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        **dict.fromkeys(("npm", "crates.io", "go", "hex", "pub", "swifturl", "semver"), semver_key),
        **dict.fromkeys(("debian", "ubuntu"), debian_key),
    }
)
"""Ecosystem of OSV in lower case, without the release behind its colon -> key to sort its versions by."""
