"""Reads what the kernel logged as dropped, and puts it with the conversations of the thing that it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_address

from thingstead.analysis.traffic.flow import Flow
from thingstead.controller.flow_history import FlowHistory
from thingstead.controller.flow_watch import keeps_the_link
from thingstead.controller.neighbourhood import Neighbourhood
from thingstead.domain.network import Drop
from thingstead.errors import ProtocolError
from thingstead.identifier import ThingId
from thingstead.protocols.packet.packet import Packet, decode_frame

__all__ = ["DropWatch"]

_FLAG_SYN, _FLAG_ACK = 2, 16
_TCP = 6
_CLAIMS = frozenset({"spoofed", "rogue"})


class DropWatch:
    """Looks once a second.

    Args:
        drops: what was dropped since the last look, a bounded number.
        neighbourhood: whose addresses these are.
        history: keeps it.
        is_cut_off: whether nothing of a thing passes.
        names_of: what an address stands for at an instant, as conversations with it are called.

    Attributes:
        by_reason: how many packets, by the kernel's rule that dropped them.
        unread: packets whose head could not be read.
        strangers: packets that are about none of the things.
    """

    def __init__(
        self,
        drops: Callable[[], Awaitable[tuple[Drop, ...]]],
        neighbourhood: Neighbourhood,
        history: FlowHistory,
        *,
        is_cut_off: Callable[[ThingId], bool],
        names_of: Callable[[bytes, float], tuple[str, ...]],
    ) -> None:
        self._drops = drops
        self._neighbourhood = neighbourhood
        self._history = history
        self._is_cut_off = is_cut_off
        self._names_of = names_of
        self.by_reason: Counter[str] = Counter()
        self.unread = self.strangers = 0

    async def look(self) -> None:
        """Take up what was dropped.

        Raises:
            TransportError: the enforcer does not answer.
        """
        for drop in await self._drops():
            self.by_reason[drop.reason] += 1
            try:
                packet = decode_frame(drop.packet_head, at=drop.at)
            except ProtocolError:
                self.unread += 1
                continue
            self._take(packet, drop.reason)

    def _take(self, packet: Packet, cause: str) -> None:
        """A packet between two things is about both."""
        sender = self._neighbourhood.thing_at(packet.source_mac, packet.source)
        receiver = self._neighbourhood.thing_at(packet.destination, packet.destination_mac)
        if sender is None and receiver is None:
            self.strangers += 1
        if sender is not None:
            is_unbound = cause == "stranger" and packet.source not in self._neighbourhood.devices(sender)
            own = f"unbound {ip_address(packet.source)}" if is_unbound and packet.source else cause
            self._keep(sender, receiver, self._flow(packet, is_sent=True), own)
        if receiver is not None:
            self._keep(receiver, sender, self._flow(packet, is_sent=False), cause)

    def _keep(self, thing: ThingId, other: ThingId | None, flow: Flow, cause: str) -> None:
        """Who looks for routers on a bridge that does not carry that did nothing; who says to be one did."""
        if cause == "barred" and other is not None and not self._is_cut_off(thing):
            cause = f"elsewhere {other}"
        if cause in _CLAIMS or not keeps_the_link(flow):
            self._history.see(thing, flow, cause=cause)

    def _flow(self, packet: Packet, *, is_sent: bool) -> Flow:
        flow = _flow(packet, is_sent=is_sent)
        return replace(flow, names=self._names_of(flow.remote, packet.at)) if packet.family else flow


def _flow(packet: Packet, *, is_sent: bool) -> Flow:
    """The conversation that a packet would have begun, or is of."""
    ports = (packet.destination_port, packet.source_port)
    remote = packet.destination or packet.destination_mac
    if not is_sent:
        ports, remote = (ports[1], ports[0]), packet.source or packet.source_mac
    return Flow(
        device=packet.source_mac if is_sent else packet.destination_mac,
        outbound=is_sent is not _is_answer(packet),
        is_whole=False,
        remote=remote,
        names=(),
        ethertype=packet.ethertype,
        protocol=packet.protocol,
        remote_port=ports[0],
        device_port=ports[1],
        icmp=packet.icmp,
        first=packet.at,
        last=packet.at,
        packets_out=int(is_sent),
        octets_out=packet.length if is_sent else 0,
        packets_in=int(not is_sent),
        octets_in=0 if is_sent else packet.length,
    )


def _is_answer(packet: Packet) -> bool:
    """Whether the other side began; in the middle of a TCP connection, where none says, the lower port answers."""
    if packet.protocol != _TCP:
        return False
    if packet.flags & _FLAG_SYN:
        return bool(packet.flags & _FLAG_ACK)
    return (packet.source_port or 0) < (packet.destination_port or 0)
