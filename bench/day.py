"""A simulated day of a site, packet by packet: no capture of real products is as long, so this one is invented.

Twenty things of ten kinds, a phone, and a gateway, with what makes detectors err: heartbeats, time servers without a
name, bursts to many hosts, an app that looks for neighbours, a cloud that is down for ten minutes, an update, a thing
that streams, one that sleeps for six hours.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from thingstead.analysis.detectors.scene import Scene
from thingstead.identifier import ThingId, thing_id_from_random
from thingstead.protocols.dns import message as dns
from thingstead.protocols.packet.packet import Arp, EtherType, Packet, TcpFlag

SECONDS = 86_400
KINDS = ("sensor", "sleeper", "plug", "lamp", "camera", "speaker", "screen", "hub", "meter", "kettle")
GATEWAY = bytes.fromhex("020000000001")
GATEWAY_IP, BROADCAST = ip_address("192.168.1.1").packed, b"\xff" * 6
UPDATED_AT, OUTAGE = 50_000.0, (30_000.0, 30_600.0)
_SYN, _BOTH, _ACK = int(TcpFlag.SYN), int(TcpFlag.SYN | TcpFlag.ACK), int(TcpFlag.ACK)
_TCP, _UDP = 6, 17
_LONGEST = 600.0


def things(count: int = 20) -> tuple[Device, ...]:
    """So many, of each kind in turn."""
    return tuple(Device(number, KINDS[number % len(KINDS)]) for number in range(count))


def scene(devices: tuple[Device, ...]) -> Scene:
    """The site as a domain would know it."""
    return Scene(
        gateways=frozenset({GATEWAY}),
        gateway_addresses=frozenset({GATEWAY_IP}),
        things={one.mac: one.id for one in devices},
        addresses={one.ip: one.mac for one in devices} | {GATEWAY_IP: GATEWAY},
        intervals={one.id: 8 * 3600.0 if one.kind == "sleeper" else 3600.0 for one in devices},
    )


def packets(devices: tuple[Device, ...], *, seconds: float = SECONDS) -> Iterator[Packet]:
    """What passes, in the order of time."""
    phone = Device(len(devices), "phone")
    streams = [one.lives(seconds) for one in (*devices, phone)]
    return heapq.merge(*streams, key=_at)


def updated(at_first: Scene, devices: tuple[Device, ...]) -> Scene:
    """The site once the cameras were updated."""
    return replace(at_first, installs={one.id: UPDATED_AT for one in devices if one.kind == "camera"})


def _in_order(habit: Iterator[Packet]) -> Iterator[Packet]:
    """A connection may last longer than it is until the next begins: what is older than any of them comes first."""
    waiting: list[tuple[float, int, Packet]] = []
    for number, packet in enumerate(habit):
        heapq.heappush(waiting, (packet.at, number, packet))
        while waiting[0][0] < packet.at - _LONGEST:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def _at(packet: Packet) -> float:
    return packet.at


class Device:
    """One machine, and what it does all day."""

    def __init__(self, number: int, kind: str, *, seed: int = 0, outage: tuple[float, float] = OUTAGE) -> None:
        self.kind = kind
        self.outage = outage
        self.mac = bytes([2, 0, 0, 1, 0, number])
        self.ip = ip_address(f"192.168.1.{20 + number}").packed
        self.id: ThingId = thing_id_from_random(number.to_bytes(10, "big"))
        self._random = random.Random(number + seed * 1000)
        self._port = 30_000

    def lives(self, seconds: float) -> Iterator[Packet]:
        """All its habits, merged."""
        habits = [habit(self) for habit in (_neighbours, *self.habits())]
        for packet in heapq.merge(*[_in_order(habit) for habit in habits], key=_at):
            if packet.at >= seconds:
                return
            yield packet

    def habits(self) -> tuple[Habit, ...]:
        """What it does over and over."""
        return _HABITS[self.kind]

    def _times(self, every: float, jitter: float, start: float = 0.0) -> Iterator[float]:
        at = start + self._random.random() * every
        while at < SECONDS:
            yield at
            at += every * (1 + jitter * (self._random.random() - 0.5))

    def _packet(self, at: float, to: bytes, protocol: int, ports: tuple[int, int], **fields: object) -> Packet:
        made = Packet(at, 60, self.mac, GATEWAY, EtherType.IPV4, 4, self.ip, to, protocol, *ports)
        for name, value in fields.items():
            setattr(made, name, value)
        made.length = 54 + len(made.payload)
        return made

    def _answer(self, asked: Packet, delay: float, **fields: object) -> Packet:
        ends = (asked.destination, asked.source, asked.protocol, asked.destination_port, asked.source_port)
        made = Packet(asked.at + delay, 60, GATEWAY, self.mac, EtherType.IPV4, 4, *ends)
        for name, value in fields.items():
            setattr(made, name, value)
        return made

    def _next_port(self) -> int:
        self._port = self._port + 1 if self._port < 60_000 else 30_001
        return self._port

    def _looks_up(self, at: float, name: str, to: bytes) -> Iterator[Packet]:
        query = dns.encode_query(dns.Question(name, 1), id=self._next_port())
        asked = self._packet(at, GATEWAY_IP, _UDP, (self._port, 53), payload=query)
        yield asked
        if not self.outage[0] <= at <= self.outage[1]:
            address = ip_address(to)
            yield self._answer(
                asked, 0.02, payload=dns.encode_response(query, rcode=dns.Rcode.NOERROR, addresses=(address,), ttl=60)
            )

    def _connects(self, at: float, to: bytes, port: int, sent: int = 3, received: int = 3) -> Iterator[Packet]:
        """A connection; where the cloud is down, one that is asked for four times and given up."""
        source = self._next_port()
        if self.outage[0] <= at <= self.outage[1]:
            for wait in (0, 1, 3, 7):
                yield self._packet(at + wait, to, _TCP, (source, port), flags=_SYN)
            return
        asked = self._packet(at, to, _TCP, (source, port), flags=_SYN)
        yield asked
        yield self._answer(asked, 0.03, flags=_BOTH)
        for number in range(max(sent, received)):
            if number < sent:
                record = b"\x17\x03\x03\x01\x00" + self._random.randbytes(256)
                yield self._packet(at + 0.05 + number / 10, to, _TCP, (source, port), flags=_ACK, payload=record)
            if number < received:
                yield self._answer(asked, 0.1 + number / 10, flags=_ACK, payload=bytes(200))

    def cloud(self, name: str, every: float, port: int = 443, jitter: float = 0.02) -> Iterator[Packet]:
        """A name is looked up, and its host spoken to; sometimes an old answer is used."""
        to = ip_address(f"203.0.113.{sum(name.encode()) % 250 + 1}").packed
        for number, at in enumerate(self._times(every, jitter)):
            if number % 3 == 0:
                yield from self._looks_up(at, name, to)
            yield from self._connects(at + 0.1, to, port)

    def clock(self, every: float = 1024.0) -> Iterator[Packet]:
        """Time of an address that came with the firmware."""
        for at in self._times(every, 0.0):
            asked = self._packet(at, ip_address("198.51.100.123").packed, _UDP, (123, 123), payload=bytes(48))
            yield asked
            yield self._answer(asked, 0.02, payload=bytes(48))

    def neighbours(self, every: float = 300.0) -> Iterator[Packet]:
        """It looks for the gateway, and says who it is."""
        for at in self._times(every, 0.1):
            arp = Arp(1, self.mac, self.ip, bytes(6), GATEWAY_IP)
            yield Packet(at, 60, self.mac, BROADCAST, EtherType.ARP, arp=arp)

    def announces(self, every: float, port: int = 5353) -> Iterator[Packet]:
        """Its services, to everybody on the link."""
        group = ip_address("224.0.0.251" if port == 5353 else "239.255.255.250").packed
        for at in self._times(every, 0.5):
            for number in range(3):
                packet = self._packet(at + number, group, _UDP, (port, port), payload=bytes(200))
                packet.destination_mac = bytes.fromhex("01005e0000fb")
                yield packet

    def heartbeat(self, name: str, every: float = 25.0) -> Iterator[Packet]:
        """Datagrams to a host whose name it looked up in the morning."""
        to = ip_address("203.0.113.77").packed
        yield from self._looks_up(1.0, name, to)
        for at in self._times(every, 0.0, start=2.0):
            asked = self._packet(at, to, _UDP, (32_100, 32_100), payload=bytes(24))
            yield asked
            if not self.outage[0] <= at <= self.outage[1]:
                yield self._answer(asked, 0.05, payload=bytes(24))

    def coap(self, every: float, *, confirms: bool = True) -> Iterator[Packet]:
        """Readings to the controller."""
        for at in self._times(every, 0.05):
            asked = self._packet(at, GATEWAY_IP, _UDP, (5683, 5683), payload=b"\x40\x02\x00\x01\xb1d\xff1")
            yield asked
            if confirms:
                yield self._answer(asked, 0.05, payload=b"\x60\x44\x00\x01")

    def streams(self, every: float = 14_400.0, seconds: int = 300) -> Iterator[Packet]:
        """Pictures to a relay that it looked up, with a report back every five seconds."""
        to = ip_address("203.0.113.99").packed
        for at in self._times(every, 0.2):
            yield from self._looks_up(at, "relay.camera.example", to)
            for number in range(seconds * 60):
                sent = self._packet(at + 1 + number / 60, to, _UDP, (40_000, 40_002), payload=bytes(1200))
                yield sent
                if number % 300 == 150:
                    yield self._answer(sent, 0.05, payload=bytes(60))

    def browses(self, every: float = 1800.0, hosts: int = 25) -> Iterator[Packet]:
        """Many hosts at once, as a screen does when somebody opens a page."""
        for at in self._times(every, 0.3):
            for number in range(hosts):
                name = f"cdn{number}.{('shop', 'news', 'film')[number % 3]}{number % 9}.example"
                to = ip_address(f"203.0.114.{number + 1}").packed
                yield from self._looks_up(at + number / 5, name, to)
                yield from self._connects(at + number / 5 + 0.1, to, 443, sent=4, received=12)

    def searches(self, every: float = 7200.0) -> Iterator[Packet]:
        """An app that asks forty neighbours whether they are there."""
        for at in self._times(every, 0.3):
            for number in range(40):
                target = ip_address(f"192.168.1.{10 + number}").packed
                arp = Arp(1, self.mac, self.ip, bytes(6), target)
                yield Packet(at + number / 4, 60, self.mac, BROADCAST, EtherType.ARP, arp=arp)

    def updates(self) -> Iterator[Packet]:
        """A download, and from then on another host of the same maker."""
        name, to = "cdn2.camera.example", ip_address("203.0.115.5").packed
        yield from self._looks_up(UPDATED_AT - 60, name, to)
        yield from self._connects(UPDATED_AT - 59, to, 443, sent=20, received=2000)
        for at in self._times(900.0, 0.2, start=UPDATED_AT):
            yield from self._looks_up(at, name, to)
            yield from self._connects(at + 0.1, to, 443)


Habit = Callable[[Any], Iterator[Packet]]


def _neighbours(one: Device) -> Iterator[Packet]:
    return one.neighbours()


_HABITS: dict[str, tuple[Habit, ...]] = {
    "sensor": (lambda one: one.coap(60.0),),
    "sleeper": (lambda one: one.coap(21_600.0, confirms=False),),
    "plug": (lambda one: one.cloud("api.plug.example", 60.0, 8883, 0.0), lambda one: one.clock()),
    "lamp": (
        lambda one: one.cloud("hub.lamp.example", 300.0),
        lambda one: one.announces(120.0),
        lambda one: one.clock(64.0),
    ),
    "camera": (
        lambda one: one.heartbeat("p2p.camera.example"),
        lambda one: one.streams(),
        lambda one: one.updates(),
    ),
    "speaker": (
        lambda one: one.cloud("voice.speaker.example", 90.0),
        lambda one: one.announces(30.0),
        lambda one: one.browses(3600.0, 12),
    ),
    "screen": (lambda one: one.browses(), lambda one: one.announces(60.0, 1900)),
    "hub": (
        lambda one: one.cloud("hub.example", 30.0),
        lambda one: one.searches(21_600.0),
        lambda one: one.coap(10.0),
    ),
    "meter": (lambda one: one.cloud("grid.meter.example", 900.0, 443, 0.0),),
    "kettle": (lambda one: one.cloud("tea.kettle.example", 3600.0), lambda one: one.clock()),
    "phone": (
        lambda one: one.browses(900.0, 35),
        lambda one: one.searches(),
        lambda one: one.cloud("push.phone.example", 240.0, 5228, 0.0),
    ),
}
