"""The text as it is written; what the kernel makes of it is in test_segment.py."""

import re
from ipaddress import ip_address

import pytest

from thingstead.enforcement.bridge_ruleset import render_bridge_table

GROUPS = ((ip_address("224.0.0.251"), 5353), (ip_address("ff02::fb"), 5353))


def chain(name, **settings):
    found = re.search(rf"chain {name} {{\n(.*?)\n    }}", render_bridge_table("site", **settings), re.DOTALL)
    assert found is not None
    return [line.strip() for line in found[1].splitlines()]


def test_a_table_of_the_same_name_is_replaced_in_the_same_transaction():
    first = render_bridge_table("site").splitlines()[:3]
    assert first == ["add table bridge site", "delete table bridge site", "table bridge site {"]


@pytest.mark.parametrize("hook", ["arriving", "between"])
def test_bridges_that_are_not_ours_are_let_alone(hook):
    first = next(rule for rule in chain(hook)[1:] if not rule.startswith("meta pkttype host "))
    assert first == "iif != @ports accept"


@pytest.mark.requirement("R-34")
@pytest.mark.parametrize("hold_ports", [False, True])
def test_what_is_bound_and_for_the_router_goes_up_unless_its_port_is_to_be_asked_for(hold_ports):
    rules = chain("arriving", hold_ports=hold_ports)
    at_once = [place for place, rule in enumerate(rules) if rule.startswith("meta pkttype host ")]
    assert [rules[place].split(" ", 3)[3] for place in at_once] == [
        "ip saddr . ether saddr @pair4 accept",
        "meta l4proto != ipv6-icmp ip6 saddr . ether saddr @pair6 accept",
    ]
    asked = next(place for place, rule in enumerate(rules) if "!= @place" in rule)
    assert (asked < min(at_once)) is hold_ports


def test_what_is_bridged_and_named_by_nobody_is_dropped():
    assert chain("between")[-1] == "goto drop_sideways"
    assert chain("drop_sideways")[-1] == "drop"


def test_who_is_barred_sends_nothing_to_another_port():
    assert chain("between")[2] == "ether saddr @barred_mac goto drop_sideways"


@pytest.mark.parametrize("name", ["arriving4", "arriving6", "arriving_icmp6", "arriving_arp"])
def test_a_claim_is_held_against_what_is_known_before_it_is_passed_on(name):
    rules = chain(name)
    dropping = [place for place, rule in enumerate(rules) if "drop_" in rule]
    passing = [place for place, rule in enumerate(rules) if rule.endswith(("accept", "goto upward"))]
    assert dropping
    assert max(dropping) < min(passing)


def test_unicast_goes_up_to_the_router_and_not_across():
    assert chain("upward")[-1] == "meta pkttype set host ether daddr set iif map @gateway_mac"


@pytest.mark.parametrize("name", ["drop_spoofed", "drop_rogue", "drop_sideways"])
def test_what_is_dropped_is_counted_whole_and_logged_in_samples(name):
    count, log, last = chain(name)
    assert (count, last) == (f"counter name {name.removeprefix('drop_')}", "drop")
    assert log.startswith("limit rate")


def test_helpers_are_groups_of_either_family_and_none_unless_asked():
    text = render_bridge_table("site", helpers=GROUPS)
    assert "elements = { 224.0.0.251 . 5353 }" in text
    assert "elements = { ff02::fb . 5353 }" in text
    assert "elements" not in render_bridge_table("site")
