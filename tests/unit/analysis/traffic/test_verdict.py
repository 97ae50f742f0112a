from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from tests.unit.analysis.traffic.packets import CLOUD, GATEWAY, ICMP, LAMP, PHONE, TCP, UDP, flow
from thingstead.analysis.traffic.flow import Flow
from thingstead.analysis.traffic.verdict import Allowed, Denied, verdict
from thingstead.protocols.mud.file import Direction, Icmp, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.rule import Rule, RuleSet, Surroundings

OUT, IN = Direction.FROM_DEVICE, Direction.TO_DEVICE
HTTPS = PortRange(443, 443)
BY_NAME = Rule(OUT, 4, TCP, Remote(RemoteKind.DNS_NAME, "cloud.example"), HTTPS)
BY_PREFIX = Rule(OUT, 4, TCP, Remote(RemoteKind.PREFIX, prefix=ip_network("198.51.100.0/24")), HTTPS)
INBOUND = Rule(IN, 4, UDP, Remote(RemoteKind.LOCAL_NETWORKS), device_ports=PortRange(5683, 5683))
ECHO = Rule(OUT, 4, ICMP, Remote(RemoteKind.ANY), icmp=Icmp(8, None))
SITE = Surroundings(local_networks=(ip_network("10.77.0.0/24"),))


def judged(rule: Rule, one: Flow, site: Surroundings = SITE) -> Allowed | Denied:
    rules = RuleSet("https://maker.example/lamp", (rule,), (), None, "test", 48, None)
    return verdict(rules, site, one)


def reason(rule: Rule, one: Flow, site: Surroundings = SITE) -> str:
    denied = judged(rule, one, site)
    assert isinstance(denied, Denied)
    return denied.reason


@pytest.mark.parametrize(
    ("rule", "one"),
    [
        (BY_PREFIX, flow()),
        (BY_NAME, flow(names=("cloud.example",))),
        (INBOUND, flow(outbound=False, remote=PHONE, protocol=UDP, device_port=5683)),
        (ECHO, flow(protocol=ICMP, icmp=(8, 0), remote_port=None, device_port=None)),
        (Rule(OUT, 4, None, Remote(RemoteKind.ANY)), flow(protocol=2, remote_port=None, device_port=None)),
    ],
)
def test_what_a_rule_names_may_begin(rule: Rule, one: Flow) -> None:
    assert judged(rule, one) == Allowed(rule)


def test_a_name_that_was_looked_up_beforehand_holds_too() -> None:
    site = Surroundings(names={"cloud.example": (ip_network(ip_address(CLOUD)),)})
    assert judged(BY_NAME, flow(), site) == Allowed(BY_NAME)


@pytest.mark.spec("RFC 9726 3")
def test_before_its_name_is_looked_up_an_address_is_nobodys() -> None:
    assert reason(BY_NAME, flow()) == "no rule names 198.51.100.9, of which no look-up was seen"


@pytest.mark.spec("RFC 9726 6")
def test_a_name_that_is_answered_with_a_neighbour_opens_no_way_to_it() -> None:
    assert "cloud.example" in reason(BY_NAME, flow(names=("cloud.example",), remote=PHONE))


def test_another_name_is_told_by_its_name() -> None:
    one = flow(names=("ads.example", "cdn.example"))
    assert reason(BY_NAME, one) == "no rule names ads.example (also cdn.example)"


def test_another_port_of_an_allowed_place_is_told_with_what_is_allowed_there() -> None:
    assert reason(BY_PREFIX, flow(remote_port=23)) == "there it is allowed TCP port 443, and this was TCP port 23"


def test_a_rule_on_the_port_that_begins_is_told_with_it() -> None:
    rule = Rule(IN, 4, UDP, Remote(RemoteKind.ANY), remote_ports=PortRange(5683, 5683))
    one = flow(outbound=False, protocol=UDP, remote_port=40001, device_port=5683)
    said = "there it is allowed UDP from port 5683, and this was UDP port 5683 from port 40001"
    assert reason(rule, one) == said


def test_a_neighbour_needs_no_look_up() -> None:
    site = Surroundings(local_networks=(ip_network("10.0.0.0/8"), ip_network("192.168.0.0/16")))
    denied = judged(BY_NAME, flow(remote=PHONE), site)
    assert isinstance(denied, Denied)
    assert "look-up" not in denied.reason


def test_another_protocol_is_denied() -> None:
    assert "this was UDP port 443" in reason(BY_PREFIX, flow(protocol=UDP))


def test_another_icmp_type_is_denied() -> None:
    one = flow(protocol=ICMP, icmp=(13, 0), remote_port=None, device_port=None)
    assert "this was ICMP" in reason(ECHO, one)


def test_another_code_is_denied_where_the_rule_names_one() -> None:
    rule = Rule(OUT, 4, ICMP, Remote(RemoteKind.ANY), icmp=Icmp(None, 3))
    assert "this was ICMP" in reason(rule, flow(protocol=ICMP, icmp=(8, 0), remote_port=None, device_port=None))


def test_what_only_the_thing_may_begin_is_denied_to_the_other_side() -> None:
    assert reason(BY_PREFIX, flow(outbound=False)) == "no rule lets it be contacted by anybody by IPv4"


@pytest.mark.spec("RFC 8520 4.8")
def test_the_wrong_side_that_begins_is_told_who_may() -> None:
    rules = RuleSet("https://maker.example/lamp", (BY_PREFIX, INBOUND), (), None, "test", 48, None)
    denied = verdict(rules, SITE, flow(outbound=False))
    assert denied == Denied("only the thing itself may begin this")
    denied = verdict(rules, SITE, flow(remote=PHONE, protocol=UDP, device_port=5683))
    assert denied == Denied("only the other side may begin this")


def test_another_version_of_ip_is_denied() -> None:
    remote = ip_address("2001:db8::9").packed
    assert reason(BY_PREFIX, flow(remote=remote)) == "no rule lets it contact anybody by IPv6"


def test_a_neighbour_is_not_the_internet() -> None:
    assert "198.51.100.9" in reason(INBOUND, flow(outbound=False, protocol=UDP, device_port=5683))


def test_a_rule_on_a_port_means_a_protocol_that_has_ports() -> None:
    rule = Rule(OUT, 4, None, Remote(RemoteKind.ANY), HTTPS)
    assert isinstance(judged(rule, flow(protocol=2, remote_port=None, device_port=None)), Denied)


def test_a_class_that_nobody_answers_for_here_allows_nothing() -> None:
    rule = Rule(OUT, 4, TCP, Remote(RemoteKind.MY_CONTROLLER))
    assert isinstance(judged(rule, flow(remote=LAMP)), Denied)


def test_what_is_no_ip_is_not_judged_by_rules_about_ip() -> None:
    one = flow(remote=GATEWAY, protocol=None, remote_port=None, device_port=None)
    assert reason(BY_PREFIX, one) == "it is not IP, of which the rules speak"
