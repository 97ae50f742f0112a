"""Keep the rules in the kernel: one netlink transaction per change of one thing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from thingstead.domain.network import (
    AppliedChange,
    Drop,
    NetworkChange,
    NetworkStanding,
    RuleTraffic,
    ThingAddress,
    Traffic,
)
from thingstead.enforcement.basis import bases, is_basis
from thingstead.enforcement.bridge_ports import BridgePorts
from thingstead.enforcement.bridge_ruleset import render_bridge_table
from thingstead.enforcement.conntrack import end_flows, end_flows_of, within
from thingstead.enforcement.drop_log import DropLog
from thingstead.enforcement.foreign_change import ForeignChanges
from thingstead.enforcement.holdings import Holdings
from thingstead.enforcement.layout import (
    Layout,
    aged,
    bars,
    bindings,
    lay_out,
    narrows,
    without_basis,
)
from thingstead.enforcement.meter import Meter
from thingstead.enforcement.netlink import Message, NetfilterSocket, NetlinkError, in_batches
from thingstead.enforcement.nft import load_text
from thingstead.enforcement.ruleset import render_table
from thingstead.enforcement.table import Element, Table
from thingstead.enforcement.transaction import from_nothing, transaction
from thingstead.errors import ThingsteadError, TransportError
from thingstead.identifier import ThingId

__all__ = ["Nftables", "NftablesConfig"]

_Step = tuple[Layout | None, Layout]
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NftablesConfig:
    """What the table is about.

    Attributes:
        interfaces: behind which things live.
        local: prefixes in use there.
        onboarding: protocol name and port at which strangers may knock on this machine.
        helpers: multicast groups and their ports that things may use among themselves.
        hold_ports: bind each interface to the port of the bridge behind which it was when its thing was admitted, or
            that a change names; without it no port is asked for.
        table: name of the nftables tables; one of each family per enforcer.
        log_group: of NFLOG; one reader has it.
    """

    interfaces: tuple[str, ...]
    local: tuple[IPv4Network | IPv6Network, ...]
    onboarding: tuple[tuple[str, int], ...] = ()
    helpers: tuple[tuple[IPv4Address | IPv6Address, int], ...] = ()
    hold_ports: bool = False
    table: str = "thingstead"
    log_group: int = 5


class Nftables:
    """The enforcer in the kernel; fits the `Enforcement` port.

    Made and closed by a composition root, in the network namespace whose packets it shall decide on. The tables stay
    when this process ends, however it ends. Where some stand at its start, what is applied is gathered until `settle`,
    and then takes their place: a restart neither opens anything nor cuts off who is in. Whoever else changes them, or
    removes them with all others as firewalls do that are loaded anew, has them put back as soon as the kernel tells of
    it to the event loop that `settle` was awaited in, or when anything is next asked.
    """

    mode = "nftables"

    def __init__(self, config: NftablesConfig) -> None:
        """Put empty tables in force, where none stand: from here on nothing unknown passes.

        Raises:
            ConfigError: no nftables in this kernel, or no right to change it.
        """
        self._config = config
        self._table = Table(config.table)
        self._holdings = Holdings()
        self._unended: set[ThingId] = set()
        self._ports = BridgePorts(config.interfaces)
        self._on_ports: frozenset[Element] = frozenset()
        self._socket = NetfilterSocket()
        self._meter = Meter(self._socket, self._table)
        self._others = ForeignChanges(self._socket, config.table)
        self._altered_by = ""
        self._is_altered = False
        self._is_gathering = self._meter.has_table()
        if not self._is_gathering:
            self._replace_tables()
        self._log = _open_log(config.log_group)
        self._lock = asyncio.Lock()

    async def apply(self, change: NetworkChange) -> AppliedChange:
        """Make `change` hold, in one transaction; the same change again does nothing but renew lifetimes.

        Raises:
            NetlinkError: the kernel refused; what held before still holds.
            PolicyError: an address is another thing's.
            UnsupportedError: a lifetime of more than one host.
        """
        (applied,) = await self.apply_all((change,))
        return applied

    async def apply_all(self, changes: Sequence[NetworkChange]) -> tuple[AppliedChange, ...]:
        """Make changes of several things hold, in one transaction; where the kernel does not take it, one by one.

        Raises:
            NetlinkError: the kernel refused one; of it what held before still holds, and of those behind it.
            PolicyError: an address is another thing's.
            UnsupportedError: a lifetime of more than one host.
        """
        claimed = [one.ip for change in changes for one in change.addresses]
        if len(changes) > 1 and len(set(claimed)) < len(claimed):
            # Whose an address is depends on who was first.
            return tuple([await self.apply(change) for change in changes])
        async with self._lock:
            if not self._is_gathering:
                self._settle()
            self._follow_ports()
            started = time.perf_counter()
            steps = [self._step(change, started) for change in changes]
            try:
                self._exchange(steps)
            except TransportError:
                if len(steps) == 1:
                    raise
                for step in steps:
                    self._exchange([step])
                    self._end_narrowed([step])
            else:
                self._end_narrowed(steps)
            seconds = time.perf_counter() - started
            return tuple([_told(before, after, seconds) for before, after in steps])

    async def settle(self) -> str:
        """Put in force what was gathered since the start, in place of the tables that stood then.

        Raises:
            ConfigError: the kernel refused a table; the old ones stand.
            NetlinkError: it refused a thing's rules; those that came before are in force, and nobody else's.
        """
        async with self._lock:
            self._settle()
            self._others.attend(self._on_change)
        return self.mode

    async def uphold(self) -> str:
        """Put the tables in force again if anybody else changed them, and end the flows that this may have let pass.

        Returns:
            Which program did since this was last asked; empty where none did.

        Raises:
            ConfigError: the kernel refused a table; it is tried again at the next call.
            NetlinkError: likewise.
        """
        async with self._lock:
            self._settle()
            told, self._altered_by = self._altered_by, ""
            return told

    async def standing(self, thing: ThingId) -> NetworkStanding:
        """Ask the kernel whether the thing's addresses are bound, and whether they are barred.

        Raises:
            NetlinkError: the kernel did not answer.
        """
        async with self._lock:
            self._settle()
            applied = self._holdings.of(thing)
            addresses = () if applied is None else applied.change.addresses
            admitted = any(self._meter.has(element) for one in addresses for element in bindings(one))
            barred = any(self._meter.has(element) for one in addresses for element in bars(one))
            return NetworkStanding(thing, self.mode, admitted=admitted and not barred, barred=barred)

    async def rule_counters(self, thing: ThingId) -> tuple[RuleTraffic, ...]:
        """What came of each rule of a thing, read from the kernel; an address that ran out counts nothing.

        Raises:
            NetlinkError: the kernel did not answer.
        """
        async with self._lock:
            self._settle()
            applied = self._holdings.of(thing)
            return () if applied is None else self._meter.rule_traffic(applied)

    async def drops(self) -> tuple[Drop, ...]:
        """What was dropped and logged since this was last asked."""
        async with self._lock:
            self._settle()
            return () if self._log is None else tuple(self._log.read())

    async def counters(self) -> tuple[Traffic, ...]:
        """Packets of each thing, read from the kernel."""
        async with self._lock:
            self._settle()
            self._follow_ports()
            return self._meter.traffic(self._holdings.layouts())

    def close(self) -> None:
        """Let go of the kernel, and leave the rules: who restarts, or stops, opens nothing by it."""
        self._others.close()
        self._socket.close()
        self._ports.close()
        if self._log is not None:
            self._log.close()

    def _on_change(self) -> None:
        """Somebody changed a table: who removed ours has opened what they closed, until they are back."""
        try:
            if self._is_gathering:
                self._others.by()  # it could not be put back: that is tried again when somebody asks
            else:
                self._settle()
        except ThingsteadError as error:
            _LOGGER.critical("the rules are NOT in force, and are tried again: %s", error)

    def _settle(self) -> None:
        """Who asks the kernel wants to hear of what was applied."""
        if not self._is_gathering:
            program = self._others.by()
            if not program:
                return
            _LOGGER.error("%s changed the tables of the rules: they are put in force again", program)
            self._altered_by, self._is_altered, self._is_gathering = program, True, True
        now = time.perf_counter()
        layouts = [aged(layout, now=now) for layout in self._holdings.layouts()]
        # Made before the tables are replaced: from then on nothing passes until the kernel has all of it.
        batches = list(in_batches(from_nothing(self._table, map(without_basis, layouts))))
        stood = self._meter.bases()
        self._replace_tables()
        for messages in batches:
            self._commit(messages)
        if self._is_altered:
            # Whatever passed meanwhile is an open flow to the kernel. Not all prefixes of a segment need be known.
            is_local = within(self._config.local)
            places = frozenset([one.ip.packed for layout in layouts for one in layout.change.addresses])
            end_flows_of(self._socket, lambda ip: ip in places or is_local(ip))
        words = [one for layout in layouts for one in layout.elements if is_basis(one)]
        changed = bases(words).items() ^ stood.items()
        if changed:
            end_flows_of(self._socket, {ip for ip, _ in changed}.__contains__)
        for messages in in_batches([message] for message in self._table.add(words)):
            self._commit(messages)
        self._unended.clear()
        self._is_altered = self._is_gathering = False

    def _commit(self, messages: list[Message]) -> None:
        """All nftables transactions of ours but the first go through here: they are counted."""
        if messages:
            self._socket.commit(messages)
            self._others.committed()

    def _replace_tables(self) -> None:
        config, number = self._config, self._others.number()
        load_text(
            render_table(
                config.table,
                interfaces=config.interfaces,
                local=config.local,
                onboarding=config.onboarding,
                log_group=config.log_group,
            )
            + render_bridge_table(
                config.table, helpers=config.helpers, hold_ports=config.hold_ports, log_group=config.log_group
            )
        )
        self._others.begin(number + 1)
        self._on_ports = frozenset(self._ports.elements())
        self._commit(self._table.add(self._on_ports))

    def _follow_ports(self) -> None:
        """Frames of a port that came are decided on as those of the others."""
        if self._is_gathering or not self._ports.changed():
            return
        now = frozenset(self._ports.elements())
        self._commit(self._table.delete(self._on_ports - now) + self._table.add(now - self._on_ports))
        self._on_ports = now

    def _placed(self, change: NetworkChange, before: Layout | None) -> NetworkChange:
        """With the ports where its interfaces are now, or were when it came: who moves is admitted again, or drops."""
        if not self._config.hold_ports:
            named = any(one.port for one in change.addresses)
            return replace(change, addresses=_anywhere(change.addresses)) if named else change
        if change.rules is None or change.barred:
            return change
        held = {(one.mac, one.ip): one.port for one in (() if before is None else before.change.addresses)}
        if before is None or before.change.barred:
            held.clear()
        places = [
            replace(one, port=one.port or held.get((one.mac, one.ip)) or self._ports.port_of(one.mac))
            for one in change.addresses
        ]
        return replace(change, addresses=tuple(places))

    def _step(self, change: NetworkChange, now: float) -> _Step:
        """From what is held of a thing to what shall be."""
        change = self._holdings.without_others(change)
        for barred in self._holdings.at_addresses_of(change):
            self._exchange([(barred, lay_out(NetworkChange(barred.change.thing, (), None)))])
        before = self._holdings.of(change.thing)
        after = lay_out(self._placed(change, before), at=now)
        if before is not None and not self._is_gathering and _narrows(before, after):
            self._unended.add(change.thing)
        return before, after

    def _exchange(self, steps: Sequence[_Step]) -> None:
        """Have the kernel hold what shall be of each thing, all or none."""
        differences = []
        for before, after in steps:
            put = without_basis(after) if after.change.thing in self._unended else after
            differences.append(self._holdings.difference(before, put))
            self._holdings.take(before, after)
        try:
            self._commit([] if self._is_gathering else transaction(self._table, differences))
        except TransportError:
            for before, after in reversed(steps):
                self._holdings.take(after, before)
            raise

    def _end_narrowed(self, steps: Sequence[_Step]) -> None:
        """End the flows of things that may do less, then keep the word for what those that come rest on."""
        if self._is_gathering:
            return
        narrowed = [layouts for layouts in steps if layouts[1].change.thing in self._unended]
        places = [one for layouts in narrowed for layout in layouts if layout for one in layout.change.addresses]
        end_flows(self._socket, tuple(dict.fromkeys(places)))
        words = [one for _, after in narrowed for one in after.elements if is_basis(one)]
        self._commit(self._table.add(words))
        self._unended.difference_update([after.change.thing for _, after in narrowed])


def _anywhere(addresses: Sequence[ThingAddress]) -> tuple[ThingAddress, ...]:
    return tuple([replace(one, port="") for one in addresses])


def _narrows(before: Layout, after: Layout) -> bool:
    return narrows(before.change, after.change, elapsed=after.at - before.at)


def _told(before: Layout | None, after: Layout, seconds: float) -> AppliedChange:
    old = frozenset() if before is None or before.change.rules is None else before.change.rules
    new = after.change.rules or frozenset()
    return AppliedChange(after.change.thing, Nftables.mode, len(new - old), len(old - new), seconds)


def _open_log(group: int) -> DropLog | None:
    """Without a log the rules hold all the same, and count."""
    try:
        return DropLog(group)
    except NetlinkError as error:
        _LOGGER.warning("what is dropped is counted and NOT told: NFLOG group %s: %s", group, error)
        return None
