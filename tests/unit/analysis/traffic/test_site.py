from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from tests.unit.analysis.traffic.packets import (
    CLOUD,
    DEVICE,
    GATEWAY,
    LAMP,
    NEIGHBOUR,
    PHONE,
    ROUTER,
    look_up,
    packet,
)
from thingstead.analysis.traffic import site as sites
from thingstead.analysis.traffic.site import GATEWAY_CLASS, Site
from thingstead.protocols.mud.rule import DNS_CLASS, NTP_CLASS
from thingstead.protocols.packet.packet import Arp, EtherType, Packet

LOCAL = (ip_network("10.77.0.0/24"),)


def site_of(*packets: Packet) -> Site:
    site = Site(LOCAL)
    for one in packets:
        site.see(one)
    return site


def host(address: bytes) -> tuple[object, ...]:
    return (ip_network(ip_address(address)),)


def test_who_is_sent_what_is_for_far_and_brings_the_answer_is_a_gateway() -> None:
    site = site_of(packet(LAMP, CLOUD, 5000, 443), packet(CLOUD, LAMP, 443, 5000), packet(ROUTER, LAMP, 1, 2))
    assert site.gateways == {GATEWAY}
    assert site.surroundings().controllers[GATEWAY_CLASS] == host(ROUTER)


def test_nobody_is_a_gateway_who_only_says_that_it_is_far_away() -> None:
    assert site_of(packet(CLOUD, LAMP, 443, 5000)).gateways == set()


def test_nobody_is_a_gateway_who_is_only_sent_what_is_for_far() -> None:
    """Or one frame would be enough to make somebody else no device any more."""
    assert site_of(packet(LAMP, CLOUD, 5000, 443, to_mac=NEIGHBOUR)).gateways == set()


def test_nobody_is_a_gateway_who_answers_another_than_who_asked() -> None:
    site = site_of(packet(LAMP, CLOUD, 5000, 443), packet(CLOUD, PHONE, 443, 5000))
    assert site.gateways == set()


def test_neighbours_and_groups_are_not_far() -> None:
    site = site_of(packet(LAMP, PHONE, 1, 2), packet(PHONE, LAMP, 2, 1), packet(LAMP, b"\xe0\0\0\xfb", 5353, 5353))
    assert site.gateways == set()


def test_who_answers_for_names_and_time_here_is_known_by_that() -> None:
    site = site_of(*look_up("cloud.example", CLOUD), packet(PHONE, LAMP, 123, 123))
    controllers = site.surroundings().controllers
    assert (controllers[DNS_CLASS], controllers[NTP_CLASS]) == (host(ROUTER), host(PHONE))


def test_a_far_server_is_not_the_sites() -> None:
    """Or each file would allow any time server of the world, whatever it names."""
    assert NTP_CLASS not in site_of(packet(CLOUD, LAMP, 123, 123)).surroundings().controllers


def test_what_the_owner_says_stays() -> None:
    prefixes = (ip_network("198.51.100.53/32"),)
    site = Site(LOCAL, controllers={DNS_CLASS: prefixes})
    assert site.surroundings().controllers[DNS_CLASS] == prefixes


def test_addresses_are_known_from_what_was_sent_and_from_arp() -> None:
    arp = Arp(2, DEVICE, PHONE, NEIGHBOUR, LAMP)
    probe = Arp(1, NEIGHBOUR, bytes(4), bytes(6), LAMP)
    site = site_of(
        packet(LAMP, ROUTER, 1, 2),
        Packet(0.0, 60, DEVICE, NEIGHBOUR, EtherType.ARP, arp=arp),
        Packet(0.0, 60, NEIGHBOUR, DEVICE, EtherType.ARP, arp=probe),
        Packet(0.0, 60, NEIGHBOUR, DEVICE, EtherType.LLDP),
    )
    assert site.addresses(DEVICE) == ("10.77.0.7", "10.77.0.9")
    assert site.addresses(NEIGHBOUR) == ()


def test_who_invents_addresses_fills_no_memory() -> None:
    site = Site(LOCAL)
    for number in range(5000):
        site.see(packet(LAMP, (0xC6336400 + number).to_bytes(4), 1, 2))
    assert len(site._sent) == 1024


def advertised(address: bytes, *, hops: int = 255) -> Packet:
    source = ip_address("fe80::2").packed
    return Packet(
        0.0, 86, NEIGHBOUR, DEVICE, EtherType.IPV6, 6, source, source, 58,
        icmp=(136, 0), hops=hops, payload=bytes(4) + address,
    )  # fmt: skip


def test_a_neighbour_with_an_address_of_the_world_is_no_gateway() -> None:
    lamp, phone = (ip_address(text).packed for text in ("2001:db8::7", "2001:db8::9"))
    there = Packet(0.0, 80, DEVICE, NEIGHBOUR, EtherType.IPV6, 6, lamp, phone, 17)
    back = Packet(0.0, 80, NEIGHBOUR, DEVICE, EtherType.IPV6, 6, phone, lamp, 17)
    assert site_of(advertised(phone), there, back).gateways == set()
    assert site_of(advertised(phone, hops=64), there, back).gateways == {NEIGHBOUR}


def test_who_has_many_addresses_and_who_are_many_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "_MOST_HOSTS", 2)
    hosts = [(0x0A4D0000 + number).to_bytes(4) for number in range(10, 15)]
    site = site_of(*[packet(host, LAMP, 53, 5000) for host in hosts])
    assert len(site.addresses(GATEWAY)) == 2
    assert len(site.surroundings().controllers[DNS_CLASS]) == 2
    for number, host in enumerate(hosts):
        mac = bytes([2, 0, 0, 0, 0, number])
        site.see(Packet(0.0, 60, mac, DEVICE, EtherType.ARP, arp=Arp(2, mac, host, DEVICE, LAMP)))
    assert [bool(site.addresses(bytes([2, 0, 0, 0, 0, number]))) for number in range(3)] == [True, False, False]
    assert len(site._on_link) == 2
