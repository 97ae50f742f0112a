"""What the network plane and those beside it take from others: answers, drops, changes, wishes, scenarios."""

from __future__ import annotations

import asyncio
import string
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from ipaddress import ip_address, ip_network
from typing import Any

from tests.fuzz.target import Cursor, Target, attempt, ensure
from tests.unit.analysis.traffic.packets import CLOUD, LAMP, SYN, frame, look_up, packet, tcp
from tests.unit.controller.test_drop_watch import Watch
from tests.unit.controller.test_drop_watch import frame as dropped
from tests.unit.controller.test_flow_history import LAMP as _OURS
from tests.unit.transport.name_world import NAME, QUERY, answered
from thingstead.analysis.talk import in_words, undo
from thingstead.analysis.traffic.flow import FlowTable
from thingstead.analysis.traffic.name_book import NameBook
from thingstead.analysis.traffic.packet_filter import PacketFilter
from thingstead.analysis.traffic.trial import Trial
from thingstead.analysis.traffic.verdict import Judge
from thingstead.domain.name import NameAnswer
from thingstead.domain.network import ANY_PORTS, FlowRule, NetworkChange, RateLimit, ThingAddress
from thingstead.domain.owner_rule import OwnerRule, Way, parse_remote
from thingstead.enforcement.layout import lay_out
from thingstead.enforcement.table import Table
from thingstead.enforcement.transaction import difference, transaction
from thingstead.errors import ConfigError, PolicyError
from thingstead.identifier import thing_id_from_random
from thingstead.planes.network.overlay import Overlay
from thingstead.protocols.cbor import codec
from thingstead.protocols.dns import message
from thingstead.protocols.mud.file import Direction, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.rule import Rule, RuleSet, Surroundings
from thingstead.protocols.packet.packet import decode_frame
from thingstead.simulator.lab import scenario
from thingstead.transport.enforcement_socket import decode_change, encode_change
from thingstead.transport.name_relay import NameRelay

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_THING = thing_id_from_random(bytes(10))
_LOCAL = (ip_network("10.77.0.0/16"), ip_network("fd77::/64"))
_ASKER, _NUMBER = "10.77.0.2", b"\x12\x34"
_LOOP = asyncio.new_event_loop()


def _relay(data: bytes) -> None:
    """Whatever a resolver answers, who asked gets an answer to its question, and no name leads inside."""
    learned: list[NameAnswer] = []

    async def learn(answer: NameAnswer) -> None:
        learned.append(answer)

    async def ask(query: bytes) -> bytes:
        return query[:2] + data[2:] if data[:1] == b"\0" else data

    relay = NameRelay(ask, hosts={}, inside=_LOCAL, learn=learn, random_bytes=lambda size: _NUMBER[:size])
    said = _LOOP.run_until_complete(relay.answer(QUERY, _ASKER, max_bytes=512))
    ensure(said is not None, "silence to a question")
    told = message.decode(said or b"")
    ensure((told.id, told.question) == (0x4242, message.decode(QUERY).question), "an answer to something else")
    known = {address for one in learned for address, _ in one.addresses}
    ensure({address.packed for address, _ in told.addresses()} <= known, "an address that the rules do not know")
    for packed in known:
        ensure(not any(ip_address(packed) in prefix for prefix in _LOCAL), "a name that leads inside")


def _change(data: bytes) -> None:
    """Whoever may ask the enforcer asks for rules, or for nothing; and what is asked can be put to the kernel."""
    read = attempt(lambda: decode_change(codec.decode(data)))
    if read is None:
        return
    ensure(decode_change(encode_change(read)) == read, "another change than was asked for")
    layout = attempt(lambda: lay_out(read))
    if layout is not None:
        for one in transaction(Table("fuzz"), [difference(None, layout, kept=frozenset(), standing=())]):
            one.encode(1)


class _Shelf:
    def load(self) -> Mapping[str, bytes]:
        return {}

    async def write(self, changes: Mapping[str, bytes | None], *, entries: object = ()) -> None:
        """Kept nowhere."""


_HERE = ip_network("10.77.0.1/32")
_DOOR = Rule(Direction.FROM_DEVICE, 4, 17, Remote(RemoteKind.MY_CONTROLLER), PortRange(5683, 5683))
_WAYS, _PROTOCOLS = tuple(Way), (None, 1, 6, 17, 58, 255)


def _wish(data: bytes) -> None:
    """Whatever an owner refuses, no rule names the way between things and the controller alone."""
    chosen = Cursor(data)
    way, protocol = _WAYS[chosen.number(3)], _PROTOCOLS[chosen.number(6)]
    ports = sorted((chosen.number(65536), chosen.number(65536)))
    try:
        remote = parse_remote(data[6:].decode("utf-8", "replace"))
        wish = OwnerRule("x", True, (), "", "", way, remote, protocol, (ports[0], ports[1]), "", "", "o", _AT)
        overlay = Overlay(_Shelf(), local=_LOCAL, controller=(_HERE,), baseline=(_DOOR,))
        overlay.require(wish)
    except (ConfigError, PolicyError):
        return
    for made in overlay._compile(wish):
        prefix = made.remote.prefix
        # Of a wider one the kernel spares the controller: a rule that is exact has nothing before it that could.
        reaches = made.opened_by is Direction.FROM_DEVICE and prefix == _HERE
        covers = made.protocol in {None, 17} and _covers(made.remote_ports, 5683)
        ensure(not (reaches and covers), "things are cut off from their controller")


