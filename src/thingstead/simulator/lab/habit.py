"""Ordinary life: what dummies do when nobody attacks, by habit and with a little chance."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import count
from random import Random

from thingstead.domain.network import FlowRule
from thingstead.simulator.lab import frame
from thingstead.simulator.lab.cast import KINDS, Cast, Character
from thingstead.simulator.lab.script import Act, Datagram, Raw, Talk

__all__ = ["allowed", "cloud_name", "live"]

_DNS, _NTP, _HTTPS, _COAP, _MDNS = 53, 123, 443, 5683, 5353
_TCP, _UDP = 6, 17
_NTP_PERIOD = 1024.0
_MDNS_PERIOD = 600.0
_TELEMETRY_PERIOD = 30.0
_MDNS_GROUP = IPv4Address("224.0.0.251")
_MDNS_MAC = bytes.fromhex("01005e0000fb")
_FIRST_PORT, _PORTS = 20_000, 15_000
_JITTER = 0.2


def live(cast: Cast, one: Character, chance: Random, *, seconds: float) -> Iterator[tuple[float, Act]]:
    """What a thing does of its own accord in so many seconds: reports, the time, telemetry, its name."""
    ports = count(chance.randrange(_PORTS))

    def port() -> int:
        return _FIRST_PORT + next(ports) % _PORTS

    kind = KINDS[one.kind]
    numbers = count(1)
    for at in _times(chance, kind.period, seconds):
        query = frame.dns_query(cloud_name(one.kind), number=chance.randrange(1 << 16))
        yield at, Datagram((one.ipv4, port()), (cast.resolver, _DNS), query)
        report = tuple(_record(chance, size) for size in (220, 90, chance.randrange(200, 600)))
        yield at + 0.05, Talk((one.ipv4, port()), (kind.cloud, _HTTPS), report)
    for at in _times(chance, _NTP_PERIOD, seconds):
        yield at, Datagram((one.ipv4, port()), (cast.time_server, _NTP), b"\x23" + bytes(47))
    source = one.ipv4, port()
    for at in _times(chance, _TELEMETRY_PERIOD, seconds):
        number = next(numbers)
        told = frame.oscore_request(number, kid=one.mac[-1], partial_iv=number, ciphertext=chance.randbytes(24))
        yield at, Datagram(source, (cast.gateway.ipv4, _COAP), told)
    for at in _times(chance, _MDNS_PERIOD, seconds):
        name = frame.dns_answer(frame.dns_query(f"{one.name}.local", number=0), one.ipv4)
        macs = one.mac, _MDNS_MAC
        told = frame.udp((one.ipv4, _MDNS), (_MDNS_GROUP, _MDNS), name, macs=macs)
        yield at, Raw(f"mDNS: {one.name}.local", told)


def allowed(cast: Cast, one: Character) -> frozenset[FlowRule]:
    """The rules that its habits need, and no more: a MUD file that tells the truth."""

    def rule(host: IPv4Address, protocol: int, port: int) -> FlowRule:
        return FlowRule(True, IPv4Network(host), protocol, (port, port))

    return frozenset(
        {
            rule(cast.resolver, _UDP, _DNS),
            rule(cast.time_server, _UDP, _NTP),
            rule(KINDS[one.kind].cloud, _TCP, _HTTPS),
            rule(cast.gateway.ipv4, _UDP, _COAP),
        }
    )


def cloud_name(kind: str) -> str:
    """Under which things look for their cloud."""
    return f"cloud.{kind}.example"


def _times(chance: Random, period: float, seconds: float) -> Iterator[float]:
    at = chance.uniform(0, period)
    while at < seconds:
        yield at
        at += period * chance.uniform(1 - _JITTER, 1 + _JITTER)


def _record(chance: Random, size: int) -> bytes:
    """What reads like a TLS record of protected data from outside (RFC 8446 §5.2)."""
    return b"\x17\x03\x03" + size.to_bytes(2, "big") + chance.randbytes(size)
