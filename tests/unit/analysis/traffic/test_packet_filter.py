from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

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
    frame,
    look_up,
    packet,
    tcp,
)
from thingstead.analysis.traffic.packet_filter import Given, Limits, PacketFilter
from thingstead.analysis.traffic.site import GATEWAY_CLASS
from thingstead.analysis.traffic.verdict import Allowed, Denied, Judge
from thingstead.protocols.mud.file import ANY_PORT, Direction, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.rule import Rule, RuleSet, Surroundings
from thingstead.protocols.packet.packet import Arp, EtherType, Packet, TcpFlag

HERE = Surroundings(controllers={GATEWAY_CLASS: (ip_network("10.77.0.1"),)})
_NAMED = Remote(RemoteKind.DNS_NAME, "cloud.example")
RULES = (
    Rule(Direction.FROM_DEVICE, 4, 6, _NAMED, PortRange(443, 443)),
    Rule(Direction.FROM_DEVICE, 4, 17, Remote(RemoteKind.PREFIX, prefix=ip_network("198.51.100.9/32")), ANY_PORT),
    Rule(Direction.FROM_DEVICE, 4, 1, Remote(RemoteKind.PREFIX, prefix=ip_network("198.51.100.9/32")), ANY_PORT),
)
FAR = bytes([198, 51, 100, 77])
OUT, IN = (40000, 443), (443, 40000)
EVERYONE = b"\xff" * 4
NOBODY = bytes(4)


def decided(*packets: Packet, limits: Limits | None = None) -> list[bool]:
    """Of each packet of the device whether it passes."""
    decide = PacketFilter(
        Judge(RuleSet("https://maker.example/lamp", RULES, (), None, "test", 48, None), HERE),
        HERE,
        device=DEVICE,
        limits=limits,
    )
    passages = [passage for one in packets if (passage := decide.see(one)) is not None]
    return [not isinstance(passage.verdict, Denied) for passage in passages]


def known(at: float = 0.0) -> list[Packet]:
    """A look-up that no rule of this file allows, which names the cloud all the same."""
    return look_up("cloud.example", FAR, at=at, ttl=600)


def test_what_follows_an_allowed_beginning_passes_both_ways() -> None:
    talk = [tcp(LAMP, FAR, OUT, SYN), tcp(FAR, LAMP, IN, SYN_ACK), tcp(LAMP, FAR, OUT, ACK)]
    assert decided(*known(), *talk)[2:] == [True, True, True]


def test_what_nobody_opened_is_refused_both_ways() -> None:
    assert decided(tcp(LAMP, CLOUD, OUT, SYN), tcp(CLOUD, LAMP, IN, SYN_ACK)) == [False, False]


@pytest.mark.spec("RFC 9726 3")
def test_a_conversation_that_was_refused_is_asked_again_once_its_name_is_known() -> None:
    old = [tcp(FAR, LAMP, IN, ACK), tcp(LAMP, FAR, OUT, ACK)]
    seen = decided(*old, *known(), *old[::-1])
    assert (seen[:2], seen[4:]) == ([False, False], [True, True])


def test_an_end_opens_nothing_though_a_rule_lets_it_pass() -> None:
    assert decided(*known(), tcp(LAMP, FAR, OUT, FIN), tcp(FAR, LAMP, IN, ACK))[2:] == [True, False]
    reset = tcp(LAMP, FAR, OUT, TcpFlag.RST)
    assert decided(*known(), reset, tcp(FAR, LAMP, IN, ACK))[2:] == [True, False]


def test_a_connection_that_ended_and_is_begun_by_the_other_side_is_refused() -> None:
    ended = [tcp(LAMP, FAR, OUT, SYN), tcp(LAMP, FAR, OUT, FIN), tcp(FAR, LAMP, IN, SYN)]
    assert decided(*known(), *ended)[2:] == [True, True, False]


def test_a_second_reset_of_what_was_never_answered_is_nobody_s() -> None:
    opened, answered = tcp(LAMP, FAR, OUT, SYN), tcp(FAR, LAMP, IN, SYN_ACK)
    reset = tcp(FAR, LAMP, IN, TcpFlag.RST)
    assert decided(*known(), opened, reset, reset)[2:] == [True, True, False]
    assert decided(*known(), opened, answered, reset, reset)[2:] == [True, True, True, True]


def test_an_answer_after_too_long_a_silence_is_nobody_s() -> None:
    asked, answer = packet(LAMP, CLOUD, 5000, 7000), packet(CLOUD, LAMP, 7000, 5000, at=121.0)
    assert decided(asked, replace(answer, at=119.0)) == [True, True]
    assert decided(asked, answer) == [True, False]


