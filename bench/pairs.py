"""A domain as a process, and sensors that command lamps as another, on loopback: what `bench kill` cuts off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.server.pairs import address
from tests.port import free_port
from thingstead.agent.program import STATUS_SOCKET
from thingstead.clock import SystemClock
from thingstead.controller.composition import domain_credential
from thingstead.controller.directory import DomainDirectory
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain import anchor as anchor_file
from thingstead.errors import TransportError
from thingstead.phases.manufacture import Model
from thingstead.simulator.factory import bear_thing, make_maker
from thingstead.transport.control_socket import ControlClient

__all__ = ["Pairs", "Sensor", "await_that", "note"]

_ROOT = Path(__file__).resolve().parents[1]
_FLOOR = 25
_PATIENCE = 300.0
_POLL = 0.1
_SETTINGS = '[domain]\nname = "demo"\n[coap]\nhost = "127.0.0.1"\nport = {port}\n'
_POLICY = """\
profile = "building"
{floors}
[[peer]]
name = "sensors switch lamps"
clients = ["TH-2"]
servers = ["LX-1"]
scope = "switching"
hours = {hours}

[scope.switching]
"/light" = ["PUT", "GET"]

[granted]
"/light" = ["GET", "PUT"]
"/group-keys" = ["PUT"]
"/standing" = ["FETCH"]
"/wipe" = ["POST"]

[[series]]
name = "*"
purpose = "figures"
retention_days = 1
"""
_RULE = """
[scope.floor-{floor}]
"/senml" = ["POST"]
"/credential" = ["FETCH"]
"/update" = ["GET"]
"/rd" = ["POST"]
"/rd/own" = ["POST", "DELETE"]
"/rd-lookup/ep" = ["GET"]
"/ace-group/floor-{floor}" = ["GET", "POST"]

