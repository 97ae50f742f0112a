"""Conversations out of packets: who spoke to whom, how much, and who began.

A frame between two devices belongs to both: each has its own view of it. What is sent to many is its sender's alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterator
from dataclasses import dataclass, fields

from thingstead.analysis.traffic.name_book import NameBook
from thingstead.protocols.packet.packet import Packet, TcpFlag

__all__ = ["Flow", "FlowTable", "Limits"]

_ICMP, _TCP, _ICMPV6 = 1, 6, 58
_ANSWERS = {(_ICMP, 0): 8, (_ICMPV6, 129): 128, (_ICMPV6, 136): 135}
"""Messages that answer another type: echoes and neighbours (RFC 792, RFC 4443 §4, RFC 4861 §4.4)."""
_BEGINS = TcpFlag.SYN | TcpFlag.ACK
_NO_END = frozenset[bytes]()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what strangers may make us remember.

    Attributes:
        max_devices: link-layer addresses; who comes later is counted and not followed.
        max_flows: open at one device; the one that was silent longest ends for a new one.
        idle_seconds: after which a conversation is over.
    """

    max_devices: int = 4096
    max_flows: int = 512
    idle_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Flow:
    """One conversation of one device.

    Attributes:
        device: its link-layer address; its IP address in a capture without a link layer.
        outbound: the device began.
        is_whole: the beginning was seen. Of a TCP connection that was older the ports tell who began: the one that
            others were seen to ask for answers, or else the lower one.
        remote: packed IP address of the other side, or its link-layer address where there is no IP.
        names: what the other side's address stood for when this began, newest first (RFC 9726 §3).
        ethertype: of its frames.
        protocol: of IP; None for the rest.
        remote_port: on the other side; None where the protocol has none.
        device_port: on the device.
        icmp: type and code of the first message.
        first: when it began, in seconds since 1970.
        last: when it was last heard.
        packets_out: from the device.
        octets_out: likewise, on the wire.
        packets_in: to the device.
        octets_in: likewise.
    """

    device: bytes
    outbound: bool
    is_whole: bool
    remote: bytes
    names: tuple[str, ...]
    ethertype: int
    protocol: int | None
    remote_port: int | None
    device_port: int | None
    icmp: tuple[int, int] | None
    first: float
    last: float
    packets_out: int
    octets_out: int
    packets_in: int
    octets_in: int

    @property
    def remote_name(self) -> str | None:
        """The newest name of the other side; None where no look-up was seen."""
        return self.names[0] if self.names else None

    @property
    def packets(self) -> int:
        """Both ways."""
        return self.packets_out + self.packets_in

    @property
    def octets(self) -> int:
        """Both ways."""
        return self.octets_out + self.octets_in


@dataclass(slots=True)
class _Row:
    """A flow that goes on: same fields, and what decides whether it does."""

    device: bytes
    outbound: bool
    is_whole: bool
    remote: bytes
    names: tuple[str, ...]
    ethertype: int
    protocol: int | None
    remote_port: int | None
    device_port: int | None
    icmp: tuple[int, int] | None
    first: float
    last: float
    packets_out: int = 0
    octets_out: int = 0
    packets_in: int = 0
    octets_in: int = 0
    is_closing: bool = False


_FIELDS = tuple([field.name for field in fields(Flow)])
_Key = tuple[bytes, int | None, int | None, int | None, int]


