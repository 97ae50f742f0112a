"""End what is tracked as an open flow, so that each of its packets must pass the rules again.

Attribute numbers are those of linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network

from thingstead.domain.network import ThingAddress
from thingstead.enforcement.netlink import Message, NetfilterSocket, NetlinkError, attribute, nested, parse_attributes

__all__ = ["end_flows", "end_flows_of", "within"]

_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2
_ORIGINAL, _REPLY, _ZONE, _FILTER = 1, 2, 18, 25
_ADDRESSES = 1
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_PLACES = {4: (1, 2), 6: (3, 4)}
"""Attributes of source and destination."""

_SOURCE = 1
"""Flag that has a filter compare it."""


_FEW = 4
_IPV4 = 4


def end_flows(kernel: NetfilterSocket, addresses: Sequence[ThingAddress]) -> None:
    """Forget the tracked connections from and to these addresses.

    Who opens a flow is the source of its first direction, and who answers that of the other, however it is translated.
    To look for one the kernel goes through all connections: for many it is asked for them once.

    Raises:
        NetlinkError: the kernel refused.
    """
    if len(addresses) > _FEW:
        among = frozenset([one.ip.packed for one in addresses])
        end_flows_of(kernel, among.__contains__)
        return
    for one in addresses:
        address = nested(_ADDRESSES, attribute(_PLACES[one.ip.version][0], one.ip.packed))
        for side in (_ORIGINAL, _REPLY):
            flags = [attribute(of, struct.pack("=I", _SOURCE * (of == side))) for of in (_ORIGINAL, _REPLY)]
            body = nested(side, address) + nested(_FILTER, *flags)
            kernel.request(Message(_DELETE, 0, _FAMILIES[one.ip.version], body))


def end_flows_of(kernel: NetfilterSocket, is_meant: Callable[[bytes], bool]) -> int:
    """Forget all tracked connections with an address that is meant, as either side has it; all others go on.

    Returns:
        How many they were.

    Raises:
        NetlinkError: the kernel refused.
    """
    ended = 0
    for answer in kernel.ask(Message(_GET, 0, socket.AF_UNSPEC, b""), dump=True):
        flow = dict(parse_attributes(answer))
        ends = [ip for side in (_ORIGINAL, _REPLY) for ip in _ends(flow.get(side, b""))]
        if not any(map(is_meant, ends)):
            continue
        zone = attribute(_ZONE, flow[_ZONE]) if _ZONE in flow else b""
        family = _FAMILIES[4 if len(ends[0]) == _IPV4 else 6]
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


def _ends(side: bytes) -> Iterator[bytes]:
    """Source and destination as one side has them, for translation makes the two differ."""
    found = dict(parse_attributes(dict(parse_attributes(side)).get(_ADDRESSES, b"")))
    yield from (found[kind] for places in _PLACES.values() for kind in places if kind in found)
