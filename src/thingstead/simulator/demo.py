"""The demo: a whole life on one machine, told step by step, each step asked of whoever relies on it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thingstead.agent.sensor import FileSensor
from thingstead.clock import SystemClock
from thingstead.enforcement.namespace import Attachment, Site
from thingstead.errors import ConfigError, ThingsteadError, TransportError
from thingstead.simulator import demo_record, key_log, visitor
from thingstead.simulator.capture import PcapWriter, open_capture_socket
from thingstead.simulator.demo_record import DemoRecord, RecordedThing
from thingstead.simulator.mud_server import StaticHttpsServer
from thingstead.simulator.outside import Outside
from thingstead.simulator.report import Check, Report, Step
from thingstead.simulator.scenery import MAKERS, BornThing, Scenery, mud_files, prepare
from thingstead.simulator.stage import Actor, Stage
from thingstead.storage.directory import write_whole

__all__ = ["CONTROLLER", "Demo", "DemoOptions", "first", "opened"]

CONTROLLER = "controller"
_GROUP = ("239.83.0.1", 5684)
_LOOPBACK = "127.0.0.1"
_LOOPBACK_INTERFACE = "lo"
_COAP_PORT = 5683
_STUBBORN = frozenset({"lamp", "sensor"})
_MAX_THINGS = 250
_JOIN_PATIENCE = 45.0
_JOIN_PATIENCE_EACH = 0.5
_STEP_PATIENCE = 45.0
_TELEMETRY_SECONDS = 1.0
_STARTING_AT_ONCE = 4
_PLACES = 100
_NOTES = "notes.json"
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line says.

    Attributes:
        root: an empty directory.
        things: how many.
        site: namespaces, or None for a dry run on loopback.
        telemetry: CSV to report instead of the host's figures.
        mud: MUD file for the sensors instead of the one that their maker made.
        web_socket: bound before the namespaces were made; None for no page.
        pcap: file for the traffic; None for no capture.
        keys: file for the OSCORE contexts of the things, in Wireshark's form; None for none.
        runtime: directory in which the newest demo is pointed to.
    """

    root: Path
    things: int
    site: Site | None
    telemetry: Path | None
    mud: Path | None
    web_socket: socket.socket | None
    pcap: Path | None
    keys: Path | None
    runtime: Path


