"""Grammar as tables: checks are functions that take a decoded value and give it back in one form (RFC 8610).

Choices that others may extend (``$name`` in CDDL) carry a tag that is not in their table as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor.codec import Tag

__all__ = [
    "Check",
    "boolean",
    "choice",
    "integer",
    "members",
    "octets",
    "one_or_more",
    "record",
    "text",
    "uint",
    "unlike",
]

Check = Callable[[Any], Any]
"""Gives a value back, lists as tuples; raises `DecodeError`."""

_MAX_TEXT = 1 << 14
_MAX_ITEMS = 1 << 12
_SPEC = "RFC 8610 §3"


def text(value: Any) -> str:
    """A text of bounded length."""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise unlike("text", value)
    return value


def integer(value: Any) -> int:
    """A whole number."""
    if type(value) is not int:
        raise unlike("an integer", value)
    return value


def uint(value: Any) -> int:
    """A number that is not negative."""
    if type(value) is not int or value < 0:
        raise unlike("an unsigned integer", value)
    return value


def boolean(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise unlike("true or false", value)
    return value


def octets(*sizes: int) -> Check:
    """Bytes, of one of these sizes if any are given."""

    def check(value: Any) -> bytes:
        if not isinstance(value, bytes) or (sizes and len(value) not in sizes):
            raise unlike(f"bytes{' of ' if sizes else ''}{' or '.join(map(str, sizes))}", value)
        return value

    return check


def one_or_more(check: Check, *, least: int = 1) -> Check:
    """An array of at least so many values."""

    def check_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not least <= len(value) <= _MAX_ITEMS:
            raise unlike(f"an array of {least} or more", value)
        return tuple([check(item) for item in value])

    return check_all


def record(*checks: Check, optional: int = 0) -> Check:
    """An array of these values in this order, of which the last `optional` may be left out."""

    def check_each(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not len(checks) - optional <= len(value) <= len(checks):
            raise unlike(f"an array of {len(checks)} values", value)
        return tuple([check(item) for check, item in zip(checks, value, strict=False)])

    return check_each


def choice(tags: Mapping[int, Check], *plain: Check, extensible: bool = True) -> Check:
    """A value under one of these tags, or plain and of one of these kinds; the tag stays on it.

    Args:
        tags: tag number -> what it is put on.
        plain: kinds without a tag.
        extensible: whether profiles may add tags.
    """

    def check_one(value: Any) -> Any:
        if isinstance(value, Tag):
            check = tags.get(value.tag)
            if check is not None:
                return Tag(value.tag, check(value.value))
            if extensible:
                return value
        for check in plain:
            try:
                return check(value)
            except DecodeError:
                continue
        known = ", ".join([str(int(number)) for number in tags])
        raise unlike(f"a value under one of the tags {known}", value)

    return check_one


def members(
    value: Any, table: Mapping[int, Check], *, what: str, needs: Collection[int] = (), extensible: bool = False
) -> dict[Any, Any]:
    """A map of numbered members.

    Args:
        value: decoded.
        table: number -> check.
        what: the map's name, for the refusal.
        needs: numbers that must be there; there must be one in any case.
        extensible: whether others may be there as well; they are carried as they are.

    Raises:
        DecodeError: no map, empty, a member missing, unknown or of another kind.
    """
    if not isinstance(value, Mapping) or not value:
        raise unlike(f"a {what} with something in it", value)
    found: dict[Any, Any] = {}
    for key, item in value.items():
        check = table.get(key) if type(key) is int else None
        if check is None and not (extensible and type(key) in {int, str}):
            raise DecodeError(f"expected no member {key!r:.40} in a {what}", spec=_SPEC, reason="member")
        try:
            found[key] = item if check is None else check(item)
        except DecodeError as error:
            raise DecodeError(f"{what} {key}: {error.message}", spec=error.spec, reason=error.reason) from error
    missing = [number for number in needs if number not in found]
    if missing:
        raise DecodeError(f"expected the member {missing[0]} in a {what}", spec=_SPEC, reason="member")
    return found


def unlike(expected: str, value: Any) -> DecodeError:
    """The refusal of a value that is none of what is expected; long ones are cut."""
    shown = f"{len(value)} bytes" if isinstance(value, bytes) else f"{value!r:.60}"
    return DecodeError(f"expected {expected}, got {shown}", spec=_SPEC)
