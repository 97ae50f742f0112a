"""Days on which nothing was tuned: what is there, when it happens and to whom come of a seed that was fixed beforehand.

What detectors told of them at first, and what was mended, is in docs/explanation/detectors.md. Beside what `bench.day`
has: guests, some of whom ask for names in secret; films and calls; backups; a camera that sends mail, and one that
speaks to phones directly; updates and reboots at any time; a cut of power after which all come back at once, with other
addresses than before.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from bench import day
from bench.day import Device, Habit
from thingstead.analysis.detectors.scene import Scene
from thingstead.identifier import ThingId
from thingstead.protocols.dns import message as dns
from thingstead.protocols.packet.packet import Arp, EtherType, Packet, TcpFlag

__all__ = ["SEEDS", "OtherDay"]

SEEDS = (11, 23, 37, 41)
_SYN, _BOTH, _ACK = int(TcpFlag.SYN), int(TcpFlag.SYN | TcpFlag.ACK), int(TcpFlag.ACK)
_TCP, _UDP, _ICMP = 6, 17, 1
_KINDS = (*day.KINDS, "tv", "doorbell", "mailer", "fridge", "vacuum", "thermostat", "console", "nas")
_PEOPLE = ("phone", "tablet", "laptop", "guest", "private guest")
_LEARNED = 30.0
"""Seconds until the domain knows where a thing is that has another address."""


class _Machine(Device):
    """One machine of such a day; its rhythm is its own."""

    def habits(self) -> tuple[Habit, ...]:
        return _HABITS.get(self.kind) or super().habits()

    def rhythm(self, least: float, most: float) -> float:
        """Seconds between two of something."""
        return self._random.uniform(least, most)

    def starts(self, at: float, given: bytes) -> Iterator[Packet]:
        """It comes up: asks for an address, makes sure of it, says so, and asks for the time."""
        zero, everybody = bytes(4), b"\xff" * 4
        for number in range(2):
            asks = self._packet(at + number / 10, everybody, _UDP, (68, 67), source=zero, payload=bytes(280))
            asks.destination_mac = day.BROADCAST
            yield asks
        payload = b"\2\1\6\0" + bytes(12) + given + bytes(8) + self.mac + bytes(202) + b"\x63\x82\x53\x63\x35\1\5\xff"
        yield Packet(
            at + 0.2, 342, day.GATEWAY, self.mac, EtherType.IPV4, 4, day.GATEWAY_IP, everybody, _UDP, 67, 68,
            payload=payload,
        )  # fmt: skip
        for number in range(5):
            # RFC 5227 §2: three probes, two announcements.
            sender = zero if number < 3 else self.ip
            arp = Arp(1, self.mac, sender, bytes(6), self.ip)
            yield Packet(at + 0.3 + number, 60, self.mac, day.BROADCAST, EtherType.ARP, arp=arp)
        clock = ip_address("203.0.113.250").packed
        yield from self._looks_up(at + 6, "pool.time.example", clock)
        for number in range(4):
            yield self._packet(at + 6.5 + number * 2, clock, _UDP, (123, 123), payload=bytes(48))

    def watches(self) -> Iterator[Packet]:
        """Films over QUIC, with small datagrams back."""
        to = ip_address("203.0.116.9").packed
        for at in self._times(self.rhythm(9000, 20000), 0.4):
            yield from self._looks_up(at, "v7---film.video.example", to)
            for number in range(int(self.rhythm(400, 900)) * 10):
                sent = self._packet(at + 1 + number / 10, to, _UDP, (50_001, 443), payload=bytes(35))
                yield sent
                for late in (0.02, 0.05):
                    yield self._answer(sent, late, payload=bytes(1200), length=1254)

    def calls(self, name: str = "relay.call.example", every: float = 20_000.0) -> Iterator[Packet]:
        """Sound there and back, fifty times a second; a console sends its moves likewise."""
        to = ip_address(f"203.0.117.{len(name)}").packed
        for at in self._times(every, 0.5):
            yield from self._looks_up(at, name, to)
            for number in range(int(self.rhythm(240, 600)) * 50):
                sent = self._packet(at + 1 + number / 50, to, _UDP, (51_000, 3478), payload=bytes(120))
                yield sent
                yield self._answer(sent, 0.01, payload=bytes(120))

    def is_viewed(self) -> Iterator[Packet]:
        """Pictures to somebody's phone elsewhere, whose address a relay told in secret (RFC 8445)."""
        for at in self._times(30_000.0, 0.6):
            to = bytes([198, 51, 100, self._random.randrange(1, 255)])
            for number in range(1800):
                sent = self._packet(at + number / 30, to, _UDP, (41_000, 61_000), payload=bytes(1100))
                yield sent
                if number % 30 == 0:
                    yield self._answer(sent, 0.04, payload=bytes(80))

    def mails(self) -> Iterator[Packet]:
        """Somebody moves before the camera: a mail, as its owner told it, and again."""
        to = ip_address("203.0.118.25").packed
        for at in self._times(9000.0, 0.9):
            yield from self._looks_up(at, "smtp.mail.example", to)
            for number in range(4):
                yield from self._connects(at + 1 + number * 70, to, 465, sent=30)

    def saves(self) -> Iterator[Packet]:
        """A backup to a cloud, part by part."""
        to = ip_address("203.0.119.4").packed
        for at in self._times(50_000.0, 0.3):
            yield from self._looks_up(at, "vault3.backup.example", to)
            for part in range(20):
                yield from self._connects(at + 1 + part * 45, to, 443, sent=400, received=20)

    def pings(self) -> Iterator[Packet]:
        """Is the Internet there? Asked of an address that came with the firmware."""
        to = ip_address("198.51.100.8").packed
        for at in self._times(self.rhythm(5, 60), 0.0):
            asked = self._packet(at, to, _ICMP, (0, 0), icmp=(8, 0), payload=bytes(56))
            yield asked
            yield self._answer(asked, 0.02, icmp=(0, 0), payload=bytes(56))

    def trusts(self) -> Iterator[Packet]:
        """Names from a resolver that came with the firmware, and not from the site's."""
        to = ip_address("198.51.100.53").packed
        for at in self._times(self.rhythm(60, 200), 0.1):
            query = dns.encode_query(dns.Question("iot.fridge.example", 1), id=self._next_port())
            asked, address = self._packet(at, to, _UDP, (self._port, 53), payload=query), ip_address("203.0.113.200")
            said = dns.encode_response(query, rcode=dns.Rcode.NOERROR, addresses=(address,), ttl=60)
            yield asked
            yield self._answer(asked, 0.02, payload=said)
            yield from self._connects(at + 0.1, address.packed, 443)

    def secretly(self) -> Iterator[Packet]:
        """Names asked for over TLS."""
        for at in self._times(180.0, 0.5):
            yield from self._connects(at, ip_address("198.51.100.85").packed, 853)

    def keeps_open(self) -> Iterator[Packet]:
        """A tunnel to a host of which nobody saw the name."""
        push = ip_address("203.0.121.7").packed
        for at in self._times(self.rhythm(25, 60), 0.02):
            asked = self._packet(at, push, _UDP, (51_820, 51_820), payload=bytes(32))
            yield asked
            yield self._answer(asked, 0.03, payload=bytes(92))

    def photographs(self) -> Iterator[Packet]:
        """Pictures to a cloud of which nobody saw the name."""
        to = ip_address("203.0.121.30").packed
        for at in self._times(7000.0, 0.5):
            yield from self._connects(at, to, 443, sent=1200, received=30)

    def scans_files(self) -> Iterator[Packet]:
        """A virus scanner asks its maker for files by their digests, in names."""
        to = ip_address("203.0.122.1").packed
        for at in self._times(4000.0, 0.5):
            for number in range(8):
                name = f"{self._random.randbytes(20).hex()}.check.scanner.example"
                yield from self._looks_up(at + number * 3, name, to)

    def prints(self) -> Iterator[Packet]:
        """It looks where printers are: by names, and by ports of some neighbours."""
        for at in self._times(15_000.0, 0.5):
            for number in range(6):
                neighbour = ip_address(f"192.168.1.{30 + number}").packed
                for offset, port in enumerate((80, 443, 515, 631, 9100)):
                    source, when = self._next_port(), at + number + offset / 10
                    yield self._packet(when, neighbour, _TCP, (source, port), flags=_SYN)

    def after_update(self, at: float, *, measures: bool) -> Iterator[Packet]:
        """A download, another host of the same maker from then on, and in some releases one that counts users."""
        names = [f"dl.{self.kind}.example", f"v2.{self.kind}.example", *(["usage.measure.example"] if measures else [])]
        hosts = [ip_address(f"203.0.123.{number + 1}").packed for number in range(3)]
        yield from self._looks_up(at - 90, names[0], hosts[0])
        yield from self._connects(at - 89, hosts[0], 443, sent=20, received=1500)
        for when in self._times(1200.0, 0.3, start=at):
            for name, to in zip(names[1:], hosts[1:], strict=False):
                yield from self._looks_up(when, name, to)
                yield from self._connects(when + 0.1, to, 443)


