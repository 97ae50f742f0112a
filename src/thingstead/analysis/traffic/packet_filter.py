"""What a filter that keeps state does with each packet of one device: the kernel's decisions, without a kernel.

A packet of an open conversation passes. Every other one is asked of the rules by itself, whichever way it goes: one
that was refused opens nothing, so the next is asked again, and by then a look-up may have named the other side. Who
began a conversation that is older than the capture is for such a filter who is heard first.

Some packets pass without a rule, or nobody could be on a network: what finds neighbours, and what gets an address
from the gateway.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address

from thingstead.analysis.traffic.name_book import NameBook
from thingstead.analysis.traffic.site import GATEWAY_CLASS
from thingstead.analysis.traffic.verdict import Allowed, Denied, Judge, Opening
from thingstead.errors import DecodeError
from thingstead.protocols.mud.rule import Surroundings
from thingstead.protocols.packet.packet import Link, Packet, TcpFlag, decode_frame

__all__ = ["Given", "Limits", "PacketFilter", "Passage"]

_ICMP, _TCP, _UDP, _ICMPV6 = 1, 6, 17, 58
_BEGINS = TcpFlag.SYN | TcpFlag.ACK
_ECHOES = {(_ICMP, 8): 8, (_ICMP, 0): 8, (_ICMPV6, 128): 128, (_ICMPV6, 129): 128}
_REQUESTS = {(_ICMP, 8), (_ICMPV6, 128)}
_ERRORS = {(_ICMP, 3), (_ICMP, 4), (_ICMP, 11), (_ICMP, 12), (_ICMPV6, 1), (_ICMPV6, 2), (_ICMPV6, 3), (_ICMPV6, 4)}
_NEIGHBOURS = (135, 136)
_SOLICITS_ROUTERS = 133
_HERE = 255
_SERVER, _CLIENT = 67, 68
_EVERYBODY = b"\xff" * 4


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is remembered, and for how long.

    Attributes:
        max_conversations: of the device; the one that was silent longest goes for a new one.
        tcp_seconds: after which a silent connection is forgotten; the kernel's default, as are the others.
        datagram_seconds: likewise of UDP.
        other_seconds: likewise of the rest.
    """

    max_conversations: int = 65_536
    tcp_seconds: float = 432_000.0
    datagram_seconds: float = 120.0
    other_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Given:
    """It passes without a rule.

    Attributes:
        reason: one sentence.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One packet, and what becomes of it.

    Attributes:
        opening: what was asked of the rules: of an open conversation, the packet that opened it; of one that nothing
            let in, the first.
        verdict: whether it passes.
        is_first: of its conversation.
        is_let_in: the first of its conversation that passes.
    """

    opening: Opening
    verdict: Allowed | Given | Denied
    is_first: bool
    is_let_in: bool


@dataclass(slots=True)
class _Conversation:
    passage: Passage
    last: float
    is_open: bool
    is_closing: bool = False
    is_answered: bool = False


_Key = tuple[bytes, int | None, int | None, int | None, int]
_FOUND = Given("every thing finds its neighbours")
_ADDRESSED = Given("every thing may get an address here")


