"""Peers that are not ours, driven alike in both roles: aiocoap, npm's coap, and libcoap's two programs."""

from __future__ import annotations

import asyncio
import json
import re
from abc import ABC, abstractmethod
from asyncio import StreamReader
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.interop.endpoint_party import LARGE
from tests.interop.keys import Keys
from tests.port import free_port

__all__ = ["Aiocoap", "Libcoap", "Node", "Peer", "RefusedError"]

_HERE = Path(__file__).parent
_IPV4, _IPV6 = "127.0.0.1", "::1"
_PATIENCE = 20.0


class RefusedError(Exception):
    """The peer got no response that it accepts."""


class Peer(ABC):
    """One peer; its server has ``/hello``, ``/large``, ``/store`` (to be observed too), and what `slow` says.

    Args:
        folder: empty directory for its files.
        keys: what it shares with us; None: it speaks in clear.
    """

    host = _IPV4
    knows_echo = False
    """Its client brings an Echo value back in clear too (RFC 9175 §2.3)."""
    slow = "/slow"
    """Path of what its server acknowledges first and answers later."""

    def __init__(self, folder: Path, keys: Keys | None) -> None:
        self.folder = folder
        self.keys = keys
        self.port = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.crash()

    @abstractmethod
    async def serve(self) -> int:
        """Start its server; the port is the result, and the same again after a crash."""

    @abstractmethod
    async def change(self, payload: bytes) -> None:
        """Give its server's ``/store`` another representation."""

    @abstractmethod
    async def ask(
        self, method: str, uri: str, payload: bytes = b"", *, confirmable: bool = True, size: int | None = None
    ) -> tuple[str, bytes]:
        """Code and payload that its client gets; `size`: the blocks that it is to use, in bytes.

        Raises:
            RefusedError: it gets none.
        """

    @abstractmethod
    async def observe(self, uri: str) -> bytes:
        """The first payload of an observation by its client."""

    @abstractmethod
    async def next(self) -> bytes:
        """The next notification's payload."""

    @abstractmethod
    async def cancel(self) -> None:
        """End the observation by telling the server (RFC 7641 §3.6)."""

    @abstractmethod
    async def crash(self) -> None:
        """Kill all its processes, as a power failure would; what it has on disk stays."""


class _Scripted(Peer):
    """A script beside this module that takes one line of JSON and answers with one."""

    def __init__(self, folder: Path, keys: Keys | None, *, command: Sequence[str | Path]) -> None:
        super().__init__(folder, keys)
        self._command = command
        self._process: Process | None = None

    async def serve(self) -> int:
        self.port = self.port or free_port(self.host)
        await self._call("serve", self.port, self._credentials())
        return self.port

    async def change(self, payload: bytes) -> None:
        await self._call("change", payload.hex())

    async def ask(
        self, method: str, uri: str, payload: bytes = b"", *, confirmable: bool = True, size: int | None = None
    ) -> tuple[str, bytes]:
        code, answer = await self._call("ask", method, uri, payload.hex(), confirmable, size, self._credentials())
        return code, bytes.fromhex(answer)

    async def observe(self, uri: str) -> bytes:
        return bytes.fromhex(await self._call("observe", uri, self._credentials()))

    async def next(self) -> bytes:
        return bytes.fromhex(await self._call("next"))

    async def cancel(self) -> None:
        await self._call("cancel")

    async def crash(self) -> None:
        if self._process is not None:
            await _kill(self._process)
            self._process = None

    def _credentials(self) -> str | None:
        return None

    async def _call(self, function: str, *arguments: object) -> Any:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE, limit=1 << 20)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([function, arguments]).encode() + b"\n")
        async with asyncio.timeout(_PATIENCE):
            line = await self._process.stdout.readline()
        outcome, value = json.loads(line)
        if outcome != "ok":
            raise RefusedError(value)
        return value


class Aiocoap(_Scripted):
    """aiocoap, in the environment whose interpreter is `python`."""

    host = _IPV6

    def __init__(self, folder: Path, keys: Keys | None, *, python: Path) -> None:
        super().__init__(folder, keys, command=(python, _HERE / "aiocoap_party.py"))

    def _credentials(self) -> str | None:
        return None if self.keys is None else str(self.keys.as_aiocoap(self.folder / "context"))


class Node(_Scripted):
    """npm's coap, which `directory` holds."""

    def __init__(self, folder: Path, keys: Keys | None, *, node: str, directory: Path) -> None:
        assert keys is None, "npm's coap has no OSCORE"
        super().__init__(folder, keys, command=(node, _HERE / "node_party.js", directory / "node_modules" / "coap"))


