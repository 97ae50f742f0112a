"""Keep the rules in the kernel: one netlink transaction per change of one thing."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from thingstead.domain.network import (
    ANY_PORTS,
    AppliedChange,
    Drop,
    FlowRule,
    NetworkChange,
    NetworkStanding,
    RuleTraffic,
    ThingAddress,
    Traffic,
)
from thingstead.enforcement.netlink import Message, NetfilterSocket, NetlinkError, attribute, nested
from thingstead.enforcement.nft import load_text
from thingstead.enforcement.ruleset import render_table
from thingstead.enforcement.table import Element, Match, Table, Verdict, packet_counts
from thingstead.errors import PolicyError, UnsupportedError
from thingstead.identifier import ThingId

__all__ = ["Nftables", "NftablesConfig"]

_EXACT_PROTOCOLS = (6, 17)
_ANY = IPv4Network("0.0.0.0/0"), IPv6Network("::/0")


@dataclass(frozen=True, slots=True)
class NftablesConfig:
    """What the table is about.

    Attributes:
        interfaces: behind which things live.
        local: prefixes in use there.
        onboarding: protocol name and port at which strangers may knock on this machine.
        table: name of the nftables table; one per enforcer.
    """

    interfaces: tuple[str, ...]
    local: tuple[IPv4Network | IPv6Network, ...]
    onboarding: tuple[tuple[str, int], ...] = ()
    table: str = "thingstead"


@dataclass(frozen=True, slots=True)
class _Chain:
    """A thing's own rules in one direction, for what no hash lookup can decide.

    Attributes:
        name: direction, family and address.
        entry: the map element that leads to it.
        rules: conditions of each.
        target: where a packet goes that one of them matches.
    """

    name: str
    entry: Element
    rules: tuple[tuple[Match, ...], ...]
    target: str


@dataclass(frozen=True, slots=True)
class _Applied:
    """What the kernel holds for one thing.

    Attributes:
        change: as applied.
        elements: all of its elements.
        chains: all of its own chains.
        at: when it was applied; monotonic.
    """

    change: NetworkChange
    elements: frozenset[Element]
    chains: tuple[_Chain, ...]
    at: float = 0.0

    def standing(self, now: float) -> set[tuple[str, bytes]]:
        """Of its elements those that have not run out by themselves, without their lifetimes."""
        return {(one.set, one.key) for one in self.elements if one.lifetime is None or self.at + one.lifetime > now}


class Nftables:
    """The enforcer in the kernel; fits the `Enforcement` port.

    Made and closed by a composition root, in the network namespace whose packets it shall decide on.
    The table is replaced on opening and taken away on closing: what is in force is what this process applied.
    """

    mode = "nftables"

    def __init__(self, config: NftablesConfig) -> None:
        """Put the empty table in force: from here on nothing unknown passes.

        Raises:
            ConfigError: no nftables in this kernel, or no right to change it.
        """
        self._table = Table(config.table)
        self._name = config.table
        self._applied: dict[ThingId, _Applied] = {}
        self._owners: dict[IPv4Address | IPv6Address, ThingId] = {}
        load_text(
            render_table(config.table, interfaces=config.interfaces, local=config.local, onboarding=config.onboarding)
        )
        self._socket = NetfilterSocket()
        self._lock = asyncio.Lock()

    async def apply(self, change: NetworkChange) -> AppliedChange:
        """Make `change` hold, in one transaction; the same change again does nothing but renew lifetimes.

        Raises:
            NetlinkError: the kernel refused; what held before still holds.
            PolicyError: an address is another thing's.
            UnsupportedError: it asks for what the table does not keep.
        """
        if change.denied or change.rate or change.learning or change.repair:
            raise UnsupportedError("the kernel's table keeps allowances and bars, and nothing else yet")
        async with self._lock:
            change = self._without_others(change)
            self._require_own_addresses(change)
            before = self._applied.get(change.thing)
            started = time.perf_counter()
            after = _Applied(change, frozenset(_elements(change)), tuple(_chains(change)), at=started)
            self._socket.commit(_transaction(self._table, before, after))
            self._remember(change.thing, after)
            if before is not None and _narrows(before, after):
                self._end_flows(before.change.addresses)
            seconds = time.perf_counter() - started
            old = frozenset() if before is None or before.change.rules is None else before.change.rules
            new = change.rules or frozenset()
            return AppliedChange(change.thing, self.mode, len(new - old), len(old - new), seconds)

    async def standing(self, thing: ThingId) -> NetworkStanding:
        """Ask the kernel whether the thing's addresses are bound, and whether they are barred.

        Raises:
            NetlinkError: the kernel did not answer.
        """
        async with self._lock:
            applied = self._applied.get(thing)
            addresses = () if applied is None else applied.change.addresses
            admitted = any(self._holds(element) for one in addresses for element in _bindings(one))
            barred = any(self._holds(element) for one in addresses for element in _bars(one))
            return NetworkStanding(thing, self.mode, admitted=admitted and not barred, barred=barred)

    async def rule_counters(self, thing: ThingId) -> tuple[RuleTraffic, ...]:  # noqa: ARG002  nobody counts
        """Rules have no counters of their own here."""
        return ()

    async def drops(self) -> tuple[Drop, ...]:
        """Nothing is logged here."""
        return ()

    async def counters(self) -> tuple[Traffic, ...]:
        """Packets of each thing, read from the kernel."""
        async with self._lock:
            seen, refused = self._counts("thing"), self._counts("refused")
            barred = self._counts("barred")
        traffic = []
        for thing, applied in self._applied.items():
            keys = [one.ip.packed for one in applied.change.addresses]
            stopped = sum(barred.get(key, 0) for key in keys)
            traffic.append(
                Traffic(
                    thing,
                    seen=sum(seen.get(key, 0) for key in keys) + stopped,
                    refused=sum(refused.get(key, 0) for key in keys) + stopped,
                )
            )
        return tuple(traffic)

    def close(self) -> None:
        """Take the table away; a router that things rely on should rather keep the process running."""
        self._socket.close()
        load_text(f"delete table inet {self._name}\n")

    def _without_others(self, change: NetworkChange) -> NetworkChange:
        """A bar neither fails nor strikes others for an address that another thing has by now."""
        owned = {one.ip: self._owners.get(one.ip, change.thing) for one in change.addresses}
        others = {ip for ip, by in owned.items() if by != change.thing and self._applied[by].change.rules is not None}
        kept = tuple([one for one in change.addresses if one.ip not in others])
        return replace(change, addresses=kept) if change.rules is None else change

    def _require_own_addresses(self, change: NetworkChange) -> None:
        """One address, one thing (R-34); an address that only a bar remembers is free again."""
        for owner in {self._owners.get(one.ip, change.thing) for one in change.addresses} - {change.thing}:
            applied = self._applied[owner]
            if applied.change.rules is not None:
                raise PolicyError(f"expected addresses of its own for {change.thing}, got some of {owner}", spec="R-34")
            nothing = _Applied(NetworkChange(owner, (), None), frozenset(), ())
            self._socket.commit(_transaction(self._table, applied, nothing))
            self._remember(owner, None)

    def _remember(self, thing: ThingId, applied: _Applied | None) -> None:
        before = self._applied.pop(thing, None)
        for one in () if before is None else before.change.addresses:
            self._owners.pop(one.ip, None)
        if applied is not None:
            self._applied[thing] = applied
            self._owners.update({one.ip: thing for one in applied.change.addresses})

    def _holds(self, element: Element) -> bool:
        try:
            self._socket.ask(self._table.query(element))
        except NetlinkError as error:
            if error.number == errno.ENOENT:
                return False
            raise
        return True

    def _counts(self, name: str) -> dict[bytes, int]:
        counts: dict[bytes, int] = {}
        for family, size in (("4", 4), ("6", 16)):
            for key, packets in packet_counts(self._socket.ask(self._table.query_all(name + family), dump=True)):
                counts[key[:size]] = counts.get(key[:size], 0) + packets
        return counts

    def _end_flows(self, addresses: Sequence[ThingAddress]) -> None:
        """Forget the tracked connections from and to a thing, so that each must pass the rules again."""
        for one in addresses:
            source, destination = (1, 2) if one.ip.version == 4 else (3, 4)
            for kind, flag in ((source, 1), (destination, 2)):
                body = nested(1, nested(1, attribute(kind, one.ip.packed))) + nested(
                    25, attribute(1, struct.pack("=I", flag)), attribute(2, struct.pack("=I", 0))
                )
                family = socket.AF_INET if one.ip.version == 4 else socket.AF_INET6
                self._socket.request(Message(1 << 8 | 2, 0, family, body))


def _transaction(table: Table, before: _Applied | None, after: _Applied) -> list[Message]:
    """Old elements out, chains exchanged, new elements in; the kernel shows the result at once or not at all.

    An element with a lifetime may have run out by now, and one that is gone cannot be deleted: so it is added
    (which does nothing if it is there) and then deleted, which cannot fail.
    """
    held = frozenset() if before is None else before.elements
    chains = () if before is None else before.chains
    exchanged = chains != after.chains
    lasting = frozenset(one for one in held & after.elements if one.lifetime is None)
    if exchanged:
        lasting = frozenset(one for one in lasting if one.verdict is None)
    gone, fresh = held - lasting, after.elements - lasting
    timed = [one for one in gone if one.lifetime is not None]
    messages = table.add(timed) + table.delete(gone)
    if exchanged:
        for chain in chains:
            messages += table.delete_chain(chain.name)
        for chain in after.chains:
            messages += table.add_chain(chain.name, chain.rules, target=chain.target)
    return messages + table.add(fresh)


def _narrows(before: _Applied, after: _Applied) -> bool:
    """Whether anything that passed may pass no longer. What only runs out keeps its established flows."""
    if after.change.barred and not before.change.barred:
        return True
    lost = before.standing(after.at) - {(one.set, one.key) for one in after.elements}
    return bool(lost) or bool(before.chains and before.chains != after.chains)


def _elements(change: NetworkChange) -> Iterator[Element]:
    for one in change.addresses:
        if change.barred:
            yield from _bars(one)
        if change.rules is None:
            continue
        family, ip = one.ip.version, one.ip.packed
        yield from _bindings(one)
        yield Element(f"known{family}", ip)
        yield Element(f"refused{family}", ip)
        lifetimes: dict[tuple[str, bytes], int | None] = {}
        for rule in change.rules:
            if rule.remote.version == family and _is_exact(rule):
                place = _exact_place(rule, ip, family)
                known = lifetimes.get(place, 0)
                lifetimes[place] = None if None in (known, rule.lifetime) else max(known or 0, rule.lifetime or 0)
        for (name, key), lifetime in lifetimes.items():
            yield Element(name, key, lifetime)
    for chain in _chains(change):
        yield chain.entry


def _bindings(one: ThingAddress) -> Iterator[Element]:
    yield Element(f"thing{one.ip.version}", one.ip.packed + one.mac + b"\0\0")


def _bars(one: ThingAddress) -> Iterator[Element]:
    yield Element(f"barred{one.ip.version}", one.ip.packed)
    yield Element("barred_mac", one.mac)


def _is_exact(rule: FlowRule) -> bool:
    """One host, one port on one side: then a hash lookup decides. The rest goes into the thing's own chain."""
    ports = sorted((rule.remote_ports, rule.thing_ports), key=lambda ports: ports == ANY_PORTS)
    return (
        rule.remote.num_addresses == 1
        and rule.protocol in _EXACT_PROTOCOLS
        and ports[0][0] == ports[0][1]
        and ports[1] == ANY_PORTS
    )