class PacketFilter:
    """Decides on the packets of one device, in their order.

    Args:
        judge: its rules.
        surroundings: who leads out of here, and gives addresses.
        device: its link-layer address, or its IP address in a capture without a link layer.
        limits: bounds.
    """

    def __init__(
        self, judge: Judge, surroundings: Surroundings, *, device: bytes, limits: Limits | None = None
    ) -> None:
        self._judge = judge
        self._gateways = surroundings.controllers.get(GATEWAY_CLASS, ())
        self._device = device
        self._limits = limits or Limits()
        self._names = NameBook()
        self._rows: OrderedDict[_Key, _Conversation] = OrderedDict()

    def see(self, packet: Packet) -> Passage | None:
        """Take a packet of the segment; None for one that is neither from the device nor for it alone."""
        self._names.see(packet)
        is_sent = (packet.source_mac or packet.source) == self._device
        if not is_sent and (packet.destination_mac or packet.destination) != self._device:
            return None
        opening = self._opening(packet, is_sent=is_sent)
        if not packet.family:
            verdict = _FOUND if packet.arp is not None else self._judge.judge(opening)
            return Passage(opening, verdict, is_first=True, is_let_in=not isinstance(verdict, Denied))
        key = _key(opening, packet)
        row = self._row(key, packet)
        if row is None or not row.is_open:
            return self._ask(key, row, packet, opening)
        row.last = max(row.last, packet.at)
        row.is_closing = row.is_closing or bool(packet.flags & (TcpFlag.FIN | TcpFlag.RST))
        # The kernel forgets at once what came to nothing but a reset.
        row.is_open = row.is_answered or not packet.flags & TcpFlag.RST
        row.is_answered = row.is_answered or opening.outbound is not row.passage.opening.outbound
        return replace(row.passage, is_first=False, is_let_in=False)

    def _ask(self, key: _Key, row: _Conversation | None, packet: Packet, opening: Opening) -> Passage:
        related = self._of_error(packet, opening)
        verdict = self._decide(packet, opening) if related is None else related
        if row is not None and isinstance(verdict, Denied) and isinstance(row.passage.verdict, Denied):
            # The first refusal of a conversation says it for those that follow.
            row.last = max(row.last, packet.at)
            return replace(row.passage, is_first=False)
        is_let_in = not isinstance(verdict, Denied) and (row is None or isinstance(row.passage.verdict, Denied))
        passage = Passage(opening, verdict, is_first=row is None, is_let_in=is_let_in)
        self._rows[key] = _Conversation(passage, packet.at, not isinstance(verdict, Denied) and _opens(packet))
        if len(self._rows) > self._limits.max_conversations:
            self._rows.popitem(last=False)
        return passage

    def _opening(self, packet: Packet, *, is_sent: bool) -> Opening:
        remote = packet.destination if is_sent else packet.source
        ports = packet.source_port, packet.destination_port
        device_port, remote_port = ports if is_sent else ports[::-1]
        return Opening(
            outbound=is_sent,
            remote=remote or (packet.destination_mac if is_sent else packet.source_mac),
            names=self._names.names_of(remote, packet.at) if packet.family else (),
            protocol=packet.protocol,
            remote_port=remote_port,
            device_port=device_port,
            icmp=packet.icmp,
        )

    def _row(self, key: _Key, packet: Packet) -> _Conversation | None:
        """The conversation that a packet is of, unless that is over: by silence, or by a connection begun anew."""
        row = self._rows.get(key)
        if row is None:
            return None
        is_anew = row.is_closing and packet.flags & _BEGINS == TcpFlag.SYN
        if is_anew or packet.at - row.last > self._lifetime(packet.protocol):
            del self._rows[key]
            return None
        self._rows.move_to_end(key)
        return row

    def _lifetime(self, protocol: int | None) -> float:
        limits = self._limits
        return {_TCP: limits.tcp_seconds, _UDP: limits.datagram_seconds}.get(protocol or 0, limits.other_seconds)

    def _decide(self, packet: Packet, opening: Opening) -> Allowed | Given | Denied:
        verdict = self._judge.judge(opening)
        if isinstance(verdict, Allowed):
            return verdict
        return self._given(packet, opening) or verdict

    def _given(self, packet: Packet, opening: Opening) -> Given | None:
        """What a network without a rule lets pass (RFC 4861 §7.1, RFC 2131 §4.1)."""
        kind = packet.icmp[0] if packet.protocol == _ICMPV6 and packet.icmp else None
        if packet.hops == _HERE and (kind in _NEIGHBOURS or (kind == _SOLICITS_ROUTERS and opening.outbound)):
            return _FOUND
        ports = (opening.device_port, opening.remote_port)
        is_server = opening.remote == _EVERYBODY or any(
            ip_address(opening.remote) in one for one in self._gateways if one.version == packet.family
        )
        if packet.protocol == _UDP and ports == (_CLIENT, _SERVER) and is_server:
            return _ADDRESSED
        return None

    def _of_error(self, packet: Packet, opening: Opening) -> Allowed | Given | Denied | None:
        """An error about a packet of an open conversation belongs to it (RFC 792); it quotes what it is about."""
        if packet.icmp is None or (packet.protocol, packet.icmp[0]) not in _ERRORS:
            return None
        quoted = Packet(packet.at, 0, ethertype=packet.ethertype)
        with suppress(DecodeError):
            quoted = decode_frame(packet.payload[4:], at=packet.at, link=Link.RAW)
        # Who sends the error got the packet that it quotes, from the other side.
        is_sent = not opening.outbound
        row = self._rows.get(_key(self._opening(quoted, is_sent=is_sent), quoted))
        return row.passage.verdict if row is not None and row.is_open else None


def _key(opening: Opening, packet: Packet) -> _Key:
    """Both ways the same; of an echo with the number of its series (RFC 792)."""
    kind = 0
    if packet.icmp is not None and packet.protocol is not None:
        kind = _ECHOES.get((packet.protocol, packet.icmp[0]), packet.icmp[0]) << 16
        kind |= int.from_bytes(packet.payload[:2]) if (packet.protocol, packet.icmp[0]) in _ECHOES else 0
    return opening.remote, opening.protocol, opening.remote_port, opening.device_port, kind


def _opens(packet: Packet) -> bool:
    """Whether what follows a packet that passed belongs to it: not where it answers, ends or reports something."""
    if packet.protocol == _TCP:
        is_beginning = packet.flags & (TcpFlag.FIN | TcpFlag.RST) == 0
        return is_beginning and packet.flags & _BEGINS in (TcpFlag.SYN, TcpFlag.ACK)
    if packet.icmp is not None:
        return (packet.protocol, packet.icmp[0]) in _REQUESTS
    return True
