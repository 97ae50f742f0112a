"""A packet capture of our own network: every frame of an interface into a pcap file, bounded, for any reader of it.

The format is draft-ietf-opsawg-pcap: a file header, then a record header before each frame.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from thingstead.clock import Clock
from thingstead.errors import ConfigError, StorageError
from thingstead.secret import Secret

__all__ = ["Leak", "Limits", "PacketSocket", "PcapWriter", "leaks", "open_capture_socket"]

_ETH_P_ALL = 0x0003
_OUTGOING = 4
_MAGIC_NANOSECONDS = 0xA1B23C4D
_ETHERNET = 1
_FILE_HEADER = struct.Struct("<IHHiIII")
_RECORD_HEADER = struct.Struct("<IIII")
_BATCH = 256
_RECEIVE_BUFFER = 8 << 20
_SHORTEST_SECRET = 8
_LOOPBACK = "lo"
_UDP = b"\x11"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on a capture.

    Attributes:
        max_file: bytes of the file; what comes later is counted only.
        max_frame: bytes kept of one frame.
    """

    max_file: int = 256 << 20
    max_frame: int = 4096


class PacketSocket(Protocol):
    """A socket that sees frames, as `open_capture_socket` opens it."""

    def fileno(self) -> int:
        """Its descriptor."""
        ...

    def getsockname(self) -> Any:
        """A tuple that begins with the interface's name."""
        ...

    def recvfrom(self, size: int, /) -> tuple[bytes, Any]:
        """A frame, and a tuple whose third element is its packet type (packet(7))."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class PcapWriter:
    """Writes what a capture socket sees, on the event loop's own thread.

    Attributes:
        frames: written.
        left_out: not written, as the file is full.

    Args:
        path: the file, made 0600 and replaced if it is there.
        sock: from `open_capture_socket`; closed with the writer.
        clock: for the time of each frame.
        port: keep only what goes from or to this UDP port.
        limits: bounds.

    Raises:
        StorageError: the file cannot be made.
        ConfigError: loopback without a port: what else is there is none of ours.
    """

    def __init__(
        self,
        path: Path,
        sock: PacketSocket,
        *,
        clock: Clock,
        port: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        is_loopback = sock.getsockname()[0] == _LOOPBACK
        if is_loopback and port is None:
            raise ConfigError("expected the port to capture on loopback, which other programs use too")
        self._port = port
        self._limits = limits or Limits()
        self._socket = sock
        self._clock = clock
        self.frames = 0
        self.left_out = 0
        self._file = _create(path)
        self._left = self._limits.max_file
        self._write(_FILE_HEADER.pack(_MAGIC_NANOSECONDS, 2, 4, 0, 0, self._limits.max_frame, _ETHERNET))
        # Loopback hands every frame over twice: as it leaves and as it comes.
        self._ignored = _OUTGOING if is_loopback else None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._drain)

    def close(self) -> None:
        """Take what the kernel still holds, and end."""
        self._loop.remove_reader(self._socket)
        self._drain(_RECEIVE_BUFFER)
        self._socket.close()
        self._file.close()

    def _drain(self, most: int = _BATCH) -> None:
        nanoseconds = round(self._clock.utc().timestamp() * 1_000_000) * 1000
        for _ in range(most):
            try:
                frame, address = self._socket.recvfrom(1 << 16)
            except OSError:
                # Nothing more to read, or the interface went with its namespace.
                return
            if address[2] != self._ignored and (self._port is None or self._port in _udp_ports(frame)):
                self._record(frame, nanoseconds)

    def _record(self, frame: bytes, nanoseconds: int) -> None:
        kept = frame[: self._limits.max_frame]
        if len(kept) + _RECORD_HEADER.size > self._left:
            self.left_out += 1
            return
        seconds, rest = divmod(nanoseconds, 1_000_000_000)
        self._write(_RECORD_HEADER.pack(seconds, rest, len(kept), len(frame)) + kept)
        self.frames += 1

    def _write(self, data: bytes) -> None:
        self._left -= len(data)
        self._file.write(data)


def open_capture_socket(interface: str) -> socket.socket:
    """Open a socket that sees every frame of an interface; in a namespace of ours it takes no privilege.

    Raises:
        ConfigError: no such interface, or no right to see its frames.
    """
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    except OSError as error:
        raise ConfigError(f"cannot capture here: {error.strerror}; it needs namespaces of its own, or root") from error
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        sock.bind((interface, 0))
    except OSError as error:
        sock.close()
        raise ConfigError(f"cannot capture on {interface}: {error.strerror}") from error
    return sock


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that stands in a capture.

    Attributes:
        name: of the secret.
        form: how it was written there.
        offset: where, in bytes.
    """

    name: str
    form: str
    offset: int


def leaks(capture: bytes, secrets: Mapping[str, Secret]) -> list[Leak]:
    """Search a whole capture for every secret, as bytes, hexadecimal and base64 (R-24).

    Raises:
        ValueError: a secret so short that it stands in any capture by chance.
    """
    found: list[Leak] = []
    for name, secret in secrets.items():
        if len(secret) < _SHORTEST_SECRET:
            raise ValueError(f"{name} has {len(secret)} bytes, too few to be searched for")
        for form, written in _forms(secret.reveal()):
            offset = capture.find(written)
            if offset >= 0:
                found.append(Leak(name, form, offset))
    return found


def _forms(value: bytes) -> Iterator[tuple[str, bytes]]:
    yield "bytes", value
    yield "hexadecimal", value.hex().encode()
    yield "hexadecimal", value.hex().upper().encode()
    for form, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for shift in range(3):
            # In the middle of a longer text the same bytes have three spellings; the ends depend on what is around.
            whole = encode(bytes(shift) + value).rstrip(b"=")
            yield form, whole[-(-shift * 4 // 3) : -1]


def _udp_ports(frame: bytes) -> tuple[int, ...]:
    """Source and destination of UDP in IP in Ethernet; nothing for any other frame, nor behind IPv6 extensions."""
    packet, first = frame[14:], frame[14:15]
    if frame[12:14] == b"\x08\x00" and packet[9:10] == _UDP:
        udp = packet[(first[0] & 0x0F) * 4 :]
    elif frame[12:14] == b"\x86\xdd" and packet[6:7] == _UDP:
        udp = packet[40:]
    else:
        return ()
    return int.from_bytes(udp[:2], "big"), int.from_bytes(udp[2:4], "big")


def _create(path: Path) -> BinaryIO:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
    return os.fdopen(descriptor, "wb")
