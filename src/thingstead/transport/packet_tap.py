"""Frames of the link that things are on, as they pass: read, never sent; one wake-up takes many, no task per frame."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from thingstead.errors import TransportError

__all__ = ["PacketTap"]

_ETH_P_ALL = 0x0003
_PACKET_LEVEL, _ADD_MEMBERSHIP, _STATISTICS, _IGNORE_OUTGOING = 263, 1, 6, 23
"""SOL_PACKET and its options (packet(7))."""
_OUTGOING, _PROMISCUOUS = 4, 1
"""PACKET_OUTGOING and PACKET_MR_PROMISC."""
_MEMBERSHIP = struct.Struct("@iHH8s")
_GET_ADDRESS = 0x8915
"""SIOCGIFADDR (netdevice(7))."""
_IPV6_ADDRESSES = Path("/proc/self/net/if_inet6")

_TIMESTAMP, _TIME, _EXTRA = 35, struct.Struct("@qq"), 64
"""SO_TIMESTAMPNS of asm-generic/socket.h: the kernel's own time of each frame."""

_KEPT = 2048
_BUFFER = 4 << 20


class _Way(Enum):
    """Which frames of a link are taken, so that each is seen once and before any rule has spoken."""

    BOTH = "both"
    IN = "in"
    """Of a bridge's port: what is sent out of it came in by another, or is the bridge's own."""
    OUT = "out"
    """Of a bridge: what this machine sends to its ports."""


@dataclass(frozen=True, slots=True)
class _Ear:
    socket: socket.socket
    index: int
    way: _Way


class PacketTap:
    """Sees what passes on interfaces, and on the ports of those that are bridges.

    Args:
        interfaces: their names; each must be there.
        ports_of: names of a bridge's ports; none where an interface is no bridge.

    Raises:
        TransportError: an interface is not there, or this process may not see frames (CAP_NET_RAW).
    """

    def __init__(self, interfaces: Sequence[str], *, ports_of: Callable[[str], tuple[str, ...]]) -> None:
        self._interfaces = tuple(interfaces)
        self._ports_of = ports_of
        self._ears: dict[str, _Ear] = {}
        self._buffer = bytearray(_KEPT)
        self._on_frames: Callable[[], None] | None = None
        self._is_listening = False
        self._lost = 0
        for name in self._interfaces:
            try:
                self._open(name, _Way.OUT if ports_of(name) else _Way.BOTH)
            except OSError as error:
                self.close()
                raise TransportError(
                    f"cannot see the frames of {name}: {error.strerror}", reason="packet-tap"
                ) from error
        self.refresh()

    @property
    def macs(self) -> frozenset[bytes]:
        """Link-layer addresses of this machine there."""
        return frozenset([self._ears[one].socket.getsockname()[4][:6] for one in self._interfaces if one in self._ears])

    @property
    def addresses(self) -> frozenset[bytes]:
        """IP addresses of this machine there, packed: the first of IPv4, all of IPv6."""
        return frozenset([address for name in self._interfaces for address in (*_ipv4(name), *_ipv6(name))])

    def refresh(self) -> None:
        """Hear the ports that bridges have now, and links that came back; what is gone is let go."""
        wanted: dict[str, _Way] = {}
        for interface in self._interfaces:
            ports = self._ports_of(interface)
            wanted |= {interface: _Way.OUT if ports else _Way.BOTH} | dict.fromkeys(ports, _Way.IN)
        for name, ear in tuple(self._ears.items()):
            if wanted.get(name) is not ear.way or _index(name) != ear.index:
                self._drop(name)
        for name, way in wanted.items():
            if name not in self._ears:
                # It may be gone since it was named; it is looked for again.
                with suppress(OSError):
                    self._open(name, way)

    def take(self, most: int) -> list[tuple[bytes, int, str]]:
        """Frames that wait, at most so many of each link: what is kept of each, its octets on the wire, and its port.

        That is the bridge's port by which it came in; empty for what this machine sends, and where there is no bridge.
        In the kernel's order of time: an answer that leaves by one link must not be seen before the question
        that came in by another.
        """
        ears = tuple(self._ears.items())
        taken = [(*frame, name if ear.way is _Way.IN else "") for name, ear in ears for frame in self._of(ear, most)]
        taken.sort(key=_stamp)
        return [(data, size, port) for _, data, size, port in taken]

    def _of(self, ear: _Ear, most: int) -> Iterator[tuple[bytes, bytes, int]]:
        for _ in range(most):
            try:
                size, extra, _, address = ear.socket.recvmsg_into([self._buffer], _EXTRA, socket.MSG_TRUNC)
            except OSError:
                # Nothing waits, or the link went down.
                return
            if ear.way is not _Way.OUT or address[2] == _OUTGOING:
                stamp = b"".join([data for _, _, data in extra])
                yield stamp, bytes(self._buffer[: min(size, _KEPT)]), size

    def lost(self) -> int:
        """Frames that came faster than they were taken, since the start."""
        for ear in self._ears.values():
            self._lost += _lost(ear.socket)
        return self._lost

    def listen(self, on_frames: Callable[[], None]) -> None:
        """Have `on_frames` called whenever frames wait, on the running event loop."""
        self._on_frames = on_frames
        self.resume()

    def pause(self) -> None:
        """Call nobody until `resume`; what the kernel cannot keep meanwhile is lost, and counted."""
        if self._is_listening:
            self._is_listening = False
            for ear in self._ears.values():
                asyncio.get_running_loop().remove_reader(ear.socket)

    def resume(self) -> None:
        """Call again."""
        if self._on_frames is not None and not self._is_listening:
            self._is_listening = True
            for ear in self._ears.values():
                asyncio.get_running_loop().add_reader(ear.socket, self._on_frames)

    def close(self) -> None:
        """Let go of the sockets."""
        self.pause()
        for name in tuple(self._ears):
            self._drop(name)

    def _open(self, name: str, way: _Way) -> None:
        self._ears[name] = ear = _ear(name, way)
        if self._is_listening and self._on_frames is not None:
            asyncio.get_running_loop().add_reader(ear.socket, self._on_frames)

    def _drop(self, name: str) -> None:
        ear = self._ears.pop(name)
        if self._is_listening:
            asyncio.get_running_loop().remove_reader(ear.socket)
        self._lost += _lost(ear.socket)
        ear.socket.close()


