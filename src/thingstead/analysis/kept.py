"""What of a detector's memory outlasts a restart: rows of plain values, each of the kinds that it has."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from thingstead.errors import DecodeError

__all__ = ["numbers", "of", "rows"]

_LARGEST = 1 << 53
"""Beyond it a float does not tell one integer from the next."""


def of(things: Container[bytes], kept: Iterable[tuple[bytes, Any]], most: int) -> list[tuple[bytes, Any]]:
    """What is kept of the domain's things, of the `most` that were heard last: strangers are learned anew."""
    return [(device, one) for device, one in kept if device in things][-most:]


def rows(kept: object, *kinds: type) -> list[list[Any]]:
    """Rows as they were kept.

    Raises:
        DecodeError: anything else.
    """
    if not isinstance(kept, list) or not all(isinstance(row, list) for row in kept):
        raise DecodeError("expected rows of what was kept")
    if any([type(one) for one in row] != list(kinds) for row in kept):
        raise DecodeError(f"expected rows of {', '.join([one.__name__ for one in kinds])}")
    _require_size(one for row in kept for one in row if type(one) is int)
    return kept


def numbers(kept: list[Any]) -> list[int]:
    """One or more integers.

    Raises:
        DecodeError: anything else.
    """
    if not kept or any(type(one) is not int for one in kept):
        raise DecodeError("expected integers")
    _require_size(kept)
    return kept


def _require_size(numbers: Iterable[int]) -> None:
    """They become times, and no time is as long as this."""
    if any(abs(one) > _LARGEST for one in numbers):
        raise DecodeError(f"expected integers of at most {_LARGEST}")