class Demo:
    """A running demo; made by `opened`."""

    def __init__(
        self,
        options: DemoOptions,
        scenery: Scenery,
        stage: Stage,
        outside: Outside | None,
        capture: Path | None,
        coap: tuple[str, int],
        report: Report,
    ) -> None:
        self.options = options
        self.scenery = scenery
        self.stage = stage
        self.outside = outside
        self.capture = capture
        self.coap = coap
        self.report = report
        self.ids: dict[str, str] = {}
        self._next_place = len(scenery.things)
        self._notes: dict[str, dict[str, str]] = {}

    async def ask(self, operation: str, **arguments: Any) -> Any:
        """Ask the controller.

        Raises:
            TransportError: it does not answer.
            ConfigError: it refuses; the message is its own.
        """
        answer = await self.stage.ask(CONTROLLER, {"operation": operation, "arguments": arguments})
        if "error" in answer:
            raise ConfigError(answer["error"]["message"], reason=answer["error"]["reason"])
        return answer["result"]

    async def status(self, thing: BornThing) -> Mapping[str, Any]:
        """Ask a thing how it stands."""
        return await self.stage.ask(thing.home.name, {})

    def thing_id(self, thing: BornThing) -> str:
        """The domain's name for a thing that has joined.

        Raises:
            ConfigError: it has not.
        """
        try:
            return self.ids[thing.serial]
        except KeyError:
            raise ConfigError(f"{thing.serial} has not joined") from None

    async def until(self, condition: Callable[[], Awaitable[bool]], *, seconds: float = _STEP_PATIENCE) -> bool:
        """Wait until `condition` holds; False if it does not in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if await condition():
                    return True
            except TransportError:
                pass
            await asyncio.sleep(_POLL)
        return False

    async def step(
        self, name: str, title: str, story: Callable[[], Awaitable[tuple[list[Check], dict[str, Any]]]]
    ) -> None:
        """Run one step and report it; what fails is a check that did not hold, not the end of the story."""
        started = time.monotonic()
        try:
            checks, figures = await story()
        except ThingsteadError as error:
            checks, figures = [Check("this step", held=False, detail=str(error))], {}
        self.report.add(Step(name, title, time.monotonic() - started, tuple(checks), figures))

    def suggestions(self) -> list[str]:
        """Commands that are worth typing next."""
        domain = self.scenery.domain.root
        last = self.scenery.things[-1]
        named = self.ids.get(last.serial, "THING")
        return [
            f"thingstead thing list --domain {domain}",
            f"thingstead thing quarantine {named} --domain {domain}",
            f"thingstead group command lamps on --domain {domain}",
            f"thingstead attack all --demo {self.options.root}",
            f"thingstead assurance --domain {domain}",
        ]

    # --- the beginning, which every demo has

    async def start(self) -> None:
        """Start the domain and its things, and see them join; ends with the first step that does not hold.

        Raises:
            TransportError: nothing is there that a story could be told of.
        """
        for name, title, story in (
            ("domain", "A domain is founded and runs", self._up),
            ("join", "Things are born and join over EDHOC", self._join),
            ("telemetry", "Telemetry flows over OSCORE", self._telemetry),
        ):
            await self.step(name, title, story)
            if not self.report.held:
                raise TransportError(f"the demo ends here: {title!r} did not hold, and all else rests on it")
        self.write_keys()

    async def _up(self) -> tuple[list[Check], dict[str, Any]]:
        inherited: tuple[int, ...] = ()
        arguments = ["up", str(self.scenery.domain.root)]
        if self.options.web_socket is not None:
            inherited = (self.options.web_socket.fileno(),)
            arguments += [
                "--web-socket",
                str(self.options.web_socket.fileno()),
                "--web-notes",
                str(self.options.root / _NOTES),
            ]
        await self.stage.start(Actor(CONTROLLER, arguments, self.scenery.domain.control_socket, inherited=inherited))
        page = []
        if self.options.web_socket is not None:
            page = [
                Check("live page", held=True, detail=f"http://{_LOOPBACK}:{self.options.web_socket.getsockname()[1]}/")
            ]
        demo_record.write(self.record, self.options.root, runtime=self.options.runtime)
        mode = "rules in the kernel (nftables)" if self.options.site else "DRY RUN: no rule is enforced"
        return [
            Check("controller answers on its control socket", held=True),
            Check("network plane", held=True, detail=mode),
            *page,
        ], {}

    @property
    def record(self) -> DemoRecord:
        """How attacks find this demo, and only this one."""
        return DemoRecord(
            pid=os.getpid(),
            domain=self.scenery.domain.root,
            controller=self.coap,
            things=tuple([RecordedThing(one.serial, one.home, one.maker, one.model) for one in self.scenery.things]),
            makers=tuple([maker.root for maker in self.scenery.makers.values()]),
            site=self.options.site is not None,
        )

    def next_place(self) -> int:
        """Number of a place on the segment that is still free; a hundred places are left to whoever takes it."""
        self._next_place += _PLACES
        return self._next_place

    def write_keys(self) -> None:
        """Write what a reader of the capture needs, if it was asked for."""
        if self.options.keys is not None:
            key_log.write(self.options.keys, [thing.home for thing in self.scenery.things])

    async def _join(self) -> tuple[list[Check], dict[str, Any]]:
        started = time.monotonic()
        # A few at a time: the makers' web servers live in this process too, and must get their turn.
        gate = asyncio.Semaphore(_STARTING_AT_ONCE)
        await asyncio.gather(*[self._start_through(gate, thing) for thing in self.scenery.things])
        wanted = len(self.scenery.things)

        async def all_joined() -> bool:
            rows = await self.ask("thing.list")
            self.ids = {row["serial"]: row["thing"] for row in rows if row["state"] == "operational"}
            return len(self.ids) == wanted

        await self.until(all_joined, seconds=_JOIN_PATIENCE + wanted * _JOIN_PATIENCE_EACH)
        makers = {thing.maker for thing in self.scenery.things}
        types = {thing.model for thing in self.scenery.things}
        took = time.monotonic() - started
        return [
            Check(
                f"{wanted} things of {len(types)} types and {len(makers)} makers joined",
                len(self.ids) == wanted,
                f"{len(self.ids)} in {took:.1f} s",
            ),
        ], {"joined": len(self.ids), "seconds": took}

    async def _start_through(self, gate: asyncio.Semaphore, thing: BornThing) -> None:
        async with gate:
            await self.start_thing(thing)

    async def start_thing(self, thing: BornThing) -> None:
        """Start one thing's process where it belongs; the first lamp and the first sensor have a bad character."""
        site = self.options.site
        attachment = site.attach(thing.index) if site is not None else None
        host = str(attachment.ipv4) if attachment is not None else _LOOPBACK
        port = _COAP_PORT if attachment is not None else _free_udp_port(0)
        settings: dict[str, Any] = {
            "home": str(thing.home),
            "controller_host": self.coap[0],
            "controller_port": self.coap[1],
            "host": host,
            "port": port,
            "multicast_group": _GROUP[0],
            "multicast_port": _GROUP[1],
            "telemetry_interval": _TELEMETRY_SECONDS,
        }
        if self.options.telemetry is not None:
            settings["telemetry"] = str(self.options.telemetry)
        visitor.prepare(thing.home)
        is_stubborn = thing.kind in _STUBBORN and thing == first(self.scenery, thing.kind)
        module = f"thingstead.simulator.{'stubborn' if is_stubborn else 'visitor'}"
        arguments = [json.dumps(settings)]
        actor = Actor(thing.home.name, arguments, thing.home / "status.sock", attachment, module=module)
        await self.stage.start(actor)
        within = "" if attachment is None else _way_to(attachment)
        self._notes[thing.serial] = visitor.commands(thing.home, f"coap://{host}:{port}", within=within)
        write_whole(self.options.root / _NOTES, json.dumps(self._notes).encode())

    async def _telemetry(self) -> tuple[list[Check], dict[str, Any]]:
        silent = set(self.ids.values())

        async def all_told() -> bool:
            for thing in list(silent):
                shown = await self.ask("data.show", thing=thing)
                if shown["latest"]:
                    silent.discard(thing)
            return not silent

        told = await self.until(all_told)
        return [Check("every thing's readings are kept", told, f"{len(self.ids) - len(silent)} of {len(self.ids)}")], {}


