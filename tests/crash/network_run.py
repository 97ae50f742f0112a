"""Run as a program: a controller with real rules is killed in the midst of what it is asked; prints what came of it.

Each operation has a state before and one after it. Whatever dies, what packets show is one of the two, and the second
once it was acknowledged; what neither allows never passes, not while it is dead and not while it starts. Who edits
the kernel's tables, and what a reboot takes out of it, is mended.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from tests.crash.network_program import COUNTDOWN
from tests.crash.network_street import FLOW, FLOW_PORT, NAMED, Passage, Street
from tests.crash.world import Process, eventually, verified
from thingstead.analysis.detectors.detector import detectors
from thingstead.analysis.traffic.proposal import learned_url
from thingstead.controller.directory import DomainDirectory
from thingstead.enforcement.conntrack import end_flows_of
from thingstead.enforcement.namespace import Site
from thingstead.enforcement.netlink import NetfilterSocket
from thingstead.enforcement.nft import load_text
from thingstead.errors import ThingsteadError
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind

__all__ = ["Run"]

_UDP = 17
_NAME = "cloud.crash.example"
_FILES = ((4001, FLOW_PORT), (4001, 4003))
"""Ports outside that either of two MUD files of a device allows, beside those of a name."""

_DEVICES = 3
_IN = "operational"
_DIES_STARTING = 0.2
_POLL = 0.02
_MOST_EFFECTS = 14
_RECOVERY_SECONDS, _NOTICE_SECONDS = 10.0, 5.0
_SETTINGS = f"""\
[domain]
name = "crash"
[coap]
host = "{Site.controller_ipv4}"
multicast_group = ""
[web]
enabled = false
[names]
enabled = true
host = "{Site.controller_ipv4}"
[watch]
interfaces = ["{Site.interface}"]
[network]
enforcement = "nftables"
interfaces = ["{Site.interface}"]
local = ["10.77.0.0/16", "fd77::/64"]
flows_per_second = 1000
flow_burst = 1000
[network.hosts]
"{_NAME}" = ["{Site.internet}"]
"""
_POLICY = f"""\
profile = "building"
[response]
share = 0.5
per_hour = 1000
rest_hours = 0
never = {json.dumps([one.name for one in detectors() if one.name != "vertical_scan"])}
"""
"""Devices that try all ports all the time are suspicious: here only who scans is to be cut off."""


@dataclass(frozen=True, slots=True)
class Device:
    """What holds for one.

    Attributes:
        file: which of its MUD files.
        ip: which of its addresses.
        barred: it is quarantined.
        blocked: ports that the owner refuses it.
        allowed: ports that the owner allows it.
        named: it, or another whose file has the name, was told the name's address.
        gone: it was retired, and is not adopted again.
    """

    file: int = 0
    ip: int = 0
    barred: bool = False
    blocked: frozenset[int] = frozenset()
    allowed: frozenset[int] = frozenset()
    named: bool = False
    gone: bool = False

    def passages(self, number: int) -> Iterator[Passage]:
        """All of its packets that arrive."""
        if self.barred or self.gone:
            return
        ports = (set(_FILES[self.file]) | self.allowed | ({NAMED} if self.named else set())) - self.blocked
        yield from (Passage(number, self.ip, port) for port in ports)


State = tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    """What the controller's own records say of a device, in the words of `Device`."""

    is_in: bool = False
    barred: bool = False
    blocked: frozenset[int] = frozenset()
    allowed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is asked for.

    Attributes:
        name: what it is.
        after: what holds then.
        act: asks for it, and returns when it is acknowledged.
    """

    name: str
    after: State
    act: Callable[[], object]


@dataclass(slots=True)
class Figures:
    """What a run came to; seconds are of this machine's clock."""

    steps: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    midway: int = 0
    undone: int = 0
    sweeps: int = 0
    recovery: float = 0.0
    mended: float = 0.0


