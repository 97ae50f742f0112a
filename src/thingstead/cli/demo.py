"""``thingstead demo``: a whole life on this machine, then a domain to play with until Ctrl-C."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.ending import ending
from thingstead.cli.input import whole
from thingstead.enforcement.namespace import Site, rehearse
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.errors import ConfigError
from thingstead.simulator.demo import Demo, DemoOptions, opened
from thingstead.simulator.demo_record import runtime_directory
from thingstead.simulator.report import Report
from thingstead.simulator.story import tell

__all__ = ["DEMO"]

_PROGRAM = "thingstead"
_AUTO, _REQUIRED, _OFF = "auto", "required", "off"
_DID_NOT_HOLD = 1
_INTERRUPTED = 130


def _demo(session: Session) -> int:
    options = session.options
    report = Report(sys.stdout, quiet=session.console.as_json)
    web = None if options["once"] else _listener(options["web_port"])
    runtime = runtime_directory(session.environment)
    # Before anything starts a thread: the kernel lets only a single-threaded process enter a user namespace.
    site = _site(options["netns"], session.environment, report)
    scene = partial(
        DemoOptions,
        things=options["things"],
        site=site,
        telemetry=session.path("telemetry") if options["telemetry"] else None,
        mud=session.path("mud") if options["mud"] else None,
        web_socket=web,
        pcap=session.path("pcap") if options["pcap"] else None,
        keys=session.path("keys") if options["keys"] else None,
        runtime=runtime,
    )
    complete = asyncio.run(_play(scene, report, once=options["once"]))
    if session.console.as_json:
        session.console.show(report.document())
    if not complete:
        return _INTERRUPTED
    return 0 if report.held else _DID_NOT_HOLD


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise ConfigError(f"cannot serve the page on 127.0.0.1 port {port}: {error.strerror}") from error


def _site(wanted: str, environment: Mapping[str, str], report: Report) -> Site | None:
    if wanted == _OFF:
        report.say("DRY RUN: no network rule is enforced here: --netns off")
        return None
    try:
        rehearse(_enforce)
        return Site.create()
    except ConfigError as error:
        if wanted == _REQUIRED or environment.get("CI") == "true":
            raise
        report.say(f"DRY RUN: no network rule is enforced here: {error}")
        return None


def _enforce() -> None:
    """All that a demo needs of the kernel, once: namespaces, a bridge, a place on it, our table."""
    site = Site.create()
    site.attach(1)
    Nftables(NftablesConfig((Site.interface,), Site.networks)).close()


def _as_called() -> str:
    """How whoever started us starts us again: the environment that `make` prepares is on nobody's path."""
    program = sys.argv[0]
    return program if Path(program).name == _PROGRAM and shutil.which(_PROGRAM) is None else _PROGRAM


async def _play(scene: Callable[[Path], DemoOptions], report: Report, *, once: bool) -> bool:
    """Whether the story was told to its end; no signal that can be caught leaves the demo's directory behind."""
    told = asyncio.Event()
    stopped = ending()
    with tempfile.TemporaryDirectory(prefix="thingstead-demo-", ignore_cleanup_errors=True) as root:
        async with opened(scene(Path(root)), report) as demo, asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(_tell(demo, told, stopped, once=once))
            waiting = tasks.create_task(stopped.wait())
            await asyncio.wait({telling, waiting}, return_when=asyncio.FIRST_COMPLETED)
            telling.cancel()
            waiting.cancel()
    return told.is_set()


async def _tell(demo: Demo, told: asyncio.Event, stopped: asyncio.Event, *, once: bool) -> None:
    await demo.start()
    await tell(demo)
    told.set()
    if once:
        return
    demo.write_keys()
    demo.report.say("", "The domain runs on. In another terminal, for example:")
    called = _as_called()
    for line in demo.suggestions():
        demo.report.say(f"  {line.replace(_PROGRAM, called, 1)}")
    demo.report.say("Ctrl-C ends it and leaves nothing behind.")
    await stopped.wait()


DEMO = Action(
    (
        Parameter("--things", "how many things", read=int, default=12),
        Parameter("--once", "tell the story and end; exits with 1 if a step did not hold", read=None),
        Parameter(
            "--netns",
            "namespaces in which the kernel enforces: where it is allowed, or else refuse, or never",
            choices=(_AUTO, _REQUIRED, _OFF),
            default=_AUTO,
        ),
        Parameter("--telemetry", "CSV or .csv.xz that the things report instead of this host's figures"),
        Parameter("--mud", "MUD file for the sensors instead of the one that their maker made"),
        Parameter("--pcap", "file for the demo's whole traffic"),
        Parameter("--keys", "file for the things' OSCORE contexts, as tshark takes them; holds secrets"),
        Parameter(
            "--web-port",
            "port of the live page on loopback; 0 lets the kernel choose",
            read=whole(0, 65_535),
            default=0,
        ),
    ),
    _demo,
    "Founds a domain, lets things of three types and two makers be born, joined, updated, grouped, quarantined and\n"
    "retired, with real protocols and, where the kernel allows, real firewall rules. Nothing leaves this machine.",
)
