"""Messages between processes of one domain: four bytes of length, then CBOR; and who is at the other end."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path
from typing import Any

from thingstead.errors import DecodeError, ForbiddenError, TransportError
from thingstead.protocols.cbor import codec

__all__ = ["DONE", "LIMITS", "REFUSED", "Connection", "peer_user", "read", "receive", "require_size", "send"]

LIMITS = codec.Limits(max_bytes=1 << 28)
"""A backup is signed whole; nothing else comes near."""

DONE, REFUSED = 0, 1
"""An answer is ``[0, result]``, or ``[1, why not]``."""

_PATIENCE = 10.0
_HEAD = struct.Struct("!I")
_UCRED = struct.Struct("3i")


class Connection:
    """Asks another process of the domain; connected at the first question, and again where that was started anew."""

    def __init__(self, path: Path, *, patience: float = _PATIENCE) -> None:
        self._path = path
        self._patience = patience
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def ask(self, *message: Any) -> Any:
        """Ask, and wait for the answer.

        Raises:
            ForbiddenError: it refuses, and says why.
            TransportError: it does not answer.
        """
        match self.exchange(list(message)):
            case [0, result]:
                return result
            case [1, why]:
                raise ForbiddenError(f"{self._path.stem} refuses: {why}", reason="keeper")
        self.close()
        raise TransportError(f"nobody answers at {self._path}: expected an answer", reason="keeper")

    def exchange(self, message: list[Any]) -> list[Any]:
        """Send a message, and wait for the one that comes back.

        Raises:
            TransportError: none does.
        """
        # A backup is signed in a thread of its own.
        with self._lock:
            try:
                return self._exchange(message)
            except (OSError, TransportError, DecodeError):
                # It may have been started again; what it is asked does no harm twice.
                self.close()
            try:
                return self._exchange(message)
            except (OSError, TransportError, DecodeError) as error:
                self.close()
                raise TransportError(f"nobody answers at {self._path}: {error}", reason="keeper") from error

    def _exchange(self, message: list[Any]) -> list[Any]:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(self._patience)
            self._socket.connect(str(self._path))
        send(self._socket, message)
        return receive(self._socket)

    def close(self) -> None:
        """Hang up; the next question connects anew."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def send(sock: socket.socket, message: list[Any]) -> None:
    """Write one message.

    Raises:
        OSError: the other end is gone, or takes nothing.
    """
    data = codec.encode(message)
    sock.sendall(_HEAD.pack(len(data)) + data)


def receive(sock: socket.socket) -> list[Any]:
    """Read one message.

    Raises:
        TransportError: the other end is gone.
        DecodeError: over the limit, or no array that begins with a number.
        OSError: it does not come in time.
    """
    (size,) = _HEAD.unpack(_exactly(sock, _HEAD.size))
    return read(_exactly(sock, require_size(size)))


def require_size(size: int) -> int:
    """Pass what a message may have.

    Raises:
        DecodeError: it has more.
    """
    if size > LIMITS.max_bytes:
        raise DecodeError(f"expected at most {LIMITS.max_bytes} bytes, got {size}")
    return size


def read(data: bytes) -> list[Any]:
    """A message out of its bytes.

    Raises:
        DecodeError: over the limit, or no array that begins with a number.
    """
    message = codec.decode(data, limits=LIMITS)
    if not isinstance(message, list) or not message or type(message[0]) is not int:
        raise DecodeError("expected an array that begins with a number")
    return message


def peer_user(sock: socket.socket) -> int:
    """The user at the other end, as the kernel knows it."""
    _pid, uid, _gid = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return int(uid)


def _exactly(sock: socket.socket, size: int) -> bytes:
    parts, left = [], size
    while left:
        part = sock.recv(min(left, 1 << 16))
        if not part:
            raise TransportError("the other end has closed the connection")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
