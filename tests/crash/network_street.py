"""A segment with real devices, a host outside, and one question: which of all their packets arrive just now."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address

from pyroute2 import IPRoute

from thingstead.enforcement.namespace import Site, inside
from thingstead.protocols.dns.message import Question, RecordType, decode, encode_query

__all__ = ["FLOW", "FLOW_PORT", "FROM_OUTSIDE", "NAMED", "NEVER", "SIDEWAYS", "Passage", "Street"]

NAMED, NEVER = 4000, 4009
SIDEWAYS, FROM_OUTSIDE, FLOW = -1, -2, -3
"""In place of a port: a neighbour's, that of a device itself, and the flow that was opened at the start."""

FLOW_PORT = 4002
_PORTS = (NAMED, 4001, FLOW_PORT, 4003, 4005, NEVER)
_DOOR, _OUTSIDE_PORT = 4600, 4700
_PATIENCE = 0.04
_SIZE = 64


@dataclass(frozen=True, slots=True, order=True)
class Passage:
    """A packet that arrived.

    Attributes:
        device: who sent it, or for whom it was from outside.
        ip: the last number of the address that it was sent from.
        port: where it went.
    """

    device: int
    ip: int
    port: int


class Street:
    """Devices on one segment, each with two addresses of which it may have one.

    Attributes:
        site: the network.
        devices: by number; the last is nobody's.
    """

    def __init__(self, devices: int) -> None:
        self.site = Site.create()
        self.devices = [self.site.attach(index) for index in range(1, devices + 2)]
        self._sweep = 0
        self._outside = [inside(self.site.outside, partial(_door, port)) for port in _PORTS]
        self._sender = inside(self.site.outside, lambda: _door(_OUTSIDE_PORT))
        self._doors = [inside(one.namespace, lambda: _door(_DOOR)) for one in self.devices]
        for number, one in enumerate(self.devices):
            inside(one.namespace, partial(_take_address, self.address(number, 1)))
        self._flows: dict[int, socket.socket] = {}

    def address(self, device: int, which: int) -> IPv4Address:
        """The first or second address of a device."""
        first = self.devices[device].ipv4
        return first if which == 0 else IPv4Address(int(first) + 1024)

    def sweep(self, which: Iterable[int] = (0, 1)) -> frozenset[Passage]:
        """Everybody tries everything once; what arrived."""
        self._sweep += 1
        addresses = tuple(which)
        for number, one in enumerate(self.devices):
            inside(one.namespace, partial(self._try_all, number, addresses))
            self._sender.sendto(self._mark(number, 0, FROM_OUTSIDE), (str(self.address(number, 0)), _DOOR))
        return frozenset(self._collect())

    def opened(self, device: int, which: int) -> None:
        """From now on a device has a flow to the host outside, which its sweeps use."""
        if device in self._flows:
            self._flows.pop(device).close()
        address = str(self.address(device, which))
        self._flows[device] = inside(self.devices[device].namespace, lambda: _client(address, self.site.internet))

    def asks(self, device: int, which: int, name: str) -> bool:
        """Whether our resolver tells a device an address of a name."""
        client = inside(
            self.devices[device].namespace, lambda: _client(str(self.address(device, which)), None, blocking=True)
        )
        with client:
            client.sendto(encode_query(Question(name, RecordType.A), id=7), (str(self.site.controller_ipv4), 53))
            try:
                return bool(decode(client.recv(2048)).answers)
            except (TimeoutError, ConnectionError):
                return False

    def scans(self, device: int, which: int) -> None:
        """A device tries sixty ports of the host outside by TCP, one after the other."""
        address, target = str(self.address(device, which)), str(self.site.internet)

        def scan() -> None:
            for port in range(7000, 7060):
                with socket.socket() as client:
                    client.setblocking(False)
                    client.bind((address, 0))
                    client.connect_ex((target, port))

        inside(self.devices[device].namespace, scan)

    def close(self) -> None:
        """End it."""
        for one in (*self._outside, self._sender, *self._doors, *self._flows.values()):
            one.close()
        self.site.close()

    def _mark(self, device: int, ip: int, port: int) -> bytes:
        return f"{self._sweep} {device} {ip} {port}".encode()

    def _try_all(self, number: int, which: Iterable[int]) -> None:
        target, neighbour = str(self.site.internet), (number + 1) % len(self.devices)
        for ip in which:
            with _client(str(self.address(number, ip)), None) as client:
                places = [(target, port, port) for port in _PORTS]
                places.append((str(self.address(neighbour, 0)), _DOOR, SIDEWAYS))
                for host, port, said in places:
                    _send(client, self._mark(number, ip, said), (host, port))
        if number in self._flows:
            _send(self._flows[number], self._mark(number, 0, FLOW), (target, FLOW_PORT))

    def _collect(self) -> Iterable[Passage]:
        until = time.monotonic() + _PATIENCE
        doors = [*self._outside, *self._doors]
        while (left := until - time.monotonic()) > 0:
            for door in select.select(doors, [], [], left)[0]:
                data, sender = door.recvfrom(_SIZE)
                sweep, *numbers = map(int, data.split())
                if numbers[2] == FLOW:
                    _send(door, b"0 0 0 0", sender)  # an answer, without which it would be no flow
                if sweep == self._sweep:
                    yield Passage(*numbers)


def _door(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("0.0.0.0", port))
    made.setblocking(False)
    return made


def _client(address: str, peer: IPv4Address | None, *, blocking: bool = False) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, 0))
    made.settimeout(2.0 if blocking else 0.0)
    return made


def _send(sock: socket.socket, data: bytes, to: tuple[str, int]) -> None:
    try:
        sock.sendto(data, to)
    except (BlockingIOError, PermissionError):
        return  # full, or refused at once: it does not arrive


def _take_address(ip: IPv4Address) -> None:
    with IPRoute() as route:
        route.addr("add", index=route.link_lookup(ifname="eth0")[0], address=str(ip), prefixlen=16)
