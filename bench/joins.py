"""12, 200 and 1,000 things that are switched on at once: until all are members, on disk, on all six planes.

Controller and things are two processes on loopback; each join is a whole one: EDHOC with the maker's identity and
voucher, the policy's decision, token, credential, ledger, and an fsync before message_4. Memory is what the
controller's process has more of than before, resident, as soon as all are in.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.figure import Figure
from bench.load import Server
from tests.port import free_port
from thingstead.clock import SystemClock
from thingstead.errors import TransportError
from thingstead.simulator.scenery import MAKERS, Scenery, prepare
from thingstead.storage.sqlite import DATABASE
from thingstead.transport.control_socket import ControlClient

__all__ = ["figures"]

_ROOT = Path(__file__).resolve().parents[1]
_FLEETS = (12, 200, 1000)
_PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 0.02


def figures() -> Iterator[Figure]:
    """Seconds and CPU of both sides for each size of fleet."""
    for count in _FLEETS:
        with tempfile.TemporaryDirectory() as folder:
            seconds, controller, things, memory = _measure(Path(folder), count)
        yield Figure(f"{count} joins at once: until all are members", "s", round(seconds, 2))
        yield Figure(f"{count} joins at once: controller CPU for one", "ms", round(controller / count * 1000, 2))
        yield Figure(f"{count} joins at once: thing CPU for one", "ms", round(things / count * 1000, 2))
        yield Figure(f"{count} joins at once: memory of the controller", "MB", round(memory / 1e6, 1))


def _measure(folder: Path, count: int) -> tuple[float, float, float, int]:
    port = free_port()
    scenery = prepare(
        folder,
        things=count,
        site=None,
        coap=("127.0.0.1", port),
        mud_ports=dict.fromkeys(MAKERS, 1),
        at=SystemClock().utc(),
    )
    with _running(["-m", "thingstead", "up", str(scenery.domain.root)], port) as controller:
        _await(lambda: _answers(scenery))
        started, before, held = time.monotonic(), controller.cpu_seconds(), _resident(controller)
        with _running(["-m", "bench.server.things", str(port), str(folder / "things")], port) as things:
            _await(lambda: _members(scenery) == count)
            seconds = time.monotonic() - started
            spent, memory = controller.cpu_seconds() - before, _resident(controller) - held
            return seconds, spent, things.cpu_seconds(), memory


@contextmanager
def _running(arguments: list[str], port: int) -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"},
    )
    try:
        yield Server(arguments[1], port, process.pid)
    finally:
        process.kill()
        process.wait()


def _resident(server: Server) -> int:
    return int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * resource.getpagesize()


def _answers(scenery: Scenery) -> bool:
    try:
        ControlClient(scenery.domain.control_socket).close()
    except TransportError:
        return False
    return True


def _members(scenery: Scenery) -> int:
    """Associations on disk: the last that a join writes before the thing is told."""
    with closing(sqlite3.connect(f"file:{scenery.domain.root / DATABASE}?mode=ro", uri=True)) as reader:
        return int(reader.execute("SELECT count(*) FROM plane_access").fetchone()[0])


def _await(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"expected all to be members within {_PATIENCE_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)
