"""A load generator whose own cost does not count, and the CPU time of the server that it drives."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Server", "client", "drive", "serving"]

_CPU_CLOCK_OF_PROCESS = 2  # clock_getcpuclockid(3) makes its number of this and the process's
_PATIENCE_SECONDS = 5.0
_EMPTY, _CON = 0, 0


@dataclass(frozen=True, slots=True)
class Server:
    """A server process that listens on [::1]."""

    name: str
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """CPU time of all its threads so far, user and system, to the nanosecond."""
        return time.clock_gettime(~self.pid << 3 | _CPU_CLOCK_OF_PROCESS)


@contextlib.contextmanager
def serving(command: list[str], *, port: int, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Run a server until the block ends; it prints its name and version in one line once it listens."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=os.environ | (environment or {})
    )
    try:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        if not name:
            raise RuntimeError(f"{command[-1]} did not start")
        yield Server(name, port, process.pid)
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def client(server: Server, *, port: int = 0) -> Iterator[socket.socket]:
    """A socket towards the server, from `port` of ours: a server that verified it once knows it again."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind(("::1", port))
        sock.connect(("::1", server.port))
        yield sock


def drive(server: Server, peer: socket.socket, requests: list[bytes], *, window: int = 16) -> float:
    """Send every request with at most `window` unanswered; return the server's CPU seconds.

    Raises:
        RuntimeError: a request found no answer: figures of a run that lost some would flatter.
    """
    before = server.cpu_seconds()
    sent = answered = 0
    while answered < len(requests):
        while sent < len(requests) and sent - answered < window:
            peer.send(requests[sent])
            sent += 1
        if not select.select([peer], [], [], _PATIENCE_SECONDS)[0]:
            raise RuntimeError(f"{server.name} left {sent - answered} of {sent} requests unanswered")
        answer = peer.recv(2048)
        if answer[1] == _EMPTY:
            continue  # the response comes by itself later (RFC 7252 §5.2.2)
        if answer[0] >> 4 & 3 == _CON:
            peer.send(bytes((0x60, _EMPTY)) + answer[2:4])
        if answer[1] >> 5 != 2:
            raise RuntimeError(f"{server.name} answered {answer[1] >> 5}.{answer[1] & 31:02}: {answer[4:]!r}")
        answered += 1
    return server.cpu_seconds() - before
