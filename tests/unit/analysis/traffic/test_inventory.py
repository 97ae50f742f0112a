from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.unit.analysis.traffic.packets import (
    ACK,
    CLOUD,
    DEVICE,
    GATEWAY,
    LAMP,
    NEIGHBOUR,
    PHONE,
    ROUTER,
    SYN,
    SYN_ACK,
    TCP,
    UDP,
    look_up,
    packet,
    tcp,
)
from thingstead.analysis.traffic import flow as flows
from thingstead.analysis.traffic.clue import Source
from thingstead.analysis.traffic.inventory import Device, Inventory, Limits
from thingstead.analysis.traffic.listener import Listener
from thingstead.analysis.traffic.site import Site
from thingstead.protocols.packet.packet import EtherType, Packet

ANSWERED = (tcp(LAMP, CLOUD, (40000, 443), SYN), tcp(CLOUD, LAMP, (443, 40000), SYN_ACK))


def heard(packets: Iterable[Packet], limits: Limits | None = None) -> dict[bytes, Device]:
    inventory = Inventory(Listener(Site()), limits=limits)
    for one in packets:
        inventory.see(one)
    return {one.mac: one for one in inventory.devices()}


@pytest.mark.requirement("R-12")
def test_a_device_is_known_by_what_it_sent() -> None:
    found = heard([*look_up("cloud.example", CLOUD, at=1.0), packet(LAMP, CLOUD, 5000, 443, at=9.0)])
    lamp = found[DEVICE]
    assert lamp.addresses == ("10.77.0.7",)
    assert (lamp.first, lamp.last, lamp.packets) == (1.0, 9.0, 2)
    assert [(one.source, one.text) for one in lamp.clues] == [(Source.ASKED_NAME, "cloud.example")]


def test_who_made_its_interface_speaks_for_its_kind_and_is_nothing_it_said() -> None:
    inventory = Inventory(Listener(Site()), maker_of=lambda mac: "Sonos, Inc." if mac == DEVICE else "")
    for one in (packet(LAMP, CLOUD, 5000, 443), packet(PHONE, CLOUD, 5000, 443)):
        inventory.see(one)
    found = {one.mac: (one.guess.kind, one.clues) for one in inventory.devices()}
    assert found == {DEVICE: ("media player", ()), NEIGHBOUR: ("", ())}


def test_who_is_only_spoken_to_is_no_device() -> None:
    assert NEIGHBOUR not in heard([packet(LAMP, PHONE, 1, 2)])


def test_contacts_are_by_name_and_service() -> None:
    packets = [
        *look_up("cloud.example", CLOUD),
        tcp(LAMP, CLOUD, (40000, 443), SYN),
        tcp(LAMP, CLOUD, (40001, 443), SYN, at=1.0),
        tcp(CLOUD, LAMP, (443, 40001), SYN_ACK, at=1.0),
    ]
    contact = next(one for one in heard(packets)[DEVICE].contacts if one.name == "cloud.example")
    assert (contact.outbound, contact.protocol, contact.port, contact.flows) == (True, TCP, 443, 2)
    assert (contact.packets_out, contact.packets_in, contact.is_answered) == (2, 1, True)


def test_conversations_that_are_over_count_with_those_that_go_on() -> None:
    listener = Listener(Site(), limits=flows.Limits(idle_seconds=1.0))
    inventory = Inventory(listener)
    for at in (0.0, 10.0):
        inventory.see(packet(LAMP, CLOUD, 5000, 443, at=at))
    (lamp,) = inventory.devices()
    (contact,) = lamp.contacts
    assert (contact.flows, contact.first, contact.last) == (2, 0.0, 10.0)
    assert inventory.devices() == (lamp,)


def test_what_leads_to_the_world_is_the_gateway_and_comes_last() -> None:
    found = heard([*ANSWERED, packet(ROUTER, LAMP, 53, 5000)])
    assert list(found)[-1] == GATEWAY
    assert found[GATEWAY].guess.kind == "gateway"


def test_what_a_far_server_says_is_not_the_gateways_word() -> None:
    headers = packet(CLOUD, LAMP, 80, 40000, protocol=TCP, flags=ACK, payload=b"HTTP/1.1 200 OK\r\nServer: x/1.0\r\n")
    found = heard([*ANSWERED, tcp(CLOUD, LAMP, (8443, 40000), SYN_ACK), headers])
    assert found[GATEWAY].services == ()
    assert found[GATEWAY].clues == ()


def test_a_service_is_what_was_answered() -> None:
    found = heard(
        [
            tcp(PHONE, LAMP, (40000, 80), SYN),
            tcp(LAMP, PHONE, (80, 40000), SYN_ACK),
            packet(PHONE, LAMP, 5000, 5683),
            packet(LAMP, PHONE, 5683, 5000),
        ]
    )
    assert found[DEVICE].services == ((TCP, 80), (UDP, 5683))
    assert found[NEIGHBOUR].services == ()


def test_a_datagram_service_of_a_conversation_that_is_over_stays() -> None:
    listener = Listener(Site(), limits=flows.Limits(idle_seconds=1.0))
    inventory = Inventory(listener)
    for one in (packet(PHONE, LAMP, 5000, 5683), packet(LAMP, PHONE, 5683, 5000), packet(LAMP, PHONE, 9, 9, at=60.0)):
        inventory.see(one)
    assert inventory.devices()[0].services == ((UDP, 5683),)


def test_what_is_asked_in_vain_is_no_service() -> None:
    refused = tcp(LAMP, PHONE, (23, 40000), 4)
    found = heard([tcp(PHONE, LAMP, (40000, 23), SYN), refused, packet(PHONE, LAMP, 5000, 161)])
    assert found[DEVICE].services == ()


def test_a_scan_fills_no_list() -> None:
    packets = [packet(LAMP, CLOUD, 5000, port) for port in range(1, 50)]
    contacts = heard(packets, Limits(max_contacts=8))[DEVICE].contacts
    assert len(contacts) == 9
    rest = next(one for one in contacts if one.port is None)
    assert (rest.flows, rest.remote, rest.name) == (41, b"", "")


def test_what_a_device_says_of_itself_is_bounded() -> None:
    packets = [one for number in range(9) for one in look_up(f"{number}.example", CLOUD, at=number)]
    assert len(heard(packets, Limits(max_clues=4))[DEVICE].clues) == 4


def test_services_are_bounded() -> None:
    packets = [tcp(LAMP, PHONE, (port, 40000), SYN_ACK) for port in range(1, 9)]
    assert len(heard(packets, Limits(max_services=3))[DEVICE].services) == 3


def test_senders_beyond_the_bound_are_counted_and_not_followed() -> None:
    inventory = Inventory(Listener(Site()), limits=Limits(max_devices=1))
    for one in (packet(LAMP, CLOUD, 1, 2), packet(PHONE, CLOUD, 1, 2)):
        inventory.see(one)
    assert inventory.overlooked == 1
    assert [one.mac for one in inventory.devices()] == [DEVICE]


def test_a_frame_without_ip_makes_no_contact() -> None:
    assert heard([Packet(0.0, 60, DEVICE, GATEWAY, EtherType.LLDP)])[DEVICE].contacts == ()


def test_a_packet_of_nobody_is_nobodys() -> None:
    assert heard([Packet(0.0, 60)]) == {}


def test_a_gateway_may_send_frames_without_ip() -> None:
    found = heard([*ANSWERED, Packet(0.0, 60, GATEWAY, DEVICE, EtherType.LLDP)])
    assert found[GATEWAY].packets == 2
