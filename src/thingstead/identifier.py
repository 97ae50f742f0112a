"""Floor 1: identifiers that last, and the shape each must have."""

from __future__ import annotations

import base64
import re
from typing import NewType

from thingstead.errors import DecodeError

__all__ = ["KeyId", "ThingId", "TransitionId", "is_thing_id", "key_id", "thing_id", "thing_id_from_random"]

ThingId = NewType("ThingId", str)
"""``thing-`` and 16 characters of base32: 80 random bits; permanent, tells nothing, survives every key."""

KeyId = NewType("KeyId", str)
"""Name of a key in a key store: a file name's safe characters, at most 64."""

TransitionId = NewType("TransitionId", str)
"""Names one transition and makes its obligations idempotent: ``<thing id>/<version>``."""

_THING_ID = re.compile(r"thing-[a-z2-7]{16}")
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def thing_id(text: str) -> ThingId:
    """Parse a `ThingId`.

    Raises:
        DecodeError: `text` is not ``thing-`` and 16 characters of lower-case base32.
    """
    if not _THING_ID.fullmatch(text):
        raise DecodeError(f"expected a thing id such as thing-abcdefghijklmnop, got {text[:40]!r}")
    return ThingId(text)


def is_thing_id(text: str) -> bool:
    """Whether `text` is one."""
    return _THING_ID.fullmatch(text) is not None


def thing_id_from_random(random_bytes: bytes) -> ThingId:
    """Make a `ThingId` from exactly 10 fresh random bytes."""
    if len(random_bytes) != 10:
        raise ValueError("a thing id takes 10 random bytes")
    return ThingId("thing-" + base64.b32encode(random_bytes).decode("ascii").lower())


def key_id(text: str) -> KeyId:
    """Parse a `KeyId`; it becomes a file name, so nothing that could leave a directory passes.

    Raises:
        DecodeError: empty, over 64 characters, or with a character outside ``A-Za-z0-9._-``.
    """
    if not _KEY_ID.fullmatch(text):
        raise DecodeError(f"expected a key id of 1 to 64 of A-Za-z0-9._-, got {text[:40]!r}")
    return KeyId(text)
