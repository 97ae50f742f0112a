"""Lay a thing's rules out in the kernel's sets and maps: what a hash decides, and what a chain of its own must."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from thingstead.domain.network import ANY_PORTS, NO_MAC, FlowRule, NetworkChange, RateLimit, ThingAddress
from thingstead.enforcement.basis import basis_of, is_basis
from thingstead.enforcement.table import BRIDGE, Condition, Element, Listed, Match, Verdict
from thingstead.errors import UnsupportedError

__all__ = [
    "Chain",
    "Layout",
    "aged",
    "bars",
    "bindings",
    "exact_places",
    "is_shared",
    "lay_out",
    "narrows",
    "without_basis",
]

_TCP, _UDP, _ICMPV6 = 6, 17, 58
_EXACT_PROTOCOLS = (_TCP, _UDP)
_ANY = IPv4Network("0.0.0.0/0"), IPv6Network("::/0")
_NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT = b"\x87", b"\x88"
_SIZES = {4: 4, 6: 16}
_SOURCES = {4: 12, 6: 8}
"""Where the source address is in the network header; the destination follows it."""

_INTERFACE_NAME = 16
_SHARED = ("barred_mac", "held", "place", "multicast4", "multicast6", "paced4", "paced6")
"""Sets whose elements name an interface and no address, so that two things may have one in common."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A thing's rules in one direction, for what no hash lookup can decide.

    Attributes:
        name: what for, family and address; of refusals in place of the address a digest of what they say, for all that
            are refused the same have one chain.
        entry: the map element that leads to it.
        rules: conditions of each.
        target: where a packet goes that one of them matches.
        flows: the rule that each was made of; its lifetime changes with each answer of the DNS, the chain does not.
        is_refusal: they are denied.
        spared: conditions of what none of them reaches.
    """

    name: str
    entry: Element
    rules: tuple[tuple[Condition, ...], ...]
    target: str
    flows: tuple[FlowRule, ...] = field(default=(), compare=False)
    is_refusal: bool = False
    spared: tuple[tuple[Condition, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What the kernel holds for one thing.

    Attributes:
        change: as applied.
        elements: all of its elements.
        chains: all of its own chains.
        at: when it was put there; monotonic.
    """

    change: NetworkChange
    elements: frozenset[Element]
    chains: tuple[Chain, ...]
    at: float = 0.0


def lay_out(change: NetworkChange, *, at: float = 0.0) -> Layout:
    """All that a change puts into the kernel at a time.

    Raises:
        UnsupportedError: a lifetime of more than one host.
    """
    chains = tuple(_chains(change))
    entries = (chain.entry for chain in chains)
    return Layout(change, frozenset([*_elements(change), *basis_of(change), *entries]), chains, at)


def aged(layout: Layout, *, now: float) -> Layout:
    """What is left of it later: an address whose time is over does not come back, another has the rest of its time."""
    elapsed = int(now - layout.at)
    return replace(
        layout,
        elements=frozenset(
            [
                one if one.lifetime is None else replace(one, lifetime=one.lifetime - elapsed)
                for one in layout.elements
                if one.lifetime is None or one.lifetime > elapsed
            ]
        ),
    )


def without_basis(layout: Layout) -> Layout:
    """While flows that are open may still rest on something else."""
    return replace(layout, elements=frozenset(one for one in layout.elements if not is_basis(one)))


def narrows(before: NetworkChange, after: NetworkChange, *, elapsed: float = 0.0) -> bool:
    """Whether anything that passed may pass no longer, `elapsed` seconds later, so that open flows must be asked again.

    What only runs out keeps its flows; so does an address in whose place the DNS gave another one for the same rule:
    names of large services change theirs by the minute, and connections to them last for days. With the name they end,
    whether or not it stands for anything when it goes, or other names are left with rules like its own.
    """
    if after.barred and not before.barred:
        return True
    if not after.denied <= before.denied or (before.learning and not after.learning):
        return True
    if not set(before.addresses) <= set(after.addresses) or not before.named <= after.named:
        return True
    gone = (before.rules or frozenset()) - (after.rules or frozenset())
    if not gone:
        return False
    stands = {_lasting(rule) for rule in after.rules or ()}
    named = {_without_remote(rule) for rule in after.rules or () if rule.lifetime is not None}
    return any(
        _lasting(rule) not in stands and (rule.lifetime is None or _without_remote(rule) not in named)
        for rule in gone
        if rule.lifetime is None or rule.lifetime > elapsed
    )


