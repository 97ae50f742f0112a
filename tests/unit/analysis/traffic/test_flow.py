from __future__ import annotations

import pytest

from tests.unit.analysis.traffic.packets import (
    ACK,
    CLOUD,
    DEVICE,
    EVERYBODY,
    FIN,
    GATEWAY,
    ICMP,
    LAMP,
    NEIGHBOUR,
    PHONE,
    ROUTER,
    SYN,
    SYN_ACK,
    packet,
    tcp,
)
from thingstead.analysis.traffic.flow import FlowTable, Limits
from thingstead.analysis.traffic.name_book import NameBook
from thingstead.protocols.packet.packet import EtherType, Packet

OUT, BACK = (40000, 443), (443, 40000)


def table(limits: Limits | None = None, *, names: NameBook | None = None) -> FlowTable:
    return FlowTable(names or NameBook(), apart={GATEWAY}, limits=limits)


def test_a_question_and_its_answer_are_one_conversation_that_the_device_began() -> None:
    flows = table()
    flows.see(tcp(LAMP, CLOUD, OUT, SYN, at=1.0))
    flows.see(tcp(CLOUD, LAMP, BACK, SYN_ACK, at=1.5))
    (flow,) = flows.end()
    assert (flow.device, flow.outbound, flow.remote, flow.remote_port, flow.device_port) == (
        DEVICE, True, CLOUD, 443, 40000,
    )  # fmt: skip
    assert (flow.first, flow.last, flow.packets_out, flow.packets_in, flow.octets) == (1.0, 1.5, 1, 1, 120)
    assert flow.is_whole
    assert flow.packets == 2


def test_what_comes_from_outside_first_was_begun_there() -> None:
    flows = table()
    flows.see(tcp(CLOUD, LAMP, (40000, 23), SYN))
    (flow,) = flows.open()
    assert not flow.outbound
    assert flow.device_port == 23


def test_an_answer_without_its_question_tells_who_asked() -> None:
    flows = table()
    flows.see(tcp(CLOUD, LAMP, BACK, SYN_ACK))
    (flow,) = flows.end()
    assert flow.outbound
    assert flow.is_whole


@pytest.mark.parametrize(("ports", "outbound"), [(BACK, True), ((40000, 80), False)])
def test_of_a_connection_that_is_older_the_lower_port_answers(ports: tuple[int, int], outbound: bool) -> None:
    flows = table()
    flows.see(tcp(CLOUD, LAMP, ports, ACK))
    (flow,) = flows.end()
    assert flow.outbound is outbound
    assert not flow.is_whole


def test_of_a_connection_that_is_older_the_port_answers_that_others_ask_for() -> None:
    flows = table()
    flows.see(tcp(PHONE, CLOUD, (40000, 50443), SYN))
    flows.see(tcp(CLOUD, LAMP, (50443, 40000), ACK))
    assert [flow.outbound for flow in flows.end() if flow.device == DEVICE] == [True]


def test_ports_that_are_asked_for_fill_no_memory() -> None:
    flows = table(Limits(max_flows=2))
    for port in (50443, 1, 2):
        flows.see(tcp(PHONE, CLOUD, (40000, port), SYN))
    flows.see(tcp(CLOUD, LAMP, (50443, 40000), ACK))
    assert [flow.outbound for flow in flows.end() if flow.device == DEVICE] == [False]


def test_a_datagram_from_a_low_port_is_no_answer_to_what_nobody_asked() -> None:
    """Or anybody who sends from port 53 would pass for a name server that the thing asked."""
    flows = table()
    flows.see(packet(CLOUD, LAMP, 53, 5683))
    assert not flows.end()[0].outbound


def test_two_devices_have_each_their_own_view_of_what_passes_between_them() -> None:
    flows = table()
    flows.see(packet(LAMP, PHONE, 5683, 5684))
    ours, theirs = flows.end()
    assert (ours.device, ours.outbound, ours.packets_out) == (DEVICE, True, 1)
    assert (theirs.device, theirs.outbound, theirs.packets_in) == (NEIGHBOUR, False, 1)


def test_what_is_sent_to_many_is_its_senders_alone() -> None:
    flows = table()
    flows.see(packet(LAMP, b"\xff" * 4, 68, 67, to_mac=EVERYBODY))
    assert [flow.device for flow in flows.end()] == [DEVICE]