class Run:
    """Asks, kills, looks.

    Attributes:
        violations: what must not be, in sentences; empty after a good run.
        figures: what came of it.
    """

    def __init__(self, root: Path, *, seed: int) -> None:
        self._random = random.Random(seed)
        self._root = root
        self._street = Street(_DEVICES)
        domain = self._domain = DomainDirectory(root / "domain")
        domain.create(settings=_SETTINGS, policy=_POLICY)
        program = str(Path(__file__).with_name("network_program.py"))
        self._controller = Process([program, str(domain.root)], domain.control_socket, root / "log")
        self._state: State = ()
        self._is_named = False
        self.violations: list[str] = []
        self.figures = Figures()

    def go(self, steps: int) -> None:
        """Everything, to the last check."""
        self._controller.start()
        self.adopt_all()
        events = [self._foreign_edit, self._attacked, self._full_disk, self._reboot]
        for number in range(steps):
            self._step(self._chosen())
            events[number % len(events)]()
        self._kill()
        self._restart(self._state, (self._state,), "the end")

    def adopt_all(self) -> None:
        """Take in every device, and open its flow."""
        for number in range(_DEVICES):
            self._adopt(number, Device())
        self._state = (Device(),) * _DEVICES
        self._require(self._state, what="adopted")
        for number in range(_DEVICES):
            self._street.opened(number, 0)
        self._require(self._state, what="flows open")

    def close(self) -> None:
        """End it."""
        self._controller.kill()
        self._street.close()

    def _chosen(self) -> Step:
        makers = [self._quarantine, self._refuse, self._allow, self._change_file, self._move, self._learn_name]
        number = self._random.randrange(_DEVICES)
        if self._state[number].gone:
            return self._adopting("adopted again", number, Device())
        return self._random.choice([*makers, self._retire])(number)

    def _retire(self, number: int) -> Step:
        # What the owner said of it is about a thing that will not come back.
        after = Device(gone=True)
        return self._asking("thing.retire", number, after, "thing.retire", thing=self._thing(number), cause="crash")

    def _quarantine(self, number: int) -> Step:
        device = self._state[number]
        operation = "thing.restore" if device.barred else "thing.quarantine"
        after = replace(device, barred=not device.barred, named=False)
        return self._asking(operation, number, after, operation, thing=self._thing(number), cause="crash")

    def _refuse(self, number: int) -> Step:
        return self._toggle(number, "blocked", FLOW_PORT, "network.block")

    def _allow(self, number: int) -> Step:
        return self._toggle(number, "allowed", 4005, "network.allow")

    def _toggle(self, number: int, what: str, port: int, operation: str) -> Step:
        device, thing = self._state[number], self._thing(number)
        ports: frozenset[int] = getattr(device, what)
        changed: dict[str, Any] = {what: ports ^ {port}}
        after = replace(device, **changed)
        if port not in ports:
            rule = {"to": str(Site.internet), "port": str(port), "protocol": "udp", "way": "out", "thing": thing}
            return self._asking(operation, number, after, operation, **rule)
        known = [
            one["rule"] for one in self._ask("network.rules") if thing in one["about"] and one["port"] == str(port)
        ]
        return self._asking(f"revoke {operation}", number, after, "network.revoke", rule=known[0])

    def _change_file(self, number: int) -> Step:
        after = replace(self._state[number], file=1 - self._state[number].file)
        return self._adopting("another file", number, after)

    def _move(self, number: int) -> Step:
        after = replace(self._state[number], ip=1 - self._state[number].ip, named=False)
        return self._adopting("another address", number, after)

    def _adopting(self, name: str, number: int, after: Device) -> Step:
        if self._state[number].barred:
            return self._quarantine(number)  # what is cut off is not adopted anew
        return Step(name, self._with(number, after), lambda: self._adopt(number, after))

    def _learn_name(self, number: int) -> Step:
        device = self._state[number]
        after = device if device.barred else replace(device, named=True)

        def ask() -> None:
            if self._street.asks(number, device.ip, _NAME) is device.barred:
                raise ThingsteadError("no answer")

        # What a name stands for is known once: whoever has it gets it when its rules are next put in force.
        self._is_named = self._is_named or not device.barred
        return Step("a name", self._with(number, after), ask)

    def _asking(self, name: str, number: int, after: Device, operation: str, **arguments: object) -> Step:
        return Step(name, self._with(number, after), lambda: self._ask(operation, **arguments))

    def _with(self, number: int, device: Device) -> State:
        return (*self._state[:number], device, *self._state[number + 1 :])

    def _step(self, step: Step) -> None:
        """Ask, and have the controller die after some effects, or in its rest."""
        self.figures.steps[step.name] += 1
        before, acknowledged, refusal = self._state, False, ""
        countdown = self._root / COUNTDOWN
        countdown.write_text(str(self._random.randrange(_MOST_EFFECTS)))
        for number in range(_DEVICES):
            self._street.opened(number, 0)
        self._look((before,), f"{step.name}, before")
        try:
            step.act()
            acknowledged = True
        except (ThingsteadError, OSError) as error:
            refusal = str(error)
        countdown.unlink(missing_ok=True)
        is_midway = not acknowledged and self._controller.has_ended()
        if acknowledged:
            self._state = step.after
            candidates: tuple[State, ...] = (step.after,)
        else:
            candidates = (before, step.after)
        if not acknowledged and not is_midway:
            self.violations.append(f"{step.name} was refused by a controller that lives: {refusal}")
        self.figures.midway += is_midway
        self._kill()
        shown = self._within(candidates, f"{step.name}, dead")
        self._restart(shown, candidates, step.name)

    def _kill(self) -> None:
        self.figures.kills += 1
        self._controller.kill()

    def _dies_starting(self, candidates: tuple[State, ...], what: str) -> None:
        """A start that comes to no end; whoever is not known again by then is cut off, and nobody else gets in."""
        countdown = self._root / COUNTDOWN
        countdown.write_text(str(self._random.randrange(_MOST_EFFECTS)))
        with suppress(AssertionError):
            self._controller.start()
        countdown.unlink(missing_ok=True)
        self._kill()
        self._look(candidates, f"{what}, died starting")

    def _restart(self, shown: State | None, candidates: tuple[State, ...], what: str) -> None:
        """Start it; meanwhile nothing passes that neither state allows, then one of them holds and stays."""
        verdict = verified(self._domain)
        if verdict is not None and not verdict.holds:
            self.violations += [f"{what}: ledger: {found.text}" for found in verdict.findings]
        if self._random.random() < _DIES_STARTING:
            self._dies_starting(candidates, what)
        starting = threading.Thread(target=self._controller.start)
        starting.start()
        while starting.is_alive():
            self._look(candidates, f"{what}, starting")
        if not self._controller.runs():
            raise AssertionError(f"the controller does not start again, see {self._controller.log}")
        began = time.monotonic()
        decided = self._decided(candidates)
        self._require(decided, what=f"{what}, after the restart")
        self.figures.recovery = max(self.figures.recovery, time.monotonic() - began)
        barred = {one["thing"] for one in self._ask("thing.list") if one["restriction"] == "quarantined"}
        if not {one["thing"] for one in self._responses()} <= barred:
            self.violations.append(f"{what}: a response holds whom nobody holds")
        if shown == candidates[-1] and decided != shown:
            self.violations.append(f"{what}: it was in force, and is not after the restart")
        self.figures.undone += len(candidates) > 1 and decided == candidates[0]
        self._state = decided

    def _decided(self, candidates: tuple[State, ...]) -> State:
        """Which of the states the controller's own records have; where they do not tell, what packets show."""
        if len(candidates) == 1:
            return candidates[0]
        records = [self._record(number) for number in range(_DEVICES)]
        left = [one for one in candidates if all(map(_fits, records, one))]
        if not left:
            self.violations.append("the records have neither what was before nor what was asked for")
            return candidates[0]
        return self._within(tuple(left), "decided", patience=_RECOVERY_SECONDS) or left[0]

    def _rows(self, number: int) -> list[dict[str, Any]]:
        """A device's records: one for each time that it was adopted."""
        serial = self._street.devices[number].mac.hex(":")
        return [one for one in self._ask("thing.list") if one["serial"] == serial]

    def _thing(self, number: int) -> str:
        """Its id, as it is in."""
        return str(next(one["thing"] for one in self._rows(number) if one["state"] == _IN))

    def _record(self, number: int) -> _Record:
        rows = [one for one in self._rows(number) if one["state"] == _IN]
        if not rows:
            return _Record()
        rules = [one for one in self._ask("network.rules") if one["about"] == rows[0]["thing"]]
        ports = {
            verdict: frozenset(int(one["port"]) for one in rules if one["verdict"] == verdict)
            for verdict in ("refuse", "allow")
        }
        return _Record(True, rows[0]["restriction"] == "quarantined", ports["refuse"], ports["allow"])

    def _within(self, candidates: tuple[State, ...], what: str, *, patience: float = 0.0) -> State | None:
        """Which of the states packets show; none of them is a violation."""
        until = time.monotonic() + patience
        while True:
            seen = self._look(candidates, what)
            for state in candidates:
                if self._shows(seen, state):
                    return state
            if time.monotonic() > until:
                self.violations.append(f"{what}: half of it is in force: {sorted(seen)} in place of {candidates}")
                return None

    def _require(self, state: State, *, what: str) -> None:
        self._within((state,), what, patience=_RECOVERY_SECONDS)

    def _look(self, candidates: tuple[State, ...], what: str) -> frozenset[Passage]:
        self.figures.sweeps += 1
        seen = self._street.sweep()
        wrong = seen - frozenset().union(*[_passages(state, is_named=self._is_named) for state in candidates])
        if wrong:
            self.violations.append(f"{what}: passed although nothing allows it: {sorted(wrong)}")
        return seen

    @staticmethod
    def _shows(seen: frozenset[Passage], state: State) -> bool:
        return {one for one in seen if one.port not in {FLOW, NAMED}} == _passages(state, exactly=True)

    def _reboot(self) -> None:
        """Everything in the kernel is gone; the machine forwards once the controller is there, as documented."""
        self._kill()
        _forward("0")
        load_text("flush ruleset")
        _forget_flows()
        self._state = tuple([replace(one, named=False) for one in self._state])
        self._controller.start()
        _forward("1")
        self._require(self._state, what="reboot")
        self.figures.steps["reboot"] += 1

    def _foreign_edit(self) -> None:
        """Somebody else at the tables: for the moment until it is noticed nobody can say what passes."""
        text = self._random.choice(
            (
                "flush ruleset",
                "delete table inet thingstead",
                "insert rule inet thingstead from_segment accept",
                "delete table bridge thingstead",
            )
        )
        load_text(text)
        began = time.monotonic()
        while not self._shows(self._street.sweep(), self._state):
            if time.monotonic() - began > _NOTICE_SECONDS:
                self.violations.append(f"{text}: not mended after {_NOTICE_SECONDS} s")
                return
        self.figures.mended = max(self.figures.mended, time.monotonic() - began)
        eventually(self._has_told, within=_NOTICE_SECONDS, what=f"{text} is told of")
        self._require(self._state, what=text)
        self.figures.steps["edited by others"] += 1

    def _has_told(self) -> bool:
        told = self._controller.log.read_text().count("rules-altered")
        return told > self.figures.steps["edited by others"]

    def _full_disk(self) -> None:
        """What cannot be kept is refused, and changes nothing."""
        process = self._controller.running
        assert process is not None
        step = self._chosen()
        while step.name == "a name":  # which no disk has a part in
            step = self._chosen()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        try:
            step.act()
            self.violations.append(f"a full disk kept {step.name}")
        except ThingsteadError:
            pass
        self._within((self._state,), "full disk")
        self._kill()
        self._restart(None, (self._state,), "full disk")
        self.figures.steps["full disk"] += 1

    def _attacked(self) -> None:
        """A device that scans is cut off, by alarm; the controller dies in its own decision, and in undoing it."""
        ready = [one for one, device in enumerate(self._state) if not device.barred and not device.gone]
        if not ready or self._responses():
            return  # one of three may be cut off by alarms at a time
        number, device = ready[0], self._state[ready[0]]

        def scan() -> None:
            self._street.scans(number, device.ip)
            until = time.monotonic() + _RECOVERY_SECONDS
            while not any(one["planes"] for one in self._responses()):
                if time.monotonic() > until:
                    raise ThingsteadError("a scan cuts nobody off")
                time.sleep(_POLL)

        self._step(Step("alarm", self._with(number, replace(device, barred=True, named=False)), scan))
        for one in self._responses():
            after = self._with(number, replace(self._state[number], barred=False))
            self._step(Step("undo", after, partial(self._ask, "response.undo", response=one["response"])))

    def _responses(self) -> list[Any]:
        """Those that hold somebody."""
        return [one for one in self._ask("response.list") if one["ended_at"] is None]

    def _adopt(self, number: int, device: Device) -> Any:
        place = self._street.devices[number]
        services = [Service(Remote(RemoteKind.DNS_NAME, _NAME), _UDP, NAMED)]
        host = Remote(RemoteKind.PREFIX, prefix=ip_network(str(Site.internet)))
        services += [Service(host, _UDP, port) for port in _FILES[device.file]]
        about = ("a device", "crash", "device")
        # The time of a file is no part of what is tested here.
        written = datetime(2026, 1, 1, tzinfo=UTC)
        file = render(Description(learned_url(place.mac), written, *about, tuple(services))).decode()
        ip = str(self._street.address(number, device.ip))
        return self._ask("device.adopt", mac=place.mac.hex(":"), ip=ip, model="device", file=file)

    def _ask(self, operation: str, **arguments: object) -> Any:
        answer = self._controller.ask({"operation": operation, "arguments": arguments})
        if "error" in answer:
            raise ThingsteadError(answer["error"]["message"], reason=answer["error"]["reason"])
        return answer["result"]


