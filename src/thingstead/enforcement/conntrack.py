"""End what is tracked as an open flow, so that each of its packets must pass the rules again.

Attribute numbers are those of linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network

from thingstead.domain.network import ThingAddress
from thingstead.enforcement.netlink import Message, NetfilterSocket, NetlinkError, attribute, nested, parse_attributes

__all__ = ["end_flows", "end_flows_of", "within"]

_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2
_ORIGINAL, _REPLY, _ZONE, _FILTER = 1, 2, 18, 25
_ADDRESSES = 1
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_PLACES = {4: ((1, 1), (2, 2)), 6: ((3, 1), (4, 2))}
"""Attribute of source and destination, and the flag that has a filter compare it."""


def end_flows(kernel: NetfilterSocket, addresses: Iterable[ThingAddress]) -> None:
    """Forget the tracked connections from and to a thing.

    Raises:
        NetlinkError: the kernel refused.
    """
    for one in addresses:
        for kind, flag in _PLACES[one.ip.version]:
            body = nested(_ORIGINAL, nested(_ADDRESSES, attribute(kind, one.ip.packed))) + nested(
                _FILTER, attribute(1, struct.pack("=I", flag)), attribute(2, struct.pack("=I", 0))
            )
            kernel.request(Message(_DELETE, 0, _FAMILIES[one.ip.version], body))


def end_flows_of(kernel: NetfilterSocket, is_meant: Callable[[bytes], bool]) -> int:
    """Forget all tracked connections with an address that is meant, as either side has it; all others go on.

    Returns:
        How many they were.

    Raises:
        NetlinkError: the kernel refused.
    """
    ended = 0
    for version, family in _FAMILIES.items():
        for answer in kernel.ask(Message(_GET, 0, family, b""), dump=True):
            flow = dict(parse_attributes(answer))
            if not any(map(is_meant, _ends(flow, version))):
                continue
            zone = attribute(_ZONE, flow[_ZONE]) if _ZONE in flow else b""
            try:
                kernel.request(Message(_DELETE, 0, family, nested(_ORIGINAL, flow[_ORIGINAL]) + zone))
            except NetlinkError as error:
                if error.number != errno.ENOENT:
                    raise
            ended += 1
    return ended


def within(prefixes: Iterable[IPv4Network | IPv6Network]) -> Callable[[bytes], bool]:
    """Whether an address is in one of these networks."""
    bounds = [(one.network_address.packed, one.broadcast_address.packed) for one in prefixes]
    return lambda ip: any(len(ip) == len(first) and first <= ip <= last for first, last in bounds)


def _ends(flow: dict[int, bytes], version: int) -> Iterator[bytes]:
    """As either side has them, for translation makes them differ."""
    for side in (_ORIGINAL, _REPLY):
        found = dict(parse_attributes(dict(parse_attributes(flow.get(side, b""))).get(_ADDRESSES, b"")))
        yield from (found[kind] for kind, _ in _PLACES[version] if kind in found)