def test_of_more_conversations_than_are_kept_the_oldest_is_over() -> None:
    asked = [packet(LAMP, CLOUD, port, 7000) for port in (5000, 5001)]
    answers = [packet(CLOUD, LAMP, 7000, port) for port in (5000, 5001)]
    assert decided(*asked, *answers[::-1], limits=Limits(max_conversations=1)) == [True, True, True, False]


def test_an_echo_is_answered_and_no_other_s_answer_is_taken() -> None:
    ping = packet(LAMP, CLOUD, protocol=ICMP, icmp=(8, 0), payload=b"\0\1\0\1")
    pong = packet(CLOUD, LAMP, protocol=ICMP, icmp=(0, 0), payload=b"\0\1\0\1")
    other = replace(pong, payload=b"\0\2\0\1")
    assert decided(ping, pong, other) == [True, True, False]
    assert decided(pong) == [False]


@pytest.mark.spec("RFC 792")
def test_an_error_belongs_to_the_conversation_that_it_quotes() -> None:
    asked = packet(LAMP, CLOUD, 5000, 7000)
    error = packet(FAR, LAMP, protocol=ICMP, icmp=(3, 3), payload=bytes(4) + frame(asked)[14:])
    assert decided(error) == [False]
    assert decided(asked, replace(error, source=CLOUD)) == [True, True]


def test_an_error_that_quotes_nothing_is_refused() -> None:
    asked = packet(LAMP, CLOUD, 5000, 7000)
    assert decided(asked, packet(CLOUD, LAMP, protocol=ICMP, icmp=(3, 3), payload=b"\0")) == [True, False]


@pytest.mark.spec("RFC 2131 4.1")
def test_an_address_is_got_from_the_gateway_and_from_nobody_else() -> None:
    asked = packet(NOBODY, EVERYONE, 68, 67, to_mac=EVERYBODY)
    asked.source_mac = DEVICE
    given, rogue = packet(ROUTER, LAMP, 67, 68), packet(PHONE, LAMP, 67, 68)
    assert decided(asked, given, rogue) == [True, True, False]


def test_nobody_else_is_spoken_to_from_the_port_for_addresses() -> None:
    assert decided(packet(LAMP, PHONE, 68, 67), packet(LAMP, EVERYONE, 68, 69, to_mac=EVERYBODY)) == [False, False]


def test_neighbours_are_found_and_other_frames_that_are_no_ip_refused() -> None:
    arp = Packet(0.0, 60, DEVICE, EVERYBODY, EtherType.ARP, arp=Arp(1, DEVICE, LAMP, bytes(6), ROUTER))
    assert decided(arp, Packet(0.0, 60, DEVICE, GATEWAY, 0x88B5)) == [True, False]


@pytest.mark.spec("RFC 4861 7.1")
def test_neighbours_are_found_by_ipv6_on_the_link_only() -> None:
    asked = replace(
        packet(bytes(16), bytes(16), protocol=58, icmp=(135, 0), to_mac=b"\x33\x33" + bytes(4)),
        family=6, hops=255, source_mac=DEVICE,
    )  # fmt: skip
    advertised = replace(asked, icmp=(134, 0))
    assert decided(asked, replace(asked, hops=64), replace(asked, icmp=(133, 0)), advertised) == [
        True, False, True, False,
    ]  # fmt: skip


def test_others_packets_are_not_decided_on() -> None:
    assert decided(packet(PHONE, ROUTER, 5000, 53), packet(ROUTER, PHONE, 53, 5000)) == []
    assert NEIGHBOUR != DEVICE


def test_the_first_refusal_of_a_conversation_speaks_for_it() -> None:
    decide = PacketFilter(
        Judge(RuleSet("https://maker.example/lamp", RULES, (), None, "test", 48, None), HERE), HERE, device=DEVICE
    )
    first, second = (decide.see(one) for one in (tcp(CLOUD, LAMP, IN, ACK), tcp(LAMP, CLOUD, OUT, ACK)))
    assert first is not None
    assert second is not None
    assert (first.is_first, second.is_first) == (True, False)
    assert second.opening == first.opening
    assert second.verdict == first.verdict


def test_what_passes_by_a_rule_says_which_and_what_passes_by_none_says_so() -> None:
    decide = PacketFilter(
        Judge(RuleSet("https://maker.example/lamp", RULES, (), None, "test", 48, None), HERE), HERE, device=DEVICE
    )
    allowed, given = (decide.see(one) for one in (packet(LAMP, CLOUD, 1, 2), packet(ROUTER, LAMP, 67, 68)))
    assert allowed is not None
    assert given is not None
    assert allowed.verdict == Allowed(RULES[1])
    assert isinstance(given.verdict, Given)