def _ear(interface: str, way: _Way) -> _Ear:
    # Of no protocol until it is bound: else it would begin with the frames of all interfaces.
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
        if way is _Way.IN:
            sock.setsockopt(_PACKET_LEVEL, _IGNORE_OUTGOING, 1)
        sock.bind((interface, _ETH_P_ALL))
        index = socket.if_nametoindex(interface)
        if way is _Way.BOTH:
            sock.setsockopt(_PACKET_LEVEL, _ADD_MEMBERSHIP, _MEMBERSHIP.pack(index, _PROMISCUOUS, 0, b""))
    except OSError:
        sock.close()
        raise
    return _Ear(sock, index, way)


def _stamp(frame: tuple[bytes, bytes, int, str]) -> tuple[int, ...]:
    return _TIME.unpack(frame[0]) if len(frame[0]) == _TIME.size else ()


def _index(name: str) -> int | None:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None


def _lost(sock: socket.socket) -> int:
    """Since it was asked last (packet(7))."""
    return int.from_bytes(sock.getsockopt(_PACKET_LEVEL, _STATISTICS, 8)[4:], sys.byteorder)


def _ipv4(interface: str) -> tuple[bytes, ...]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking, _GET_ADDRESS, struct.pack("256s", interface.encode()))
        except OSError:
            return ()
    return (answer[20:24],)


def _ipv6(interface: str) -> list[bytes]:
    try:
        rows = [line.split() for line in _IPV6_ADDRESSES.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return []
    return [bytes.fromhex(row[0]) for row in rows if row[-1] == interface]