@asynccontextmanager
async def opened(options: DemoOptions, report: Report) -> AsyncIterator[Demo]:
    """Prepare everything, and clear it all away in the end.

    Raises:
        ThingsteadError: the scene cannot be set.
    """
    if not 1 <= options.things <= _MAX_THINGS:
        raise ConfigError(f"expected 1 to {_MAX_THINGS} things, got {options.things}")
    if options.telemetry is not None:
        FileSensor(options.telemetry)  # refused here, before anything is there to clear away
    clock = SystemClock()
    at = clock.utc()
    coap = (
        (_LOOPBACK, _free_udp_port(_COAP_PORT))
        if options.site is None
        else (str(options.site.controller_ipv4), _COAP_PORT)
    )
    ports = {maker: _free_port() for maker in MAKERS}
    sensors = None if options.mud is None else _read(options.mud)
    scenery = prepare(options.root, things=options.things, site=options.site, coap=coap, mud_ports=ports, at=at)
    async with AsyncExitStack() as stack:
        for maker, port in ports.items():
            files = mud_files(scenery, maker, ports, at=at, sensors=sensors)
            web = options.root / "web"
            server = StaticHttpsServer(files, certificate=web / f"{maker}.pem", key=web / f"{maker}.key", port=port)
            await stack.enter_async_context(server)
        outside = None
        if options.site is not None:
            outside = Outside(options.site, clock=clock)
            await outside.start()
            stack.callback(outside.close)
        captured = options.pcap
        if captured is None and options.site is not None:
            captured = options.root / "traffic.pcap"
        if captured is not None:
            interface = _LOOPBACK_INTERFACE if options.site is None else options.site.interface
            only = coap[1] if options.site is None else None
            stack.callback(PcapWriter(captured, open_capture_socket(interface), clock=clock, port=only).close)
        stack.callback(demo_record.forget, options.root, runtime=options.runtime)
        stage = Stage(options.site, log=options.root / "log")
        stack.push_async_callback(stage.close)
        yield Demo(options, scenery, stage, outside, captured, coap, report)


def first(scenery: Scenery, kind: str) -> BornThing:
    """The first thing of a kind."""
    return next(thing for thing in scenery.things if thing.kind == kind)


def _way_to(place: Attachment) -> str:
    """What makes a command of whoever started us run in a thing's own place: no other may send it anything."""
    try:
        is_at_home = os.readlink("/proc/self/ns/user") == os.readlink(f"/proc/{os.getppid()}/ns/user")
    except OSError:
        is_at_home = False
    owner = "" if is_at_home else f"--preserve-credentials -U -t {os.getpid()} "
    return f"nsenter {owner}--net=/proc/{os.getpid()}/fd/{place.namespace} "


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error


def _free_port() -> int:
    with socket.create_server((_LOOPBACK, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _free_udp_port(wanted: int) -> int:
    """`wanted`, unless another program of this machine has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((_LOOPBACK, wanted))
        except OSError:
            probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