def _exact_place(rule: FlowRule, ip: bytes, family: int) -> tuple[str, bytes]:
    at_remote = rule.thing_ports == ANY_PORTS
    # A flow out is looked up by its destination port at the remote, a flow in by its source port there.
    name = {(True, True): "out", (True, False): "out_from", (False, True): "in_from", (False, False): "in"}
    port = (rule.remote_ports if at_remote else rule.thing_ports)[0]
    key = ip + rule.remote.network_address.packed + struct.pack("!B3xH2x", rule.protocol or 0, port)
    return f"{name[rule.outbound, at_remote]}{family}", key


def _chains(change: NetworkChange) -> Iterator[_Chain]:
    for one in change.addresses if change.rules is not None else ():
        for outbound, direction in ((True, "out"), (False, "in")):
            rules = sorted(
                tuple(_conditions(rule))
                for rule in change.rules or ()
                if rule.outbound is outbound and rule.remote.version == one.ip.version and not _is_exact(rule)
            )
            if rules:
                name = f"{direction}_{one.ip.version}_{one.ip.packed.hex()}"
                entry = Element(f"{direction}_wide{one.ip.version}", one.ip.packed, verdict=Verdict(name))
                yield _Chain(name, entry, tuple(rules), "passed" if outbound else "allowed")


def _conditions(rule: FlowRule) -> Iterator[Match]:
    size = 4 if rule.remote.version == 4 else 16
    start = 12 if rule.remote.version == 4 else 8
    if rule.remote not in _ANY:
        first, last = rule.remote.network_address.packed, rule.remote.broadcast_address.packed
        yield Match(1, start + (size if rule.outbound else 0), first, last)
    if rule.protocol is not None:
        yield Match(0, 0, bytes([rule.protocol]), bytes([rule.protocol]))
    source, destination = rule.thing_ports, rule.remote_ports
    if not rule.outbound:
        source, destination = destination, source
    for offset, ports in ((0, source), (2, destination)):
        if ports != ANY_PORTS:
            yield Match(2, offset, struct.pack("!H", ports[0]), struct.pack("!H", ports[1]))
    for offset, value in enumerate(rule.icmp or ()):
        if value is not None:
            yield Match(2, offset, bytes([value]), bytes([value]))
