"""The text as it is written; what the kernel makes of it is in test_nftables.py."""

import re
from ipaddress import ip_network

import pytest

from thingstead.enforcement.ruleset import render_table

HOOKS = ("input", "forward", "output")


def render(**changes):
    settings = {
        "interfaces": ("lan0", "lan1"),
        "local": (ip_network("10.77.0.0/16"), ip_network("fd77::/64")),
        "onboarding": (("udp", 5683),),
    }
    return render_table("site", **(settings | changes))


def chain(name, text=None):
    """The rules of a chain, top down."""
    found = re.search(rf"chain {name} {{\n(.*?)\n    }}", text or render(), re.DOTALL)
    assert found is not None
    return [line.strip() for line in found[1].splitlines()]


def elements(name, text):
    """What a set holds from the beginning."""
    found = re.search(rf"set {name} {{ .*elements = {{ (.*) }}; }}", text)
    return found and found[1]


def test_a_table_of_the_same_name_is_replaced_in_the_same_transaction():
    assert render().splitlines()[:3] == ["add table inet site", "delete table inet site", "table inet site {"]


@pytest.mark.parametrize("hook", HOOKS)
def test_what_no_rule_of_a_hook_takes_is_dropped(hook):
    assert chain(hook)[0].endswith("policy drop;")


@pytest.mark.parametrize("hook", HOOKS)
def test_only_what_comes_from_or_goes_to_other_interfaces_is_accepted_by_a_hook_itself(hook):
    accepting = [rule for rule in chain(hook) if rule.endswith("accept")]
    offers = 'oifname { "lan0", "lan1" } udp sport 67 udp dport 68 accept'
    doors = "meta l4proto . th dport @onboarding accept"
    if hook == "forward":
        del accepting[:2]
    assert set(accepting) <= {'iifname != { "lan0", "lan1" } accept', doors, offers, "accept"}
    assert (offers in accepting) == (hook == "output")
    if "accept" in accepting:
        way = "jump" if hook == "output" else "goto"
        before = chain(hook)[: chain(hook).index("accept")]
        assert any(rule == f'oifname {{ "lan0", "lan1" }} {way} to_segment' for rule in before)


def test_whom_nobody_knows_on_a_segment_this_machine_alone_reaches():
    assert chain("to_segment")[-1] == "ip6 daddr @local6 drop"


@pytest.mark.parametrize("name", ["from_segment", "to_segment"])
def test_who_is_barred_leaves_before_anything_is_accepted_and_does_not_come_back(name):
    rules = chain(name)
    last_bar = max(place for place, rule in enumerate(rules) if "@barred" in rule)
    assert all(" goto " in rule for rule in rules[: last_bar + 1])


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("interfaces", [("lan0",), ("lan0", "lan1")])
def test_each_interface_is_named_wherever_it_is_asked_for(hook, interfaces):
    text = "\n".join(chain(hook, render(interfaces=interfaces)))
    assert all(f'"{name}"' in text for name in interfaces)
    assert "{ }" not in text


@pytest.mark.parametrize("name", ["from_barred4", "from_barred6", "to_barred4", "to_barred6", "drop_barred"])
def test_of_who_is_barred_passes_what_repairs_and_nothing_else(name):
    *first, last = chain(name)
    assert last in {"drop", "goto drop_barred"}
    assert all("@repair" in rule or " log " in rule for rule in first)


@pytest.mark.parametrize("name", ["from_thing4", "from_thing6", "to_thing4", "to_thing6"])
def test_what_is_denied_is_asked_before_anything_is_allowed(name):
    rules = chain(name)
    denied = [place for place, rule in enumerate(rules) if "@no_" in rule]
    way = "@out" if name.startswith("from") else "@in"
    allowed = [place for place, rule in enumerate(rules) if way in rule and "@inbound" not in rule]
    assert len(denied) == len(allowed) == 3
    assert max(denied) < min(allowed)


