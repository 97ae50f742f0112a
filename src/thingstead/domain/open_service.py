"""A service of a thing that answered when it was knocked at from outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId
from thingstead.protocols.cbor import codec

__all__ = ["OpenService", "decode", "encode"]


@dataclass(frozen=True, slots=True)
class OpenService:
    """One that answers.

    Attributes:
        thing: whose.
        address: where it was found.
        protocol: of IP: 6 or 17.
        port: on the thing.
        since: when it was found first.
        open_to: who reaches it, by the rules in force: controller, site, internet; all three where nobody enforces.
        expected: its maker's file, the owner's rules or the domain itself name it.
        why: by whose word, or that nobody speaks of it.
        seen_from: where somebody knocked for us: site or internet; empty for this machine.
    """

    thing: ThingId
    address: str
    protocol: int
    port: int
    since: datetime
    open_to: tuple[str, ...]
    expected: bool
    why: str
    seen_from: str = ""


def encode(services: Iterable[OpenService]) -> bytes:
    """One document: the services of one thing."""
    return codec.encode(
        [
            [
                [one.address, one.why, *([one.seen_from] if one.seen_from else [])],
                [one.protocol, one.port],
                microseconds(one.since),
                list(one.open_to),
                one.expected,
            ]
            for one in services
        ]
    )


def decode(document: bytes, *, thing: ThingId) -> list[OpenService]:
    """Read back what `encode` gave.

    Raises:
        DecodeError: anything else.
    """
    rows = codec.decode(document)
    if not isinstance(rows, list):
        raise DecodeError("expected a list of services that answered")
    return [_row(row, thing) for row in rows]


def _row(row: object, thing: ThingId) -> OpenService:
    match row:
        case [[str(address), str(why)], [int(protocol), int(port)], int(since), list(open_to), bool(expected)]:
            seen_from = ""
        case [
            [str(address), str(why), str(seen_from)],
            [int(protocol), int(port)],
            int(since),
            list(open_to),
            bool(expected),
        ]:
            pass
        case _:
            raise DecodeError("expected a service: where, by what, since when, to whom and by whose word")
    if not all(isinstance(one, str) for one in open_to):
        raise DecodeError("expected to whom a service is open, in words")
    return OpenService(thing, address, protocol, port, instant(since), tuple(open_to), expected, why, seen_from)
