"""Frames of the link that things are on, as they pass: read, never sent; one wake-up takes many, no task per frame."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from thingstead.errors import TransportError

__all__ = ["PacketTap"]

_ETH_P_ALL = 0x0003
_PACKET_LEVEL, _ADD_MEMBERSHIP, _STATISTICS, _PROMISCUOUS = 263, 1, 6, 1
"""SOL_PACKET and its options (packet(7))."""
_MEMBERSHIP = struct.Struct("@iHH8s")
_GET_ADDRESS = 0x8915
"""SIOCGIFADDR (netdevice(7))."""
_IPV6_ADDRESSES = Path("/proc/self/net/if_inet6")

_KEPT = 2048
_BUFFER = 4 << 20


class PacketTap:
    """Sees what passes on interfaces; on a bridge also what it forwards between its ports.

    Frames that the rules of a bridge drop before it forwards are not seen here; what a router drops is.

    Args:
        interfaces: their names; each must be there.

    Raises:
        TransportError: an interface is not there, or this process may not see frames (CAP_NET_RAW).
    """

    def __init__(self, interfaces: Sequence[str]) -> None:
        self._sockets: list[socket.socket] = []
        self._buffer = bytearray(_KEPT)
        self._on_frames: Callable[[], None] | None = None
        self._is_listening = False
        self._lost = 0
        for interface in interfaces:
            try:
                self._sockets.append(_open(interface))
            except OSError as error:
                self.close()
                raise TransportError(
                    f"cannot see the frames of {interface}: {error.strerror}", reason="packet-tap"
                ) from error

    @property
    def macs(self) -> frozenset[bytes]:
        """Link-layer addresses of this machine there."""
        return frozenset([one.getsockname()[4][:6] for one in self._sockets])

    @property
    def addresses(self) -> frozenset[bytes]:
        """IP addresses of this machine there, packed: the first of IPv4, all of IPv6."""
        names = [str(one.getsockname()[0]) for one in self._sockets]
        return frozenset([address for name in names for address in (*_ipv4(name), *_ipv6(name))])

    def take(self, most: int) -> list[tuple[bytes, int]]:
        """Frames that wait, at most so many of each interface: what is kept of each, and its octets on the wire."""
        taken = []
        for one in self._sockets:
            for _ in range(most):
                try:
                    size = one.recv_into(self._buffer, 0, socket.MSG_TRUNC)
                except BlockingIOError:
                    break
                except OSError:
                    # The interface went down; it is heard again when it comes back.
                    break
                taken.append((bytes(self._buffer[: min(size, _KEPT)]), size))
        return taken

    def lost(self) -> int:
        """Frames that came faster than they were taken, since the start."""
        for one in self._sockets:
            self._lost += int.from_bytes(one.getsockopt(_PACKET_LEVEL, _STATISTICS, 8)[4:], sys.byteorder)
        return self._lost

    def listen(self, on_frames: Callable[[], None]) -> None:
        """Have `on_frames` called whenever frames wait, on the running event loop."""
        self._on_frames = on_frames
        self.resume()

    def pause(self) -> None:
        """Call nobody until `resume`; what the kernel cannot keep meanwhile is lost, and counted."""
        if self._is_listening:
            self._is_listening = False
            for one in self._sockets:
                asyncio.get_running_loop().remove_reader(one)

    def resume(self) -> None:
        """Call again."""
        if self._on_frames is not None and not self._is_listening:
            self._is_listening = True
            for one in self._sockets:
                asyncio.get_running_loop().add_reader(one, self._on_frames)

    def close(self) -> None:
        """Let go of the sockets."""
        self.pause()
        while self._sockets:
            self._sockets.pop().close()


def _open(interface: str) -> socket.socket:
    # Of no protocol until it is bound: else it would begin with the frames of all interfaces.
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sock.bind((interface, _ETH_P_ALL))
        # A bridge hands up what it forwards to whoever asks for all of it.
        membership = _MEMBERSHIP.pack(socket.if_nametoindex(interface), _PROMISCUOUS, 0, b"")
        sock.setsockopt(_PACKET_LEVEL, _ADD_MEMBERSHIP, membership)
    except OSError:
        sock.close()
        raise
    return sock


def _ipv4(interface: str) -> tuple[bytes, ...]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking, _GET_ADDRESS, struct.pack("256s", interface.encode()))
        except OSError:
            return ()
    return (answer[20:24],)


def _ipv6(interface: str) -> list[bytes]:
    try:
        rows = [line.split() for line in _IPV6_ADDRESSES.read_text(encoding="ascii").splitlines()]
    except OSError:
        return []
    return [bytes.fromhex(row[0]) for row in rows if row[-1] == interface]