def _fits(record: _Record, device: Device) -> bool:
    return record == (_Record() if device.gone else _Record(True, device.barred, device.blocked, device.allowed))


def _passages(state: State, *, is_named: bool = False, exactly: bool = False) -> frozenset[Passage]:
    """What passes; or may pass: the open flow of a device where its port is allowed, and a name that is known."""
    found = {one for number, device in enumerate(state) for one in device.passages(number)}
    if exactly:
        return frozenset(one for one in found if one.port != NAMED)
    flows = {Passage(one.device, 0, FLOW) for one in found if one.port == FLOW_PORT and one.ip == 0}
    known = {replace(one, port=NAMED) for one in found} if is_named else set()
    return frozenset(found | flows | known)


def _forward(value: str) -> None:
    for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        (Path("/proc/sys/net") / path).write_text(value)


def _forget_flows() -> None:
    kernel = NetfilterSocket()
    end_flows_of(kernel, lambda _: True)
    kernel.close()


def main(root: Path, seed: int, steps: int) -> None:
    run = Run(root, seed=seed)
    try:
        run.go(steps)
    finally:
        run.close()
    figures = {name: getattr(run.figures, name) for name in Figures.__slots__}
    print(json.dumps({"violations": run.violations, "figures": figures, "cpu": sum(os.times()[:4])}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