[[rule]]
name = "floor {floor}"
makers = ["acme"]
models = ["LX-1", "TH-2"]
serials = ["N-{first:04d}..N-{last:04d}"]
zone = "hall"
scope = "floor-{floor}"
"""


def note(text: str) -> None:
    """Progress, where no program that reads the figures sees it."""
    print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Thing:
    """The socket of one, which is opened for each question."""

    path: Path

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """What it says.

        Raises:
            TransportError: it is gone.
        """
        return _ask(self.path, question)


@dataclass(slots=True)
class Sensor:
    """One that commands lamps.

    Attributes:
        thing: its id.
        socket: where it answers.
        host: where it is.
        lamps: the sockets of its lamps, by the lamps' ids.
        hosts: where they are.
    """

    thing: str
    socket: Thing
    host: str
    lamps: dict[str, Thing]
    hosts: dict[str, str]

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """The sensor itself."""
        return self.socket.ask({"operation": operation, "arguments": {"servers": self.hosts, **arguments}})


class Pairs:
    """A domain with so many lamps, and as many sensors; alive within its ``with`` block.

    Args:
        folder: an empty directory.
        count: of lamps; of sensors too.
        each: lamps that a sensor commands; no two command the same.
        hours: that a sensor's token for a lamp lives.
        pace: seconds between two readings of a thing, and between two looks at its group's keys.
    """

    def __init__(self, folder: Path, *, count: int, each: int, hours: float, pace: float = 60.0) -> None:
        self._folder = folder
        self._count = count
        self._each = each
        self._pace = pace
        self._port = free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._domain = DomainDirectory(folder / "domain")
        self._prepare(hours)

    def __enter__(self) -> Self:
        try:
            self.start_domain()
            folder, pace = str(self._folder / "things"), str(self._pace)
            self._run("things", ["-m", "bench.server.pairs", str(self._port), folder, pace])
            await_that(lambda: self._joined() == 2 * self._count, "all are members")
        except BaseException:
            self._end_all()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_all()

    def start_domain(self) -> float:
        """Start the controller; gives the seconds until it answered."""
        started = time.monotonic()
        self._run("domain", ["-m", "thingstead", "up", str(self._domain.root)])
        await_that(self._answers, "the domain answers", poll=0.01)
        return time.monotonic() - started

    def kill_domain(self) -> None:
        """Kill the controller, as a power cut does."""
        process = self._processes.pop("domain")
        process.send_signal(signal.SIGKILL)
        process.wait()

    def ask(self, operation: str, **arguments: Any) -> Any:
        """An operator's request.

        Raises:
            TransportError: the domain died over it.
        """
        answer = _ask(self._domain.control_socket, {"operation": operation, "arguments": arguments})
        if "result" not in answer:
            raise RuntimeError(f"{operation}: {answer}")
        return answer["result"]

    def sensors(self) -> list[Sensor]:
        """Those that have lamps to command."""
        ids = {one["serial"]: one["thing"] for one in self.ask("thing.list")}
        made = []
        for number in range(self._count // self._each):
            lamps = range(number * self._each, (number + 1) * self._each)
            made.append(
                Sensor(
                    thing=ids[_serial(self._count + number)],
                    socket=self._thing(self._count + number),
                    host=address(self._port, self._count + number),
                    lamps={ids[_serial(lamp)]: self._thing(lamp) for lamp in lamps},
                    hosts={ids[_serial(lamp)]: address(self._port, lamp) for lamp in lamps},
                )
            )
        return made

    def line(self, *, loss: float = 0.0, asleep: Iterable[str] = (), cut_off: Iterable[str] = ()) -> None:
        """Make the line so from now on: who sleeps hears nothing, who is cut off does not reach the controller."""
        arguments = {"loss": loss, "asleep": list(asleep), "cut_off": list(cut_off)}
        self._thing(0).ask({"operation": "line", "arguments": arguments})

    def _prepare(self, hours: float) -> None:
        at = SystemClock().utc()
        maker = make_maker(self._folder / "acme", name="acme", domain="acme.example", at=at)
        floors = "".join(
            _RULE.format(floor=number // _FLOOR + 1, first=number, last=number + _FLOOR - 1)
            for number in range(0, 2 * self._count, _FLOOR)
        )
        settings = _SETTINGS.format(port=self._port)
        self._domain.create(settings=settings, policy=_POLICY.format(floors=floors, hours=hours))
        self._domain.trust_maker(anchor_file.decode(maker.anchor.read_bytes()))
        own = domain_credential(FileKeyStore(self._domain.keys), self._domain.load())
        for number in range(2 * self._count):
            name = "LX-1" if number < self._count else "TH-2"
            model = Model(name, 2, f"https://mud.acme.example/{name}.json", date(at.year + 8, 12, 31))
            bear_thing(self._home(number), maker.maker, model, _serial(number), whose=own.cred, at=at)

    def _home(self, number: int) -> Path:
        return self._folder / "things" / f"{number:04d}"

    def _thing(self, number: int) -> Thing:
        return Thing(self._home(number) / STATUS_SOCKET)

    def _joined(self) -> int:
        return sum(one["state"] == "operational" for one in self.ask("thing.list"))

    def _answers(self) -> bool:
        if self._processes["domain"].poll() is not None:
            raise RuntimeError("the controller ended at its start")
        try:
            ControlClient(self._domain.control_socket).close()
        except TransportError:
            return False
        return True

    def _run(self, name: str, arguments: list[str]) -> None:
        self._processes[name] = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"},
        )

    def _end_all(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()


def _ask(path: Path, question: dict[str, Any]) -> dict[str, Any]:
    with closing(ControlClient(path, timeout=120.0)) as client:
        return client.ask(question)


def await_that(holds: Callable[[], bool], what: str, *, poll: float = _POLL) -> None:
    """Wait until it holds, within bounds."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"expected within {_PATIENCE:.0f} s: {what}")
        time.sleep(poll)


def _serial(number: int) -> str:
    return f"N-{number:04d}"