def _lasting(rule: FlowRule) -> FlowRule:
    return rule if rule.lifetime is None else replace(rule, lifetime=None)


def _without_remote(rule: FlowRule) -> FlowRule:
    return replace(rule, remote=_ANY[rule.remote.version == 6], lifetime=None)


def is_shared(element: Element) -> bool:
    """Whether another thing may have this very element, as two services on one machine have one interface."""
    return element.set in _SHARED


def bindings(one: ThingAddress, rate: RateLimit | None = None) -> Iterator[Element]:
    """By which the kernel knows an address of a thing that is not barred, up to its bound and whatever it sends."""
    pair = one.ip.packed + _padded(one.mac)
    yield Element(f"thing{one.ip.version}", pair, within=_pace(rate))
    yield Element(f"bound{one.ip.version}", pair)


def _pace(rate: RateLimit | None) -> tuple[int, int] | None:
    return None if rate is None else (rate.packets_per_second, rate.packets_per_second)


def bars(one: ThingAddress) -> Iterator[Element]:
    """By which the kernel drops all that an address and its interface send."""
    yield Element(f"barred{one.ip.version}", one.ip.packed)
    yield Element("barred_mac", one.mac)


def exact_places(change: NetworkChange) -> Iterator[tuple[FlowRule, bool, Element]]:
    """Each rule that a hash lookup decides, whether it is a refusal, and its element."""
    for rules, no in ((change.rules or frozenset(), ""), (change.denied, "no_")):
        for one in change.addresses:
            for rule in rules:
                if rule.remote.version == one.ip.version and _is_exact(rule):
                    name, key = _exact_place(rule, one.ip.packed)
                    yield rule, bool(no), Element(f"{no}{name}{one.ip.version}", key, rule.lifetime)


def _elements(change: NetworkChange) -> Iterator[Element]:
    """Of who is barred the bars alone: nothing leads from its packets to its rules or its open flows."""
    for one in change.addresses:
        if change.barred:
            yield from bars(one)
            yield Element(f"stopped{one.ip.version}", one.ip.packed)
            yield Element("barred_mac", one.mac, family=BRIDGE)
        elif change.rules is not None:
            yield from bindings(one, change.rate)
            yield from _states(change, one)
            yield from _on_the_bridge(change, change.rules, one)
    if change.rules is not None and not change.barred:
        lifetimes: dict[tuple[str, bytes], int | None] = {}
        for name, key, lifetime in _timed(change):
            known = lifetimes.get((name, key), 0)
            lifetimes[name, key] = None if None in (known, lifetime) else max(known or 0, lifetime or 0)
        for (name, key), lifetime in lifetimes.items():
            yield Element(name, key, lifetime)


def _states(change: NetworkChange, one: ThingAddress) -> Iterator[Element]:
    """What holds for the address as a whole."""
    for name in ("known", "refused", "inbound", *(("learning",) if change.learning else ())):
        yield Element(f"{name}{one.ip.version}", one.ip.packed)
    rate = change.rate
    if rate is not None:
        yield Element(f"flows{one.ip.version}", one.ip.packed, limit=(rate.flows_per_second, rate.burst))


def _on_the_bridge(change: NetworkChange, rules: frozenset[FlowRule], one: ThingAddress) -> Iterator[Element]:
    """Binding of address, interface and port where frames arrive; and which multicast leaves for other ports."""
    if one.mac == NO_MAC:
        return
    yield from bridge_bindings(one)
    if one.port:
        yield Element("held", one.mac, family=BRIDGE)
        name = one.port.encode().ljust(_INTERFACE_NAME, b"\0")
        yield Element("place", name + _padded(one.mac), family=BRIDGE)
    for rule in rules:
        group, port = rule.remote, rule.remote_ports
        is_one_group = group.prefixlen == group.max_prefixlen and group.version == one.ip.version and group.is_multicast
        is_one = rule.outbound and is_one_group and rule.protocol == _UDP and port[0] == port[1]
        if is_one and not any(_reaches(refusal, rule) for refusal in change.denied):
            key = _padded(one.mac) + group.network_address.packed + struct.pack("!H2x", port[0])
            yield Element(f"multicast{group.version}", key, family=BRIDGE)
            yield Element(f"paced{group.version}", key, within=_pace(change.rate), family=BRIDGE)


