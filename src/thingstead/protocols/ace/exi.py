"""Tokens for things without a clock: how long from when they first come, and in which order they were issued.

(RFC 9200 §5.10.3.) The `cti` of such a token is the name of its resource server and a sequence number, counted by the
authorization server for each. The resource server counts the seconds of `exi`, and takes what has a number at or below
the highest that has ended for ended, too: so it needs no memory of each.
"""

from __future__ import annotations

from thingstead.errors import DecodeError

__all__ = ["MAX_EXI", "sequence_number", "token_id"]

MAX_EXI = 366 * 86_400
"""Seconds; nobody counts longer than a year."""

_SIZE = 8
_SPEC = "RFC 9200 §5.10.3"


def token_id(audience: str, number: int) -> bytes:
    """The `cti` of the token with this number for this resource server."""
    return audience.encode() + number.to_bytes(_SIZE, "big")


def sequence_number(cti: bytes, audience: str) -> int:
    """The number in a `cti` for this resource server.

    Raises:
        DecodeError: it is of another form.
    """
    name = audience.encode()
    if len(cti) != len(name) + _SIZE or not cti.startswith(name):
        raise DecodeError("expected a cti of the resource server's name and a number of 8 bytes", spec=_SPEC)
    return int.from_bytes(cti[len(name) :], "big")