class FlowTable:
    """Open conversations by device; bounded, and ended by silence.

    Args:
        names: what addresses stand for.
        apart: link-layer addresses that are nobody's device, the gateway's for one; looked into at each packet.
        limits: bounds.

    Attributes:
        overlooked: packets of devices beyond the bound.
    """

    def __init__(self, names: NameBook, *, apart: Container[bytes] = _NO_END, limits: Limits | None = None) -> None:
        self._names = names
        self._apart = apart
        self._limits = limits or Limits()
        self._devices: dict[bytes, OrderedDict[_Key, _Row]] = {}
        self._asked: OrderedDict[int, None] = OrderedDict()
        self.overlooked = 0

    def see(self, packet: Packet) -> tuple[Flow, ...]:
        """Count a packet for its sender and for its receiver.

        Returns:
            Conversations that are over by that: silent for too long, begun anew, or put out for want of room.
        """
        if packet.flags & _BEGINS == TcpFlag.SYN and packet.destination_port is not None:
            self._asked[packet.destination_port] = None
            if len(self._asked) > self._limits.max_flows:
                self._asked.popitem(last=False)
        source = packet.source_mac or packet.source
        destination = packet.destination_mac or packet.destination
        ended: tuple[Flow, ...] = ()
        if source and source not in self._apart and not _is_to_many(source):
            ended += self._count(source, packet, is_sent=True)
        if destination and destination not in self._apart and not _is_to_many(destination):
            ended += self._count(destination, packet, is_sent=False)
        return ended

    def tick(self, now: float) -> tuple[Flow, ...]:
        """Conversations that were silent for too long; forgets devices that have none."""
        ended = [flow for rows in self._devices.values() for flow in self._idle(rows, now)]
        self._devices = {device: rows for device, rows in self._devices.items() if rows}
        return tuple(ended)

    def end(self) -> tuple[Flow, ...]:
        """All that are open, which are over with that: the capture ends."""
        ended = self.open()
        self._devices.clear()
        return ended

    def open(self) -> tuple[Flow, ...]:
        """All that go on, as they stand."""
        return tuple([_flow(row) for rows in self._devices.values() for row in rows.values()])

    def of(self, device: bytes) -> tuple[Flow, ...]:
        """Those of one device that go on, as they stand."""
        return tuple(map(_flow, self._devices.get(device, {}).values()))

    def _count(self, device: bytes, packet: Packet, *, is_sent: bool) -> tuple[Flow, ...]:
        rows = self._devices.get(device)
        if rows is None:
            if len(self._devices) >= self._limits.max_devices:
                self.overlooked += 1
                return ()
            rows = self._devices[device] = OrderedDict()
        ended = tuple(self._idle(rows, packet.at))
        key = _key(packet, is_sent=is_sent)
        row = rows.get(key)
        is_opening = packet.flags & _BEGINS == TcpFlag.SYN
        if row is not None and row.is_closing and is_opening:
            ended += (_flow(rows.pop(key)),)
            row = None
        if row is None:
            if len(rows) >= self._limits.max_flows:
                ended += (_flow(rows.popitem(last=False)[1]),)
            row = rows[key] = self._begin(device, packet, is_sent=is_sent)
        else:
            rows.move_to_end(key)
        _add(row, packet, is_sent=is_sent)
        return ended

    def _idle(self, rows: OrderedDict[_Key, _Row], now: float) -> Iterator[Flow]:
        """Rows are in the order in which they were last heard."""
        while rows:
            key = next(iter(rows))
            if now - rows[key].last <= self._limits.idle_seconds:
                return
            yield _flow(rows.pop(key))

    def _begin(self, device: bytes, packet: Packet, *, is_sent: bool) -> _Row:
        remote, remote_port, device_port = _other_side(packet, is_sent=is_sent)
        return _Row(
            device=device,
            outbound=is_sent is _is_by_opener(packet, self._asked),
            is_whole=packet.protocol != _TCP or bool(packet.flags & TcpFlag.SYN),
            remote=remote,
            names=self._names.names_of(remote, packet.at) if packet.family else (),
            ethertype=packet.ethertype,
            protocol=packet.protocol,
            remote_port=remote_port,
            device_port=device_port,
            icmp=packet.icmp,
            first=packet.at,
            last=packet.at,
        )


def _flow(row: _Row) -> Flow:
    return Flow(**{name: getattr(row, name) for name in _FIELDS})


def _add(row: _Row, packet: Packet, *, is_sent: bool) -> None:
    # Captures are not always in order; a conversation never ends before it began.
    row.last = max(row.last, packet.at)
    row.is_closing = row.is_closing or bool(packet.flags & (TcpFlag.FIN | TcpFlag.RST))
    if is_sent:
        row.packets_out += 1
        row.octets_out += packet.length
    else:
        row.packets_in += 1
        row.octets_in += packet.length


def _is_to_many(address: bytes) -> bool:
    """Group and broadcast addresses of the link layer (IEEE 802), and of IP where there is no link layer."""
    if len(address) == 6:
        return bool(address[0] & 1)
    return address[0] == 0xFF if len(address) == 16 else 224 <= address[0] < 240 or address == b"\xff\xff\xff\xff"


def _other_side(packet: Packet, *, is_sent: bool) -> tuple[bytes, int | None, int | None]:
    if is_sent:
        return packet.destination or packet.destination_mac, packet.destination_port, packet.source_port
    return packet.source or packet.source_mac, packet.source_port, packet.destination_port


def _key(packet: Packet, *, is_sent: bool) -> _Key:
    remote, remote_port, device_port = _other_side(packet, is_sent=is_sent)
    kind = packet.ethertype
    if packet.icmp is not None and packet.protocol is not None:
        kind = _ANSWERS.get((packet.protocol, packet.icmp[0]), packet.icmp[0])
    return remote, packet.protocol, remote_port, device_port, kind


def _is_by_opener(packet: Packet, asked: Container[int]) -> bool:
    """Whether the first packet that was seen of a conversation is by the side that began it."""
    if packet.icmp is not None:
        return (packet.protocol, packet.icmp[0]) not in _ANSWERS
    if packet.protocol != _TCP:
        return True
    begins = packet.flags & _BEGINS
    if begins & TcpFlag.SYN:
        return begins == TcpFlag.SYN
    source, destination = packet.source_port or 0, packet.destination_port or 0
    if (source in asked) is not (destination in asked):
        return destination in asked
    return source >= destination