_OBSERVATION = 2
_LOG = 1 << 24  # all that a server says is taken from it, so that it never waits for a reader


class Libcoap(Peer):
    """libcoap's example programs `client` and `server`; each request is a process of its own."""

    knows_echo = True
    slow = "/async?1"

    def __init__(self, folder: Path, keys: Keys | None, *, client: str | Path, server: str | Path) -> None:
        super().__init__(folder, keys)
        self._client = client
        self._server = server
        self._serving: Process | None = None
        self._observing: Process | None = None
        self._client_port = 0

    async def serve(self) -> int:
        self.port = self.port or free_port(self.host)
        arguments = ["-A", self.host, "-p", str(self.port), "-d", "10", "-v", "7", *self._context("server")]
        self._serving = await asyncio.create_subprocess_exec(
            self._server, *arguments, cwd=self.folder, stdout=PIPE, stderr=DEVNULL, limit=_LOG
        )
        assert self._serving.stdout is not None
        await _line(self._serving.stdout, rb"created TCP +endpoint")
        for path, payload in (("hello", b"hello"), ("large", LARGE), ("store", b"empty")):
            await self._put(path, payload)
        return self.port

    async def change(self, payload: bytes) -> None:
        await self._put("store", payload)

    async def ask(
        self, method: str, uri: str, payload: bytes = b"", *, confirmable: bool = True, size: int | None = None
    ) -> tuple[str, bytes]:
        arguments = [*([] if confirmable else ["-N"]), *([] if size is None else ["-b", str(size)])]
        return await self._run(method, uri, payload, *arguments, *self._context("client"))

    async def observe(self, uri: str) -> bytes:
        # It prints what it gets, a line each, and takes its leave when the seconds of -s are over.
        arguments = ["-s", str(_OBSERVATION), "-B", str(_OBSERVATION + 2), "-w", "-m", "get"]
        self._observing = await asyncio.create_subprocess_exec(
            self._client, *arguments, *self._context("client"), uri, cwd=self.folder, stdout=PIPE
        )
        return await self.next()

    async def next(self) -> bytes:
        assert self._observing is not None
        assert self._observing.stdout is not None
        async with asyncio.timeout(_PATIENCE):
            return (await self._observing.stdout.readline()).rstrip(b"\n")

    async def cancel(self) -> None:
        assert self._observing is not None
        async with asyncio.timeout(_PATIENCE):
            await self._observing.wait()

    async def crash(self) -> None:
        for process in (self._serving, self._observing):
            if process is not None:
                await _kill(process)
        self._serving = self._observing = None

    def _context(self, role: str) -> list[str]:
        if self.keys is None:
            return []
        context = ["-E", f"{self.keys.as_libcoap(self.folder / 'context')},{role}.sequence"]
        if role == "client":
            # One address for all requests, so that we see it receive once.
            self._client_port = self._client_port or free_port(self.host)
            context += ["-p", str(self._client_port)]
        return context

    async def _put(self, path: str, payload: bytes) -> None:
        code, _ = await self._run("PUT", f"coap://{self.host}:{self.port}/{path}", payload)
        assert code in {"2.01", "2.04"}, code

    async def _run(self, method: str, uri: str, payload: bytes, *arguments: str) -> tuple[str, bytes]:
        sent, got = self.folder / "sent", self.folder / "got"
        sent.write_bytes(payload)
        got.unlink(missing_ok=True)
        body = ["-f", str(sent)] if payload else []
        process = await asyncio.create_subprocess_exec(
            self._client,
            *("-v", "7", "-B", "10", "-m", method.lower(), "-o", str(got), *body, *arguments, uri),
            cwd=self.folder,
            stdout=PIPE,
            stderr=DEVNULL,
        )
        async with asyncio.timeout(_PATIENCE):
            told, _ = await process.communicate()
        codes = re.findall(rb"process incoming (\d\.\d\d) response", told)
        if not codes:
            raise RefusedError(told.decode(errors="replace"))
        return codes[-1].decode(), got.read_bytes() if got.exists() else b""


async def _line(reader: StreamReader, pattern: bytes) -> None:
    async with asyncio.timeout(_PATIENCE):
        while line := await reader.readline():
            if re.search(pattern, line):
                return
    raise AssertionError(f"the peer ended before it said {pattern!r}")


async def _kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
