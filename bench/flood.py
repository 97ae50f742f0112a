"""A thing's requests while strangers send to the same socket as fast as the other core can (R-36).

The server is the whole controller. The strangers are one process that does nothing but send, from many ports: public
requests, requests under contexts that nobody has, and under the thing's own with a tag that does not verify. The thing
sends confirmable protected requests all the while, and repeats each as RFC 7252 §4.2 says.
"""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import coap_server
from bench.coap_server import Contender
from bench.figure import Figure
from thingstead.protocols.coap.reliability import TransmissionParameters

__all__ = ["figures"]

_ROOT = Path(__file__).resolve().parents[1]
_PORT = 56_860
_REQUESTS = 500
_INTERVAL = 0.01
_FLOOD_SECONDS = 15.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class _Waiting:
    """A request until it is answered: when it is due again, the wait before that, and how often it was sent."""

    data: bytes
    due: float
    timeout: float
    sent: int = 1


def figures() -> Iterator[Figure]:
    """What the strangers offered, what the thing got, and what the server kept of it in memory."""
    with ExitStack() as running:
        server = coap_server.ours(running, _PORT)
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(server.server.pid, cores[:1])
        capacity = 1e6 / min(server.microseconds("plain") for _ in range(3))
        before = _resident(server.server.pid)
        command = [sys.executable, "-m", "bench.server.strangers", str(_PORT), str(_FLOOD_SECONDS), str(cores[-1])]
        strangers = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
        first, all_ = _ask(server)
        output, _ = strangers.communicate()
        kept = _resident(server.server.pid) - before
    offered = float(output) / _FLOOD_SECONDS
    yield Figure(
        "flood: datagrams of strangers a second, beside capacity", "1/s", round(offered), round(capacity), "ours"
    )
    yield Figure("flood: a thing's requests answered at the first try", "%", round(100 * first / _REQUESTS, 1))
    yield Figure("flood: a thing's requests answered within retransmissions", "%", round(100 * all_ / _REQUESTS, 1))
    yield Figure("flood: memory that the server has more than before", "MB", round(kept / 1e6, 1))


def _ask(server: Contender) -> tuple[int, int]:
    """Send the thing's requests; how many were answered at once, and in all, before the flood ends."""
    parameters = TransmissionParameters()
    jitter = random.Random(1)
    waiting: dict[bytes, _Waiting] = {}
    started = now = time.monotonic()
    asked = first = answered = 0
    while (asked < _REQUESTS or waiting) and now < started + _FLOOD_SECONDS:
        if asked < _REQUESTS and now >= started + asked * _INTERVAL:
            (data,) = server.requests("OSCORE", 1)
            timeout = parameters.ack_timeout * jitter.uniform(1, parameters.ack_random_factor)
            waiting[data[2:4]] = _Waiting(data, now + timeout, timeout)
            server.socket.send(data)
            asked += 1
        if select.select([server.socket], [], [], _INTERVAL / 2)[0]:
            found = waiting.pop(server.socket.recv(2048)[2:4], None)
            if found is not None:
                answered += 1
                first += found.sent == 1
        now = time.monotonic()
        for late in [this for this in waiting.values() if this.due <= now and this.sent <= parameters.max_retransmit]:
            late.sent += 1
            late.timeout *= 2
            late.due = now + late.timeout
            server.socket.send(late.data)
    return first, answered


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
