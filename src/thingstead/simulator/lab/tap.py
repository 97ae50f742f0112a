"""What passes in the gateway's namespace, frame by frame and port by port, before any rule has spoken."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from thingstead.errors import ConfigError

__all__ = ["Sighting", "Tap"]

_ETH_P_ALL = 0x0003
_OUTGOING = 4
_TIMESTAMP = 35
"""SO_TIMESTAMPNS of asm-generic/socket.h: the kernel's own time of each frame."""

_LONGEST = 65_535
_BUFFER = 16 << 20
_FORCED_BUFFER = 33
_PACKET_LEVEL, _STATISTICS = 263, 6
"""SOL_PACKET and PACKET_STATISTICS: how many there were, and how many were lost (packet(7))."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One frame at one interface.

    Attributes:
        interface: where.
        outgoing: leaving by it, not come in.
        frame: as it was.
        at: real time, in seconds since 1970, by the kernel.
    """

    interface: str
    outgoing: bool
    frame: bytes
    at: float


class Tap:
    """Sees every interface of the network namespace that it is made in.

    Raises:
        ConfigError: no right to raw sockets here.
    """

    def __init__(self) -> None:
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        except OSError as error:
            raise ConfigError(f"cannot see frames here: {error.strerror}") from error
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _FORCED_BUFFER, _BUFFER)
        except OSError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)

    def drain(self) -> Iterator[Sighting]:
        """All that the kernel holds by now, in its order."""
        while True:
            try:
                data, extra, _, address = self._socket.recvmsg(_LONGEST, 64)
            except BlockingIOError:
                return
            yield Sighting(address[0], address[2] == _OUTGOING, data, _stamp(extra))

    def lost(self) -> int:
        """Frames that came faster than they were taken, since this was asked last."""
        return int.from_bytes(self._socket.getsockopt(_PACKET_LEVEL, _STATISTICS, 8)[4:], sys.byteorder)

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()


def _stamp(extra: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in extra:
        if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMP):
            return int.from_bytes(data[:8], sys.byteorder) + int.from_bytes(data[8:16], sys.byteorder) / 1e9
    return time.time()