def test_the_gateway_is_nobodys_device() -> None:
    flows = table()
    flows.see(packet(ROUTER, CLOUD, 1000, 53))
    assert flows.end() == ()


def test_an_echo_and_its_reply_are_one_conversation() -> None:
    flows = table()
    flows.see(packet(CLOUD, LAMP, protocol=ICMP, icmp=(0, 0)))
    flows.see(packet(LAMP, CLOUD, protocol=ICMP, icmp=(8, 0)))
    (flow,) = flows.end()
    assert flow.outbound
    assert flow.packets == 2


def test_silence_ends_a_conversation_and_the_next_packet_begins_another() -> None:
    flows = table(Limits(idle_seconds=10.0))
    flows.see(packet(LAMP, CLOUD, 5000, 123, at=0.0))
    assert flows.tick(10.0) == ()
    (ended,) = flows.see(packet(LAMP, CLOUD, 5000, 123, at=10.5))
    assert ended.last == 0.0
    assert [flow.first for flow in flows.tick(30.0)] == [10.5]
    assert flows.open() == ()


def test_a_port_that_is_used_again_after_the_end_is_another_conversation() -> None:
    flows = table()
    flows.see(tcp(LAMP, CLOUD, OUT, SYN, at=0.0))
    flows.see(tcp(LAMP, CLOUD, OUT, FIN, at=1.0))
    assert len(flows.see(tcp(LAMP, CLOUD, OUT, SYN, at=2.0))) == 1
    assert len(flows.end()) == 1


def test_a_first_packet_that_is_repeated_is_no_second_conversation() -> None:
    flows = table()
    flows.see(tcp(LAMP, CLOUD, OUT, SYN, at=0.0))
    assert flows.see(tcp(LAMP, CLOUD, OUT, SYN, at=1.0)) == ()


def test_a_device_that_asks_everybody_puts_its_own_conversations_out_and_nobody_elses() -> None:
    flows = table(Limits(max_flows=3))
    flows.see(packet(PHONE, CLOUD, 5000, 443))
    ended = [one for port in range(10) for one in flows.see(packet(LAMP, CLOUD, 5000, port))]
    assert [flow.remote_port for flow in ended] == list(range(7))
    assert {flow.device for flow in ended} == {DEVICE}


def test_devices_beyond_the_bound_are_counted_and_not_followed() -> None:
    flows = table(Limits(max_devices=1))
    flows.see(packet(LAMP, CLOUD, 5000, 443))
    flows.see(packet(PHONE, CLOUD, 5000, 443))
    assert flows.overlooked == 1
    assert len(flows.end()) == 1


def test_a_packet_that_comes_late_never_makes_a_conversation_end_before_it_began() -> None:
    flows = table()
    flows.see(packet(LAMP, CLOUD, 5000, 443, at=5.0))
    flows.see(packet(LAMP, CLOUD, 5000, 443, at=4.0))
    assert flows.end()[0].last == 5.0


def test_without_a_link_layer_a_device_is_its_address() -> None:
    flows = table()
    flows.see(Packet(0.0, 40, family=4, source=LAMP, destination=CLOUD, protocol=17, source_port=9, destination_port=9))
    assert {flow.device for flow in flows.end()} == {LAMP, CLOUD}


def test_without_a_link_layer_groups_are_no_devices() -> None:
    flows = table()
    for group in (b"\xff" * 4, b"\xe0\0\0\xfb", b"\xff\x02" + bytes(14)):
        flows.see(Packet(0.0, 40, family=4, source=LAMP, destination=group, protocol=17))
    assert {flow.device for flow in flows.end()} == {LAMP}


def test_what_is_no_ip_is_between_link_layer_addresses() -> None:
    flows = table()
    flows.see(Packet(0.0, 60, DEVICE, GATEWAY, EtherType.LLDP))
    (flow,) = flows.end()
    assert (flow.remote, flow.protocol, flow.ethertype) == (GATEWAY, None, EtherType.LLDP)


def test_the_other_side_is_called_what_it_stood_for_when_it_began() -> None:
    names = NameBook()
    names.learn("cloud.example", CLOUD, at=0.0, ttl=60)
    flows = table(names=names)
    flows.see(packet(LAMP, CLOUD, 5000, 443, at=60.0))
    flows.see(packet(LAMP, CLOUD, 5001, 443, at=61.0))
    named, unnamed = flows.end()
    assert named.remote_name == "cloud.example"
    assert unnamed.remote_name is None