def _reaches(refusal: FlowRule, rule: FlowRule) -> bool:
    """Whether a refusal is about any of what one multicast rule allows: nothing asks again where frames are bridged."""
    first, last = refusal.remote_ports
    return (
        refusal.outbound
        and rule.remote.network_address in refusal.remote
        and refusal.protocol in {None, _UDP}
        and first <= rule.remote_ports[0] <= last
    )


def bridge_bindings(one: ThingAddress) -> Iterator[Element]:
    """By which no other interface on the bridge may send from an address, or say that it is there."""
    pair = one.ip.packed + _padded(one.mac)
    yield Element(f"known{one.ip.version}", one.ip.packed, family=BRIDGE)
    yield Element(f"pair{one.ip.version}", pair, family=BRIDGE)
    if not isinstance(one.ip, IPv4Address):
        yield Element("target6", one.ip.packed, family=BRIDGE)
        yield Element("target_pair6", pair, family=BRIDGE)


def _timed(change: NetworkChange) -> Iterator[tuple[str, bytes, int | None]]:
    """Elements that may have a lifetime; of several that are one lookup the longest counts."""
    for rule, _, element in exact_places(change):
        yield element.set, element.key, rule.lifetime
    for one in change.addresses:
        for rule in change.rules or ():
            if rule.lifetime is not None and rule.remote.version == one.ip.version and not _is_exact(rule):
                pair = one.ip.packed, rule.remote.network_address.packed
                way, key = ("out", pair[0] + pair[1]) if rule.outbound else ("in", pair[1] + pair[0])
                yield f"named_{way}{one.ip.version}", key, rule.lifetime


def _is_exact(rule: FlowRule) -> bool:
    """One host, one port on one side: then a hash lookup decides. The rest goes into the thing's own chain."""
    first, last = rule.remote_ports if rule.thing_ports == ANY_PORTS else rule.thing_ports
    return (
        first == last
        and ANY_PORTS in (rule.remote_ports, rule.thing_ports)
        and rule.protocol in _EXACT_PROTOCOLS
        and rule.remote.prefixlen == rule.remote.max_prefixlen
    )


def _exact_place(rule: FlowRule, ip: bytes) -> tuple[str, bytes]:
    at_remote = rule.thing_ports == ANY_PORTS
    # A flow out is looked up by its destination port at the remote, a flow in by its source port there.
    name = {(True, True): "out", (True, False): "out_from", (False, True): "in_from", (False, False): "in"}
    port = (rule.remote_ports if at_remote else rule.thing_ports)[0]
    key = ip + rule.remote.network_address.packed + struct.pack("!B3xH2x", rule.protocol or 0, port)
    return name[rule.outbound, at_remote], key


def _chains(change: NetworkChange) -> Iterator[Chain]:
    for one in change.addresses:
        if change.barred and change.repair:
            yield from _repair(one, change.repair)
        elif change.rules is not None and not change.barred:
            yield from _wide(one, change.rules)
            if change.denied:
                yield from _refusals(one, change.denied, change.repair)


_WAYS: Mapping[bool, str] = {True: "out", False: "in"}
_ALLOWED: Mapping[bool, str] = {True: "passed", False: "allowed"}
_DENIED: Mapping[bool, str] = {True: "denied{}", False: "denied_inbound{}"}


def _wide(one: ThingAddress, rules: frozenset[FlowRule]) -> Iterator[Chain]:
    for outbound, way in _WAYS.items():
        rows = _rows(rules, outbound, one.ip.version)
        if rows:
            name = f"{way}_{one.ip.version}_{one.ip.packed.hex()}"
            entry = Element(f"{way}_wide{one.ip.version}", one.ip.packed, verdict=Verdict(name))
            yield Chain(name, entry, tuple(rows), _ALLOWED[outbound], tuple(rows.values()))


def _refusals(one: ThingAddress, rules: frozenset[FlowRule], spared: frozenset[FlowRule]) -> Iterator[Chain]:
    """Chains that things have in common, for a refusal is said to many at once."""
    for outbound in _WAYS:
        chain = _refusal(rules, spared, outbound, one.ip.version)
        if chain.rules:
            yield replace(chain, entry=replace(chain.entry, key=one.ip.packed))


