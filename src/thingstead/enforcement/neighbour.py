"""Who is on the segment, as the kernel's neighbour tables know it: ARP and IPv6 neighbour discovery."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from pyroute2 import IPRoute

from thingstead.domain.network import NO_MAC, ThingAddress
from thingstead.enforcement.netlink import NetlinkError, RouteSocket, attribute

__all__ = ["NeighbourTable"]

_USED = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
"""NUD_REACHABLE, STALE, DELAY, PROBE, PERMANENT: the kernel holds a link-layer address that a neighbour gave."""

_MAC_SIZE = 6

# linux/rtnetlink.h and linux/neighbour.h: struct rtmsg, struct ndmsg, and what is asked with them.
_ROUTE = struct.Struct("=8BI")
_NEIGHBOUR = struct.Struct("=B3xiHBB")
_GET_ROUTE, _GET_NEIGHBOUR = 26, 30
_TO, _LEAVES_BY, _LINK_LAYER = 1, 4, 2


class NeighbourTable:
    """The tables of the network namespace that it is asked in; reading them takes no privilege.

    They are a cache of some minutes that the kernel keeps for its own use: who was not talked to is not in them.

    Args:
        interfaces: names of the network interfaces behind which things live.
    """

    def __init__(self, interfaces: Iterable[str] = ()) -> None:
        self._interfaces = tuple(interfaces)

    def mac_of(self, ip: str) -> bytes:
        """The MAC address behind an IP address; `NO_MAC` behind a router, on loopback, or if none is known whole."""
        address = ip_address(ip)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        bare, _, zone = str(address).partition("%")
        packed = ip_address(bare).packed
        try:
            with RouteSocket() as route:
                index = socket.if_nametoindex(zone) if zone else _way(route, packed, family)
                head, told = route.ask(_GET_NEIGHBOUR, _NEIGHBOUR.pack(family, index, 0, 0, 0), attribute(_TO, packed))
        except (NetlinkError, OSError):
            return NO_MAC
        state = _NEIGHBOUR.unpack(head)[2]
        mac = told.get(_LINK_LAYER, b"")
        # A tunnel has an IP address here.
        return mac if state & _USED and len(mac) == _MAC_SIZE else NO_MAC

    def neighbours(self) -> tuple[ThingAddress, ...]:
        """Everybody whom the kernel knows behind the interfaces; behind one that is not there is nobody."""
        with IPRoute() as route:
            indices = [index for name in self._interfaces for index in route.link_lookup(ifname=name)]
            rows = [(_mac(row), row) for index in indices for row in route.get_neighbours(ifindex=index)]
        return tuple([ThingAddress(mac, ip_address(row.get_attr("NDA_DST"))) for mac, row in rows if mac != NO_MAC])


def _way(route: RouteSocket, packed: bytes, family: int) -> int:
    """The interface that a datagram to an address would leave by."""
    request = _ROUTE.pack(family, 8 * len(packed), 0, 0, 0, 0, 0, 0, 0)
    _, told = route.ask(_GET_ROUTE, request, attribute(_TO, packed))
    return int.from_bytes(told.get(_LEAVES_BY, b""), sys.byteorder)


def _mac(row: Any) -> bytes:
    text = row.get_attr("NDA_LLADDR")
    if not row["state"] & _USED or text is None:
        return NO_MAC
    # A tunnel has an IP address here.
    mac = bytes.fromhex(text.replace(":", "")) if text.count(":") == _MAC_SIZE - 1 else NO_MAC
    return mac if len(mac) == _MAC_SIZE else NO_MAC
