"""Which bytes of a file a request asks for (RFC 9110 §14): one range, as clients that go on after a loss send it."""

from __future__ import annotations

import re

from thingstead.errors import DecodeError

__all__ = ["wanted"]

_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})")


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """First byte, and the one after the last; None for all: any other form may be left out of account (§14.2).

    Raises:
        DecodeError: a range that begins behind the end ("range", 416).
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or not (found["first"] or found["last"]):
        return None
    if not found["first"]:
        length = min(int(found["last"]), size)
        first, end = size - length, size
    else:
        first = int(found["first"])
        end = min(int(found["last"]) + 1, size) if found["last"] else size
        if found["last"] and int(found["last"]) < first:
            return None
    if first >= size or first >= end:
        raise DecodeError(f"expected a range within {size} bytes", spec="RFC 9110 §15.5.17", reason="range")
    return first, end
