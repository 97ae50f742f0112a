"""Packets for detectors: a lamp, a gateway, a stranger, and what they send."""

from dataclasses import replace
from ipaddress import ip_address

from thingstead.analysis.detectors.detector import Detection, detectors
from thingstead.analysis.detectors.panel import Panel
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.window import PerKey
from thingstead.identifier import ThingId
from thingstead.protocols.dns import message as dns
from thingstead.protocols.packet.packet import Arp, EtherType, Packet, TcpFlag

LAMP, OTHER, GATEWAY, STRANGER = (bytes.fromhex(f"02000000000{number}") for number in (1, 2, 3, 4))
LAMP_ID, OTHER_ID = ThingId("thing-aaaaaaaaaaaaaaaa"), ThingId("thing-bbbbbbbbbbbbbbbb")
LAMP_IP, OTHER_IP, GATEWAY_IP, REMOTE_IP = "192.168.1.11", "192.168.1.12", "192.168.1.1", "198.51.100.7"


def ip(text):
    return ip_address(text).packed


SCENE = Scene(
    gateways=frozenset({GATEWAY}),
    gateway_addresses=frozenset({ip(GATEWAY_IP)}),
    things={LAMP: LAMP_ID, OTHER: OTHER_ID},
    addresses={ip(LAMP_IP): LAMP, ip(OTHER_IP): OTHER, ip(GATEWAY_IP): GATEWAY},
)


def packet(at, *, source=LAMP_IP, to=REMOTE_IP, mac=LAMP, to_mac=GATEWAY, protocol=6, ports=(40_000, 80), **fields):
    family = ip_address(to).version
    fields.setdefault("length", 60)
    return Packet(
        at,
        source_mac=mac,
        destination_mac=to_mac,
        ethertype=EtherType.IPV4 if family == 4 else EtherType.IPV6,
        family=family,
        source=ip(source),
        destination=ip(to),
        protocol=protocol,
        source_port=ports[0],
        destination_port=ports[1],
        **fields,
    )


def syn(at, *, to=REMOTE_IP, port=80, from_port=40_000, **fields):
    return packet(at, to=to, ports=(from_port, port), flags=TcpFlag.SYN, **fields)


def tcp(at, payload, *, to=REMOTE_IP, ports=(40_000, 80), **fields):
    return packet(at, to=to, ports=ports, flags=TcpFlag.ACK | TcpFlag.PSH, payload=payload, **fields)


def udp(at, payload=b"", *, to=REMOTE_IP, ports=(40_000, 9), **fields):
    return packet(at, to=to, protocol=17, ports=ports, payload=payload, **fields)


def back(one, **fields):
    """An answer to a packet, through the gateway."""
    answer = packet(
        fields.pop("at", one.at),
        source=str(ip_address(one.destination)),
        to=str(ip_address(one.source)),
        mac=one.destination_mac,
        to_mac=one.source_mac,
        protocol=one.protocol,
        ports=(one.destination_port, one.source_port),
        flags=fields.pop("flags", TcpFlag.ACK if one.protocol == 6 else 0),
    )
    for name, value in fields.items():
        setattr(answer, name, value)
    return answer


def arp(at, *, operation=1, mac=LAMP, sender_mac=None, sender=LAMP_IP, target=GATEWAY_IP):
    body = Arp(operation, sender_mac or mac, ip(sender), bytes(6), ip(target))
    return Packet(at, 60, source_mac=mac, destination_mac=b"\xff" * 6, ethertype=EtherType.ARP, arp=body)


def told(name, *packets, scene=SCENE, ticks=()):
    """What one detector tells of packets, and of ticks after each time that is given."""
    (one,) = (each for each in detectors() if each.name == name)
    moments = sorted([*[(each.at, 0, each) for each in packets], *[(tick, 1, None) for tick in ticks]], key=_order)
    scene = replace(scene, heard=PerKey(float))
    found: list[Detection] = []
    for at, _, each in moments:
        if each is not None:
            scene.hear(each)
        found += one.tick(at, scene) if each is None else one.see(each, scene)
    return found


def _order(moment):
    return moment[:2]


def all_told(*packets, scene=SCENE):
    """What all detectors tell."""
    panel = Panel(scene)
    return [found for each in packets for found in panel.see(each)]


def lookup(at, name, *, mac=LAMP, source=LAMP_IP):
    """A question for a name's IPv4 address."""
    return udp(
        at, dns.encode_query(dns.Question(name, 1), id=7), to=GATEWAY_IP, ports=(40_000, 53), mac=mac, source=source
    )
