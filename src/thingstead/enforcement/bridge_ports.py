"""The ports of the bridges that things are on, and this machine's own addresses there; both come and go."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from pyroute2 import IPRoute

from thingstead.domain.network import ThingAddress
from thingstead.enforcement.layout import bridge_bindings
from thingstead.enforcement.netlink import NetlinkError
from thingstead.enforcement.table import BRIDGE, Element

__all__ = ["BridgePorts"]

_NETLINK_ROUTE = 0
_LINKS, _ADDRESSES4, _ADDRESSES6 = 0x1, 0x10, 0x100
"""RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR: what the kernel tells of as it happens."""

_RECEIVE_BYTES = 1 << 16


class BridgePorts:
    """Knows when to look again without looking: the kernel's notices are read, not what is in them.

    Args:
        interfaces: of the configuration; one that is no bridge has no ports.
    """

    def __init__(self, interfaces: Iterable[str]) -> None:
        self._interfaces = tuple(interfaces)
        self._notices = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE)
        self._notices.bind((0, _LINKS | _ADDRESSES4 | _ADDRESSES6))
        self._notices.setblocking(False)
        self._is_known = False

    def changed(self) -> bool:
        """Whether anything may be other than when `elements` was asked; true at first.

        Raises:
            NetlinkError: the kernel tells nothing any more.
        """
        told = not self._is_known
        while True:
            try:
                told = bool(self._notices.recv(_RECEIVE_BYTES)) or told
            except BlockingIOError:
                return told
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise NetlinkError(error.errno or errno.EIO, "to tell of links") from error
                # More came than fits: what was lost is looked up all the same.
                told = True

    def elements(self) -> Iterator[Element]:
        """What the bridge's table holds of ports and of this machine itself."""
        self._is_known = True
        with IPRoute() as route:
            for interface in self._interfaces:
                for index in route.link_lookup(ifname=interface):
                    mac = bytes.fromhex(route.get_links(index)[0].get_attr("IFLA_ADDRESS").replace(":", ""))
                    for link in route.get_links(master=index):
                        key = int(link["index"]).to_bytes(4, sys.byteorder)
                        yield Element("ports", key, family=BRIDGE)
                        yield Element("gateway_mac", key, data=mac, family=BRIDGE)
                    for row in route.get_addr(index=index):
                        yield from bridge_bindings(ThingAddress(mac, ip_address(row.get_attr("IFA_ADDRESS"))))

    def port_of(self, mac: bytes) -> str:
        """Behind which port an interface was heard last; empty where none of the bridges has heard it."""
        with IPRoute() as route:
            bridges = [index for name in self._interfaces for index in route.link_lookup(ifname=name)]
            rows = [row for index in bridges for row in route.fdb("dump", master=index, lladdr=mac.hex(":"))]
            heard = [row["ifindex"] for row in rows if row.get_attr("NDA_LLADDR") == mac.hex(":")]
            names = [route.get_links(index)[0].get_attr("IFLA_IFNAME") for index in heard]
        return next((str(name) for name in names if name not in self._interfaces), "")

    def close(self) -> None:
        """Hear no more notices."""
        self._notices.close()
