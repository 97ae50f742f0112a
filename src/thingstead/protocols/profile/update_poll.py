"""What a thing says when it asks for releases: where its update keys are, and what it verifies.

Two arguments of the query: ``k`` is the start of the digest of its update keys, in hexadecimal, and ``v`` the COSE
algorithms whose signatures it verifies, with points between. A thing that says neither is offered releases alone.
The domain answers with one step of update keys (application/cbor) where the thing is behind, and else with an envelope.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from thingstead.errors import DecodeError
from thingstead.protocols.profile.succession import UpdateKeys

__all__ = ["PLACE_SIZE", "Standing", "place", "query", "read"]

PLACE_SIZE = 8
"""Bytes of the digest: enough to tell a maker's few sets of keys apart, and nothing is decided by it."""

_MAX_ALGORITHMS = 16
_MAX_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """What a poll says.

    Attributes:
        place: of the thing's update keys; empty where it said nothing.
        verifies: COSE algorithms; None where it said nothing.
    """

    place: bytes = b""
    verifies: frozenset[int] | None = None


def place(keys: UpdateKeys) -> bytes:
    """How a set of update keys is named in a poll."""
    return keys.digest[:PLACE_SIZE]


def query(keys: UpdateKeys, verifies: Iterable[int]) -> tuple[str, ...]:
    """The arguments of a poll."""
    return (f"k={place(keys).hex()}", f"v={'.'.join(str(one) for one in sorted(verifies))}")


def read(arguments: Iterable[str]) -> Standing:
    """Read them; an argument that is not ours is passed over.

    Raises:
        DecodeError: one of ours that is malformed.
    """
    told, verifies = b"", None
    for name, _, value in (argument.partition("=") for argument in arguments):
        if name == "k":
            told = _place(value)
        elif name == "v":
            verifies = frozenset([_number(one) for one in value.split(".")]) if value else frozenset[int]()
            if len(verifies) > _MAX_ALGORITHMS:
                raise DecodeError(f"expected at most {_MAX_ALGORITHMS} algorithms in a poll")
    return Standing(told, verifies)


def _place(value: str) -> bytes:
    try:
        found = bytes.fromhex(value)
    except ValueError:
        found = b""
    if len(found) != PLACE_SIZE or found.hex() != value:
        raise DecodeError(f"expected {PLACE_SIZE} bytes in lower-case hexadecimal for a thing's update keys")
    return found


def _number(value: str) -> int:
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
        raise DecodeError("expected COSE algorithm numbers in a poll")
    return int(value)