def _covers(ports: PortRange, port: int) -> bool:
    return ports.first <= port <= ports.last


_RULES = RuleSet(
    "https://maker.example/x",
    (
        Rule(Direction.FROM_DEVICE, 4, 6, Remote(RemoteKind.DNS_NAME, "cloud.example"), PortRange(443, 443)),
        Rule(Direction.TO_DEVICE, 4, 17, Remote(RemoteKind.LOCAL_NETWORKS), device_ports=PortRange(1, 1024)),
    ),
    (),
    None,
    "fuzz",
    48,
    None,
)


def _trial(data: bytes) -> None:
    """A capture is held against a file: each packet of the device is allowed or denied, once."""
    trial, surroundings = Trial(), Surroundings(local_networks=_LOCAL)
    judge = Judge(_RULES, surroundings)
    decide = PacketFilter(judge, surroundings, device=data[6:12])
    for start in range(0, len(data), 64):
        one = attempt(partial(decode_frame, data[start:], at=float(start)))
        passage = None if one is None else decide.see(one)
        trial.hold(() if passage is None else (passage,))
    shares = [trial.share(family) for family in (4, 6)]
    for share in shares:
        ensure(0 <= share.allowed <= share.packets and 0.0 <= share.percent <= 100.0, "more than all")
    denied = sum(one.packets for one in trial.refusals())
    ensure(denied == sum(share.packets - share.allowed for share in shares), "packets that nobody decided on")


def _scenario(data: bytes) -> None:
    """A scenario is read, or refused in a sentence; and it is of a size that this machine can play."""
    try:
        read = scenario.parse(data, name="fuzz")
    except ConfigError as error:
        ensure(str(error).startswith("fuzz"), "nobody knows where")
        return
    ensure(sum(read.things.values()) < 1000 and read.seconds < 1e6, "a world too large")


_PASTED = frozenset(string.ascii_letters + string.digits + " ./:-_")


def _told(data: bytes) -> None:
    """Of whatever passed or was dropped, sentences move no cursor, and commands that people copy do one thing."""
    chosen, watch = Cursor(data), Watch()
    names = NameBook()
    table = FlowTable(names)
    heads = []
    while not chosen.is_empty:
        head, reason = chosen.bytes(chosen.number(256)), _REASONS[chosen.number(len(_REASONS))]
        heads.append((head, reason))
        one = attempt(partial(decode_frame, head, at=_NOW))
        if one is not None:
            names.see(one)
            watch.desk.see(*table.see(one), thing=_OURS)
    watch.desk.see(*table.end(), thing=_OURS)
    for head, reason in heads:
        watch.look(head, reason=reason)
    for contact in watch.desk.of(thing=_OURS):
        ensure(in_words(contact).isprintable(), "what moves a cursor")
        ensure(set(undo(_OURS, contact)) <= _PASTED, "what a shell reads as more than a word")


_NOW = 1_700_000_000.0
_REASONS = ("refused", "denied", "refused_inbound", "spoofed", "sideways", "barred", "stranger", "\x1b[2J")


def _seen(*heads: bytes) -> bytes:
    return b"".join(bytes([len(head)]) + head + bytes([number % 8]) for number, head in enumerate(heads))


_FULL = NetworkChange(
    _THING,
    (ThingAddress(bytes(6), ip_address("10.77.0.2"), "t1"), ThingAddress(bytes(6), ip_address("fd77::2"))),
    frozenset(
        [
            FlowRule(True, ip_network("198.51.100.2"), 6, (443, 443)),
            FlowRule(True, ip_network("198.51.100.0/24"), 17, (1000, 2000), ANY_PORTS),
            FlowRule(False, ip_network("2001:db8::2"), 6, (80, 90), lifetime=60),
            FlowRule(True, ip_network("192.0.2.0/24"), 1, icmp=(8, None)),
        ]
    ),
    denied=frozenset([FlowRule(True, ip_network("0.0.0.0/0"), None)]),
    rate=RateLimit(1, 2, 3),
    learning=True,
)
_CHANGES = tuple(
    [codec.encode(encode_change(one)) for one in (_FULL, replace(_FULL, rules=None, barred=True, rate=None))]
)
_PACKETS = (*look_up("cloud.example", CLOUD), tcp(LAMP, CLOUD, (40000, 443), SYN), packet(LAMP, CLOUD, 1, 1))
_SHELF: Any = files("thingstead.simulator.lab") / "scenarios"
_SCENARIOS = tuple(sorted(one.read_bytes() for one in _SHELF.iterdir() if one.name.endswith(".toml"))[:4])

TARGETS = (
    Target(
        "network.relay",
        _relay,
        (
            b"\0\0" + answered(QUERY, (NAME, 60, "A", "198.51.100.7"))[2:],
            b"\0\0" + answered(QUERY, (NAME, 60, "CNAME", "x.example."), ("x.example", 5, "A", "10.77.0.9"))[2:],
        ),
    ),
    Target("network.change", _change, _CHANGES),
    Target("network.wish", _wish, tuple([bytes(6) + text for text in (b"any", b"local", b"10.0.0.0/8", b"a.example")])),
    Target("network.trial", _trial, (*map(frame, _PACKETS), b"".join(map(frame, _PACKETS)))),
    Target("network.told", _told, (_seen(*map(frame, _PACKETS)), _seen(dropped("10.77.0.2", "198.51.100.7")))),
    Target("lab.scenario", _scenario, _SCENARIOS),
)
