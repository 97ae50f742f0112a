"""One row of what is kept of a thing's conversations: with whom, what for, how much, and by whose word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

__all__ = ["Contact", "decode", "encode", "merged"]

_UDP = 17


@dataclass(frozen=True, slots=True)
class Contact:
    """Conversations of a thing with one other, by one protocol and port, decided alike.

    Attributes:
        outbound: the thing began them.
        who: name that the thing looked up, a thing's id, or the address.
        address: that was used last; empty for several others together.
        protocol: of IP; None for what is not IP.
        port: that was contacted, on whichever side; None where there is none.
        allowed: whether a rule lets it begin.
        by: whose word decided: maker, owner, domain, nobody.
        rule: name of the owner's rule, where it was one.
        why: in a sentence.
        first: when the first began.
        last: when the last was heard.
        flows: how many.
        packets_out: from the thing.
        octets_out: likewise.
        packets_in: to it.
        octets_in: likewise.
        dropped: packets that the kernel logged as dropped; under a flood a sample of them.
    """

    outbound: bool
    who: str
    address: str
    protocol: int | None
    port: int | None
    allowed: bool
    by: str
    rule: str
    why: str
    first: datetime
    last: datetime
    flows: int
    packets_out: int
    octets_out: int
    packets_in: int
    octets_in: int
    dropped: int

    @property
    def is_answered(self) -> bool:
        """Whether both sides were heard; or by UDP the one that began, for somebody may have listened."""
        return bool(self.packets_in and self.packets_out) or self.protocol == _UDP

    @property
    def packets(self) -> int:
        """Both ways, and those that were dropped."""
        return self.packets_out + self.packets_in + self.dropped


def merged(contacts: Iterable[Contact]) -> list[Contact]:
    """Each kind once, in the order in which it came first; what was refused for two reasons is two kinds.

    What is allowed has the newest reason: whose word it is changes with the files, and nothing is to be undone.
    """
    found: dict[tuple[object, ...], Contact] = {}
    for one in contacts:
        reason = () if one.allowed else (one.by, one.rule)
        key = (one.outbound, one.who, one.protocol, one.port, one.allowed, reason)
        before = found.get(key)
        found[key] = one if before is None else _sum(before, one)
    return list(found.values())


def encode(contacts: Iterable[Contact]) -> bytes:
    """One document."""
    return codec.encode(
        [
            [
                [one.outbound, one.allowed],
                [one.who, one.address, one.by, one.rule, one.why],
                [one.protocol, one.port],
                [microseconds(one.first), microseconds(one.last)],
                [one.flows, one.packets_out, one.octets_out, one.packets_in, one.octets_in, one.dropped],
            ]
            for one in contacts
        ]
    )


def decode(document: bytes) -> list[Contact]:
    """Read back what `encode` gave.

    Raises:
        DecodeError: anything else.
    """
    rows = codec.decode(document)
    if not isinstance(rows, list):
        raise DecodeError("expected a list of contacts")
    return [_row(row) for row in rows]


def _row(row: Any) -> Contact:
    """Types are compared by the group: a preview for a fleet reads a million of these, and a pattern takes thrice."""
    try:
        flags, texts, what, times, counts = row
        kinds = [list(map(type, group)) for group in (row, flags, texts, times, counts)]
        protocol, port = what
    except (TypeError, ValueError):
        kinds = []
    if kinds != _KINDS or type(protocol) not in _NUMBER or type(port) not in _NUMBER:
        raise DecodeError("expected a contact: which way, with whom, by what, when and how much")
    (outbound, allowed), (who, address, by, rule, why), (first, last) = flags, texts, map(instant, times)
    return Contact(outbound, who, address, protocol, port, allowed, by, rule, why, first, last, *counts)


_KINDS = [[list] * 5, [bool] * 2, [str] * 5, [int] * 2, [int] * 6]
_NUMBER = (int, type(None))


def _sum(before: Contact, after: Contact) -> Contact:
    return replace(
        after,
        first=min(before.first, after.first),
        last=max(before.last, after.last),
        flows=before.flows + after.flows,
        packets_out=before.packets_out + after.packets_out,
        octets_out=before.octets_out + after.octets_out,
        packets_in=before.packets_in + after.packets_in,
        octets_in=before.octets_in + after.octets_in,
        dropped=before.dropped + after.dropped,
    )
