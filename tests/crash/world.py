"""A domain and its things as processes on loopback, with a relay between them, to be killed at will."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.crash.audit import Audit, GroupAudit
from tests.crash.relay import Relay
from tests.port import free_port
from thingstead.agent.program import STATUS_SOCKET
from thingstead.controller.composition import domain_credential
from thingstead.controller.config import CoapConfig
from thingstead.controller.directory import DomainDirectory
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ThingsteadError, TransportError
from thingstead.identifier import ThingId
from thingstead.phases.manufacture import Model
from thingstead.simulator.factory import bear_thing, make_maker
from thingstead.simulator.scenery import MAKERS, prepare
from thingstead.storage.sqlite import DATABASE
from thingstead.transport.control_socket import ControlClient
from thingstead_verifier.verify import Verdict, check

__all__ = ["TELEMETRY_INTERVAL", "Process", "ThingProcess", "World", "eventually", "verified"]

TELEMETRY_INTERVAL = 0.02
_START_PATIENCE = 20.0
_POLL = 0.02
_DYING = 0.5
_GROUP = CoapConfig().multicast_group


def eventually(holds: Callable[[], bool], *, within: float, what: str) -> float:
    """Wait until it holds; the seconds that it took."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > within:
            raise AssertionError(f"expected within {within} s: {what}")
        time.sleep(_POLL)
    return time.monotonic() - started


def verified(domain: DomainDirectory) -> Verdict | None:
    """What the separate verifier says of a ledger as it lies there; None before its first signed head."""
    head = domain.heads(domain.load())
    if not head.exists():
        return None
    return check(domain.root / DATABASE, head.read_bytes(), head.with_suffix(".key").read_bytes())


@dataclass(slots=True)
class Process:
    """A program with a Unix socket on which it answers.

    Attributes:
        arguments: of the interpreter.
        socket: where it answers.
        log: what it has to say.
        running: while it runs.
    """

    arguments: list[str]
    socket: Path
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
            )
        eventually(self._answers, within=_START_PATIENCE, what=f"{self.arguments[-1]} answers, see {self.log}")

    def kill(self) -> None:
        """Kill -9."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None

    def has_ended(self) -> bool:
        """Whether it has died, or does within a moment: its sockets are closed before it is gone."""
        if self.running is not None:
            with suppress(subprocess.TimeoutExpired):
                self.running.wait(_DYING)
        return not self.runs()

    def runs(self) -> bool:
        """Whether it has been started and has not died."""
        return self.running is not None and self.running.poll() is None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One question on its socket."""
        client = ControlClient(self.socket, timeout=60.0)
        try:
            return client.ask(request)
        finally:
            client.close()

    def _answers(self) -> bool:
        assert self.running is not None
        assert self.running.poll() is None, f"{self.arguments[-1]} ended at its start:\n{self.log.read_text()[-2000:]}"
        try:
            ControlClient(self.socket).close()
        except TransportError:
            return False
        return True


@dataclass(slots=True)
class ThingProcess:
    """A thing, its process, and what passed between it and the controller."""

    serial: str
    home: Path
    process: Process
    audit: Audit

    def status(self) -> dict[str, Any]:
        return self.process.ask({})

    def flows(self) -> bool:
        """Whether the controller has answered it under OSCORE in the last half second."""
        return time.time() - self.audit.answered_at < 0.5


class World:
    """Everything that one run needs.

    Args:
        root: an empty directory.
        things: members that were sold to this domain; a stranger, whose maker is not trusted, comes on top.
    """

    def __init__(self, root: Path, *, things: int) -> None:
        self.root = root
        self.log = root / "log"
        at = datetime.now(UTC)  # noqa: TID251  the processes that are tested read this clock too
        controller = ("127.0.0.1", free_port())
        # Nobody serves MUD files here: what the network plane owes is owed all the time.
        scenery = prepare(root, things=things, site=None, coap=controller, mud_ports=dict.fromkeys(MAKERS, 1), at=at)
        self.domain = scenery.domain
        self._group_port = free_port()
        settings = self.domain.configuration
        settings.write_text(settings.read_text().replace("[coap]\n", f"[coap]\nmulticast_port = {self._group_port}\n"))
        self.relay = Relay(controller)
        self.group_audit = GroupAudit()
        self.relay.overhear(_GROUP, self._group_port, self.group_audit)
        program = str(Path(__file__).with_name("controller_program.py"))
        self.controller = Process(
            [program, str(self.domain.root)], self.domain.control_socket, self.log.with_suffix(".controller")
        )
        self.things = [self._thing(born.serial, born.home) for born in scenery.things]
        self.stranger = self._stranger(at)

    def ask(self, operation: str, **arguments: object) -> Any:
        """One operation of the controller.

        Raises:
            ThingsteadError: it refused.
        """
        answer = self.controller.ask({"operation": operation, "arguments": arguments})
        if "error" in answer:
            raise ThingsteadError(answer["error"]["message"], reason=answer["error"]["reason"])
        return answer["result"]

    def records(self) -> dict[str, dict[str, Any]]:
        """The controller's things by serial."""
        return {thing["serial"]: thing for thing in self.ask("thing.list")}

    def thing_id(self, serial: str) -> ThingId:
        return ThingId(self.records()[serial]["thing"])

    def verify(self) -> Verdict | None:
        """What the separate verifier says of the ledger as it lies there; None before its first signed head."""
        return verified(self.domain)

    def stored_times(self, thing: ThingId) -> list[float]:
        """UTC seconds of every reading that is kept of a thing."""
        times, after = set(), None
        while after != "":
            page = self.ask("data.export", thing=thing, after=after or "")
            after, base = page["following"], 0.0
            for record in json.loads(page["senml"]):
                base = record.get("bt", base)
                times.add(base + record.get("t", 0.0))
        return sorted(times)

    def audits(self) -> list[Audit]:
        return [thing.audit for thing in (*self.things, self.stranger)]

    def close(self) -> None:
        """End all processes."""
        for thing in (*self.things, self.stranger):
            thing.process.kill()
        self.controller.kill()
        self.relay.close()

    def _thing(self, serial: str, home: Path) -> ThingProcess:
        audit = Audit(serial)
        port = self.relay.add(audit)
        arguments = ["-m", "thingstead", "agent", "run", str(home), "--controller-port", str(port)]
        arguments += ["--telemetry-interval", str(TELEMETRY_INTERVAL)]
        arguments += ["--multicast-group", _GROUP, "--multicast-port", str(self._group_port)]
        log = self.log.with_suffix(f".{serial}")
        return ThingProcess(serial, home, Process(arguments, home / STATUS_SOCKET, log), audit)

    def _stranger(self, at: datetime) -> ThingProcess:
        maker = make_maker(self.root / "makers" / "stranger", name="stranger", domain="stranger.example", at=at)
        model = Model("S-1", 1, "https://mud.stranger.example/S-1.json", at.date().replace(year=at.year + 1))
        home = self.root / "things" / "stranger"
        own = domain_credential(FileKeyStore(self.domain.keys), self.domain.load())
        bear_thing(home, maker.maker, model, "S-1-0001", whose=own.cred, at=at)
        thing = self._thing("S-1-0001", home)
        thing.audit.is_leaving = True
        thing.audit.cut_off()
        return thing
