"""``thingstead watch``: who is on a segment, out of what passes there; nothing is sent, and no domain is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thingstead.analysis.plain_words import service
from thingstead.analysis.traffic.inventory import Device, Inventory
from thingstead.analysis.traffic.likeness import Likeness, likeness
from thingstead.analysis.traffic.listener import Listener
from thingstead.analysis.traffic.proposal import Proposal, propose
from thingstead.analysis.traffic.site import PRIVATE, Site
from thingstead.analysis.traffic.software import components
from thingstead.analysis.traffic.story import sentence, who
from thingstead.analysis.vulnerability import Feed
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.capture import captures, mac, packets
from thingstead.cli.console import View
from thingstead.cli.feed import feed
from thingstead.cli.input import read_file
from thingstead.cli.live import hear, minutes
from thingstead.clock import SystemClock
from thingstead.enforcement.link import ports_of
from thingstead.errors import ConfigError, ProtocolError
from thingstead.protocols.mud import parser
from thingstead.protocols.mud.rule import RuleSet, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit
from thingstead.storage.directory import write_whole
from thingstead.storage.mac_registry import maker_of
from thingstead.transport.packet_tap import PacketTap

__all__ = ["WATCH"]

_LOOK = AdmissionPolicy("a look at a file", insecure_unsigned=True)
_VIEW = View(
    (
        ("device", "mac"),
        ("addresses", "addresses"),
        ("maker of its interface", "maker"),
        ("kind", "kind"),
        ("sure", "confidence"),
        ("like", "like"),
        ("talks to", "talks_to"),
        ("answers at", "services"),
        ("known vulnerabilities", "vulnerabilities"),
        ("maker mends it", "supported"),
    ),
    "nobody was heard",
)


@dataclass(frozen=True, slots=True)
class _Profile:
    """A MUD file of a known type."""

    rules: RuleSet
    is_supported: bool


def _watch(session: Session) -> int:
    site = Site(PRIVATE)
    inventory = Inventory(Listener(site), maker_of=maker_of)
    _see(session, inventory)
    records = None if session.options["osv"] is None else feed(session)
    profiles = _profiles(session)
    wanted = session.options["mac"]
    devices = [one for one in inventory.devices() if wanted in (None, one.mac)]
    if wanted is not None and not devices:
        raise ConfigError(f"{wanted.hex(':')} sent nothing there")
    proposals = {one.mac: _proposal(one, site.is_local) for one in devices}
    if session.options["output"] is not None:
        _write(session.path("output"), proposals)
    if wanted is None:
        session.console.show([_row(one, records, profiles) for one in devices], _VIEW)
    else:
        session.console.show(_whole(devices[0], records, profiles, proposals[wanted]))
    if records is None:
        session.console.note("known vulnerabilities were not looked for: --osv names the records")
    _next(session, [one for one in proposals if proposals[one].services])
    return 0


def _next(session: Session, proposed: list[bytes]) -> None:
    """From all devices to one of them, from that to its file."""
    source = "interface" if session.options["interface"] is not None else "pcap"
    if session.options["mac"] is None and proposed:
        words = (f"--{source}", session.options[source], "--mac", proposed[0].hex(":"), "--output", "learned")
        session.console.next("thingstead watch", *words)
    elif session.options["output"] is not None and proposed:
        session.console.next("thingstead mud explain", _file(Path(session.options["output"]), proposed[0]))


def _see(session: Session, inventory: Inventory) -> None:
    interface = session.options["interface"]
    if (interface is None) is (session.options["pcap"] is None):
        raise ConfigError("expected either --interface or --pcap")
    if interface is not None:
        span = session.options["minutes"]
        tap = PacketTap([interface], ports_of=ports_of)
        session.console.note(f"listening on {interface} for {span:g} minutes; Ctrl-C ends it")
        hear(tap, inventory.see, session.console, clock=SystemClock(), seconds=60 * span)
        return
    for path in captures(session.path("pcap")):
        for packet in packets(path, session.console):
            inventory.see(packet)


def _profiles(session: Session) -> dict[str, _Profile]:
    """MUD files of a directory by their URL; what is none is passed over, and told."""
    found: dict[str, _Profile] = {}
    if session.options["profiles"] is None:
        return found
    if not session.path("profiles").is_dir():
        raise ConfigError(f"expected a directory of MUD files at {session.path('profiles')}")
    for path in sorted(session.path("profiles").rglob("*.json")):
        try:
            admitted = admit(
                read_file(path, max_bytes=parser.DEFAULT_LIMITS.max_bytes), None, policy=_LOOK, at=SystemClock().utc()
            )
        except ProtocolError as error:
            session.console.note(f"{path.name}: {error}")
            continue
        found.setdefault(admitted.file.url, _Profile(compile_rules(admitted), admitted.file.is_supported))
    return found


def _proposal(device: Device, is_local: Callable[[bytes], bool]) -> Proposal:
    return propose(device, model=device.guess.kind or "unknown", is_local=is_local, at=SystemClock().utc())


def _write(target: Path, proposals: dict[bytes, Proposal]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for address, proposal in proposals.items():
        if proposal.services:
            write_whole(_file(target, address), proposal.document)


def _file(folder: Path, address: bytes) -> Path:
    return folder / f"{address.hex('-')}.json"


def _row(device: Device, records: Feed | None, profiles: dict[str, _Profile]) -> dict[str, Any]:
    like = _like(device, profiles)
    return {
        "mac": device.mac.hex(":"),
        "addresses": list(device.addresses),
        "maker": maker_of(device.mac),
        "kind": device.guess.kind,
        "confidence": device.guess.confidence,
        "like": [f"{one.url} ({one.confidence:.0%})" for one in like[:1]],
        "talks_to": len({who(one) for one in device.contacts}),
        "services": [service(protocol, port) for protocol, port in device.services],
        "vulnerabilities": None if records is None else len(records.match(components(device.clues))),
        "supported": _supported(like, profiles),
    }


def _whole(device: Device, records: Feed | None, profiles: dict[str, _Profile], proposal: Proposal) -> dict[str, Any]:
    return {
        **_row(device, records, profiles),
        "because": list(device.guess.because),
        "like": [f"{one.url} ({one.confidence:.0%} by {', '.join(one.names[:3])})" for one in _like(device, profiles)],
        "says": _said(device),
        "software": [str(one) for one in components(device.clues)],
        "vulnerabilities": None if records is None else _vulnerabilities(device, records),
        "talks": [{"what": sentence(one)} for one in device.contacts],
        "proposed_services": proposal.services,
        "not_proposed": [{"what": sentence(one.contact), "why": one.reason} for one in proposal.left_out],
        "doubts": list(proposal.doubts),
    }


def _like(device: Device, profiles: dict[str, _Profile]) -> tuple[Likeness, ...]:
    return likeness(device, [one.rules for one in profiles.values()])


def _supported(like: tuple[Likeness, ...], profiles: dict[str, _Profile]) -> str:
    """What the file of the likeliest type says (RFC 8520 §3.6); it names no date."""
    if not like:
        return "not known"
    return "yes" if profiles[like[0].url].is_supported else "no more"


def _said(device: Device) -> dict[str, list[str]]:
    """By where it was said, each once."""
    said: dict[str, list[str]] = {}
    for one in device.clues:
        said.setdefault(one.source.value, []).append(one.text)
    return said


def _vulnerabilities(device: Device, records: Feed) -> list[dict[str, str]]:
    return [
        {"id": one.id, "component": one.component, "severity": one.severity.name.lower(), "because": one.because}
        for one in records.match(components(device.clues))
    ]


WATCH = Action(
    (
        Parameter("--interface", "listen there; needs CAP_NET_RAW"),
        Parameter("--minutes", "for how long to listen; a day is 1440", read=minutes, default=15.0),
        Parameter("--pcap", "a capture, or a directory of them, instead"),
        Parameter("--mac", "tell all of one device", read=mac),
        Parameter("--profiles", "directory of MUD files of known types, to tell the type by"),
        Parameter("--osv", "records of known vulnerabilities: file, folder or zip, in the schema of OSV"),
        Parameter("--output", "directory for a proposed MUD file of each device"),
    ),
    _watch,
    "What is found is what passed: a silent device is missing, an unused service is not seen, and nothing that a\n"
    "device says of itself is proved. The kind is a guess, and says by what. A proposed file allows what was answered\n"
    "while it was watched, and nothing that began outside of the site.",
)
