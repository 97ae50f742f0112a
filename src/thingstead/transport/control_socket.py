"""Control sockets: JSON lines over a Unix socket, for the owner of the domain's files or for one group."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import json
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from thingstead.errors import ConfigError, RoleError, TransportError

__all__ = ["Answer", "ControlClient", "ControlServer", "group_id", "user_id"]

_MAX_LINE = 1 << 20
_MAX_ANSWER = 256 << 20
_MAX_CLIENTS = 32
_MOST_DIGITS = 10
_TURNS_TO_BEGIN = 5
"""Turns of the event loop in which a connection is seen, accepted, made and served."""
_PATIENCE = 60.0
_BUSY = {"error": {"kind": "TransportError", "reason": "busy", "message": "too many ask here at once"}}
_UCRED = struct.Struct("3i")

Answer = Callable[[dict[str, Any], int], Awaitable[dict[str, Any]]]
"""Takes one request object and the number of the user who asks, and returns one response object; must not raise."""


class ControlServer:
    """Serves the socket (mode 0600) and refuses peers that are neither the domain's user nor root.

    Args:
        path: where.
        answer: what asks are answered by.
        group: whose members may ask too: mode 0660, and the kernel says who may connect.
        patience: seconds that a client may say nothing; its place is for others then.
    """

    def __init__(self, path: Path, answer: Answer, *, group: str = "", patience: float = _PATIENCE) -> None:
        self._path = path
        self._patience = patience
        self._group = group
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; a stale socket of a dead controller is replaced (the data directory's lock says it is dead).

        Raises:
            ConfigError: a path too long for a Unix socket or not ours to make, or a group that is none or not ours.
        """
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, path=str(self._path), limit=_MAX_LINE)
            if self._group:
                os.chown(self._path, -1, group_id(self._group))
                self._path.chmod(0o660)
        except (OSError, ConfigError) as error:
            await self.close()
            raise ConfigError(f"cannot open the control socket {self._path}: {error}") from error
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Stop listening, remove the socket and hang up on whoever is still connected."""
        if self._server is not None:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
            # Who connected just before is accepted and known first; a task that nobody knows nobody would end.
            for _ in range(_TURNS_TO_BEGIN):
                await asyncio.sleep(0)
            self._server.close()
            for client in self._clients:
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            uid = _uid(writer)
            if len(self._clients) > _MAX_CLIENTS:
                _write(writer, _BUSY)
            elif self._group or uid in (0, os.getuid()):
                while line := await asyncio.wait_for(reader.readline(), self._patience):
                    _write(writer, await self._answer(_object(line), uid))
                    await writer.drain()
        except (ValueError, RecursionError, ConnectionError, TimeoutError):
            # Not JSON, a line over the limit, or a client that left or says nothing: nothing to answer it with.
            pass
        except asyncio.CancelledError:
            # A client that does not read what it asked for holds up nobody's end.
            writer.transport.abort()
            raise
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self._clients.discard(task)


class ControlClient:
    """Asks a running controller; one blocking connection, used by command lines."""

    def __init__(self, path: Path, *, timeout: float = 60.0) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(str(path))
        except PermissionError as error:
            self._socket.close()
            raise RoleError(f"{path} is not open to you") from error
        except OSError as error:
            self._socket.close()
            raise TransportError(f"no controller answers at {path}; start one with `thingstead up`") from error
        self._stream = self._socket.makefile("rwb")

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request and wait for its response.

        Raises:
            TransportError: the controller went away or did not answer in time.
        """
        try:
            # Who hangs up on a question may have said why before.
            with contextlib.suppress(BrokenPipeError):
                self._stream.write(json.dumps(request).encode() + b"\n")
                self._stream.flush()
            line = self._stream.readline(_MAX_ANSWER)
        except OSError as error:
            raise TransportError(f"the controller at {self._path} did not answer: {error}") from error
        if not line.endswith(b"\n"):
            raise TransportError(f"the controller at {self._path} closed the connection before it had answered")
        return _object(line)

    def close(self) -> None:
        """Hang up."""
        # What could not be sent is still in the stream, and cannot be sent now either; that was told.
        with contextlib.suppress(OSError):
            self._stream.close()
        self._socket.close()


def _write(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer, separators=(",", ":")).encode() + b"\n")


def _uid(writer: asyncio.StreamWriter) -> int:
    credentials = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _pid, uid, _gid = _UCRED.unpack(credentials)
    return int(uid)


def group_id(name: str) -> int:
    """The number of a group of this machine.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise ConfigError(f"this machine has no group {name[:40]!r}") from error


def user_id(name: str) -> int:
    """The number of a user of this machine.

    Args:
        name: the user's name, or the number itself.

    Raises:
        ConfigError: there is none of that name.
    """
    if name.isascii() and name.isdecimal() and len(name) < _MOST_DIGITS:
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError) as error:
        raise ConfigError(f"this machine has no user {name[:40]!r}") from error


def _object(line: bytes) -> dict[str, Any]:
    match json.loads(line):
        case dict(value):
            return value
        case _:
            raise ValueError("expected a JSON object")