@pytest.mark.parametrize("name", ["from_thing4", "from_thing6"])
def test_how_much_a_thing_sends_is_asked_before_its_open_flows_pass(name):
    rules = chain(name)
    assert next(rule for rule in rules if "icmp" not in rule) == "ct status confirmed goto passed"
    family = name[-1]
    here = chain("from_segment")
    within, more = (next(n for n, rule in enumerate(here) if f"@{of}{family}" in rule) for of in ("thing", "bound"))
    assert within < more
    assert here[more].endswith(f"goto too_much{family}")


def test_what_an_open_flow_sends_out_of_the_segment_passes_by_its_binding_alone():
    first, second, third, *_ = chain("forward")[1:]
    for rule, family, ip, errors in ((first, "4", "ip", "icmp"), (second, "6", "ip6", "icmpv6")):
        start = (
            f'meta nfproto ipv{family} oifname != {{ "lan0", "lan1" }} meta l4proto != {errors} ct status confirmed '
        )
        assert rule == f"{start}{ip} saddr . ether saddr @thing{family} accept"
    assert third == 'iifname { "lan0", "lan1" } jump from_segment'


@pytest.mark.parametrize(
    "name",
    ["denied4", "denied_inbound6", "too_much4", "rogue6", "from_thing6", "to_thing4", "drop_stranger", "drop_barred"],
)
def test_what_is_dropped_is_logged_first_and_never_without_bound(name):
    *_, log, last = chain(name)
    assert last == "drop"
    assert " log prefix " in log
    assert "limit rate" in log or re.search(r"@(refused|inbound|stopped)[46] log", log)


def test_each_thing_has_a_bounded_share_of_the_log_of_its_own():
    for name in ("refused4", "refused6", "inbound4", "inbound6", "stopped4", "stopped6"):
        assert re.search(rf"set {name} {{ .*counter; limit rate 10/second burst 20 packets; }}", render())


def test_all_is_logged_to_the_group_that_is_given():
    assert set(re.findall(r"group (\d+)", render(log_group=9))) == {"9"}


@pytest.mark.requirement("R-34")
@pytest.mark.parametrize(("family", "ip"), [("4", "ip"), ("6", "ip6")])
def test_a_thing_is_known_by_address_and_interface_together(family, ip):
    entries = [rule for rule in chain("from_segment") if rule.endswith(f"from_thing{family}")]
    assert entries == [f"{ip} saddr . ether saddr @thing{family} goto from_thing{family}"]


@pytest.mark.parametrize("family", ["4", "6"])
@pytest.mark.parametrize("direction", ["from", "to"])
def test_what_a_thing_has_no_right_to_is_dropped(direction, family):
    assert chain(f"{direction}_thing{family}")[-1].endswith("drop")


def test_strangers_reach_the_doors_that_are_given_and_no_other():
    assert elements("onboarding", render()) == "udp . 5683"
    assert elements("onboarding", render(onboarding=())) is None
    assert chain("forward")[4] == 'iifname { "lan0", "lan1" } goto drop_stranger'
    assert chain("drop_stranger")[-1] == "drop"


def test_each_family_has_its_own_prefixes():
    text = render()
    assert (elements("local4", text), elements("local6", text)) == ("10.77.0.0/16", "fd77::/64")


@pytest.mark.parametrize(("prefix", "empty"), [("10.77.0.0/16", "local6"), ("fd77::/64", "local4")])
def test_a_site_of_one_family_has_no_prefix_of_the_other(prefix, empty):
    assert elements(empty, render(local=(ip_network(prefix),))) is None


@pytest.mark.parametrize(
    ("prefixes", "held"),
    [
        (("10.0.0.0/8", "10.1.0.0/16"), "10.0.0.0/8"),
        (("10.1.0.0/16", "10.1.0.0/16"), "10.1.0.0/16"),
        (("10.0.0.0/9", "10.128.0.0/9"), "10.0.0.0/8"),
    ],
)
def test_prefixes_that_overlap_are_held_as_one_for_the_kernel_refuses_them_otherwise(prefixes, held):
    assert elements("local4", render(local=map(ip_network, prefixes))) == held