@lru_cache(maxsize=256)
def _refusal(rules: frozenset[FlowRule], spared: frozenset[FlowRule], outbound: bool, version: int) -> Chain:
    """As whoever has it has it, but for the key that leads there."""
    rows = _rows(rules, outbound, version)
    ways = [rule for rule in spared if rule.outbound is outbound and rule.remote.version == version]
    left = tuple(sorted([tuple(_conditions(rule)) for rule in ways], key=repr))
    way = _WAYS[outbound]
    name = f"no_{way}_{version}_{sha256(repr((left, *rows)).encode()).hexdigest()[:32]}"
    entry = Element(f"no_{way}_wide{version}", b"", verdict=Verdict(name))
    target = _DENIED[outbound].format(version)
    return Chain(name, entry, tuple(rows), target, tuple(rows.values()), is_refusal=True, spared=left)


def _rows(rules: frozenset[FlowRule], outbound: bool, version: int) -> dict[tuple[Condition, ...], FlowRule]:
    """Conditions of what no hash lookup decides, and the rule that each was made of."""
    made = [
        (tuple(_conditions(rule)), rule)
        for rule in rules
        if rule.outbound is outbound and rule.remote.version == version and not _is_exact(rule)
    ]
    return dict(sorted(made, key=lambda row: repr(row[0])))


def _repair(one: ThingAddress, rules: frozenset[FlowRule]) -> Iterator[Chain]:
    """Flow by flow in both directions, and neighbours are found; no tracked state lets anything else through."""
    version = one.ip.version
    rows: dict[str, list[tuple[Condition, ...]]] = {"from": [], "to": []}
    for rule in rules:
        if rule.remote.version == version:
            there, back = ("from", "to") if rule.outbound else ("to", "from")
            rows[there].append(tuple(_conditions(rule)))
            rows[back].append(tuple(_conditions(rule, reply=True)))
    if version == 6:
        found = tuple(
            [
                (Match(0, 0, bytes([_ICMPV6]), bytes([_ICMPV6])), Match(2, 0, kind, kind))
                for kind in (_NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT)
            ]
        )
        rows = {way: [*some, *found] for way, some in rows.items()}
    keys = {"from": one.ip.packed + _padded(one.mac), "to": one.ip.packed}
    for way, target in (("from", "passed"), ("to", "allowed")):
        name = f"repair_{way}_{version}_{one.ip.packed.hex()}"
        entry = Element(f"repair_{way}{version}", keys[way], verdict=Verdict(name))
        yield Chain(name, entry, tuple(sorted(rows[way], key=repr)), target)


def _conditions(rule: FlowRule, *, reply: bool = False) -> Iterator[Condition]:
    """Of the first packet, or of what answers it."""
    size, source = _SIZES[rule.remote.version], _SOURCES[rule.remote.version]
    to_remote = rule.outbound is not reply
    if rule.lifetime is not None:
        if rule.remote.prefixlen != rule.remote.max_prefixlen:
            raise UnsupportedError(f"expected one host with a lifetime, got {rule.remote}")
        name = f"named_{'out' if rule.outbound else 'in'}{rule.remote.version}"
        yield Listed(name, source, 2 * size)
    if rule.remote not in _ANY:
        first, last = rule.remote.network_address.packed, rule.remote.broadcast_address.packed
        yield Match(1, source + (size if to_remote else 0), first, last)
    if rule.protocol is not None:
        yield Match(0, 0, bytes([rule.protocol]), bytes([rule.protocol]))
    ports = (rule.thing_ports, rule.remote_ports) if to_remote else (rule.remote_ports, rule.thing_ports)
    for offset, (first_port, last_port) in ((0, ports[0]), (2, ports[1])):
        if (first_port, last_port) != ANY_PORTS:
            yield Match(2, offset, struct.pack("!H", first_port), struct.pack("!H", last_port))
    for offset, value in enumerate(() if reply else rule.icmp or ()):
        if value is not None:
            yield Match(2, offset, bytes([value]), bytes([value]))


def _padded(mac: bytes) -> bytes:
    return mac + b"\0\0"