class OtherDay:
    """What is there on the day of a seed, and what happens.

    Args:
        seed: all comes of it.
        seconds: how much of the day passes.
    """

    def __init__(self, seed: int, seconds: float = day.SECONDS) -> None:
        self.seconds = seconds
        chance = random.Random(seed)
        began = chance.uniform(0.1, 0.4) * self.seconds
        outage = (began, began + chance.uniform(120, 1800))
        kinds = chance.choices(_KINDS, k=chance.randint(10, 30))
        people = ["phone", "laptop", *chance.choices(_PEOPLE, k=chance.randint(2, 5))]
        made = [_Machine(n, kind, seed=seed, outage=outage) for n, kind in enumerate(kinds + people)]
        self.things, self.people = made[: len(kinds)], made[len(kinds) :]
        self.cut = (cut := chance.uniform(0.5, 0.8) * self.seconds, cut + chance.uniform(10, 900))
        self.installs: dict[ThingId, float] = {
            one.id: chance.uniform(0.1, 0.9) * self.seconds for one in chance.sample(self.things, len(kinds) // 3)
        }
        self.measuring = {one for one in self.installs if chance.random() < 0.25}
        self.reboots = {one.id: chance.random() * self.seconds for one in made if chance.random() < 0.5}
        self.back = {one.id: self.cut[1] + chance.uniform(2, 90) for one in made}
        self.visits = {
            one.id: (start := chance.random() * self.seconds * 0.8, start + chance.uniform(0.05, 0.2) * self.seconds)
            for one in self.people
            if "guest" in one.kind
        }
        given = [one.ip for one in made]
        chance.shuffle(given)
        self._given = dict(zip((one.ip for one in made), given, strict=True))

    def packets(self) -> Iterator[Packet]:
        """What passes, in the order of time."""
        return heapq.merge(*[self._lived(one) for one in (*self.things, *self.people)], key=lambda packet: packet.at)

    def moments(self) -> list[float]:
        """When the domain learns of something, and each hour."""
        hours = [hour * 3600.0 for hour in range(int(self.seconds // 3600) + 1)]
        learned = [self.back[one.id] + _LEARNED for one in self.things]
        return sorted({*hours, *self.installs.values(), *learned})

    def known(self, at: float, before: Scene) -> Scene:
        """The site as the domain knows it then: an update at once, another address when it is noticed."""
        moved = {one.mac: self._given[one.ip] for one in self.things if self.back[one.id] + _LEARNED <= at}
        stayed = {one.ip: one.mac for one in self.things if one.mac not in moved}
        return replace(
            before,
            gateways=frozenset({day.GATEWAY}),
            gateway_addresses=frozenset({day.GATEWAY_IP}),
            things={one.mac: one.id for one in self.things},
            addresses={day.GATEWAY_IP: day.GATEWAY} | stayed | {ip: mac for mac, ip in moved.items()},
            installs={thing: when for thing, when in self.installs.items() if when <= at},
            intervals={one.id: 8 * 3600.0 if one.kind == "sleeper" else 3600.0 for one in self.things},
        )

    @property
    def device_days(self) -> float:
        """Days of all that is there, guests as long as they stay."""
        stays = [end - start for start, end in self.visits.values()]
        residents = len(self.things) + len(self.people) - len(stays)
        return (residents * self.seconds + sum(stays)) / day.SECONDS

    def _lived(self, one: _Machine) -> Iterator[Packet]:
        """Its life, with what happens to it."""
        streams = [one.lives(self.seconds), one.starts(self.back[one.id], self._given[one.ip])]
        if one.id in self.reboots:
            streams.append(one.starts(self.reboots[one.id], one.ip))
        if one.id in self.installs:
            changed = one.after_update(self.installs[one.id], measures=one.id in self.measuring)
            streams.append(iter(sorted(changed, key=lambda packet: packet.at)))
        start, end = self.visits.get(one.id, (0.0, self.seconds))
        for packet in heapq.merge(*streams, key=lambda packet: packet.at):
            is_off = self.cut[0] <= packet.at < self.back[one.id] or not start <= packet.at < end
            if not is_off and packet.at < self.seconds:
                yield packet if packet.at < self.back[one.id] else self._renumbered(packet)

    def _renumbered(self, packet: Packet) -> Packet:
        packet.source = self._given.get(packet.source, packet.source)
        packet.destination = self._given.get(packet.destination, packet.destination)
        if packet.arp is not None:
            given = self._given
            sender, target = packet.arp.sender_ip, packet.arp.target_ip
            arp = replace(packet.arp, sender_ip=given.get(sender, sender), target_ip=given.get(target, target))
            packet.arp = arp
        return packet


_HABITS: dict[str, tuple[Habit, ...]] = {
    "tv": (lambda one: one.watches(), lambda one: one.announces(60.0, 1900), lambda one: one.browses(3000.0, 15)),
    "doorbell": (lambda one: one.heartbeat("p2p.bell.example", 20.0), lambda one: one.is_viewed()),
    "mailer": (lambda one: one.heartbeat("eye.mailer.example", 30.0), lambda one: one.mails()),
    "fridge": (lambda one: one.trusts(), lambda one: one.pings(), lambda one: one.clock(one.rhythm(60, 600))),
    "vacuum": (lambda one: one.cloud("mq.vacuum.example", one.rhythm(20, 90), 8883, 0.0),),
    "thermostat": (
        lambda one: one.heartbeat("warm.example", one.rhythm(15, 120)),
        lambda one: one.coap(one.rhythm(10, 90)),
    ),
    "console": (lambda one: one.calls("match.console.example"), lambda one: one.announces(90.0, 1900)),
    "nas": (
        lambda one: one.saves(),
        lambda one: one.announces(120.0),
        lambda one: one.cloud("quick.nas.example", 60.0),
    ),
    "tablet": (
        lambda one: one.calls(),
        lambda one: one.watches(),
        lambda one: one.browses(one.rhythm(600, 3000), 45),
        lambda one: one.cloud("push.tablet.example", 300.0, 5228, 0.0),
    ),
    "laptop": (
        lambda one: one.browses(one.rhythm(400, 2000), 60),
        lambda one: one.saves(),
        lambda one: one.scans_files(),
        lambda one: one.prints(),
    ),
    "guest": (
        lambda one: one.browses(one.rhythm(300, 1200), 30),
        lambda one: one.searches(),
        lambda one: one.cloud("push.phone.example", one.rhythm(60, 300), 5228, 0.0),
    ),
    "private guest": (lambda one: one.secretly(), lambda one: one.keeps_open(), lambda one: one.photographs()),
}
