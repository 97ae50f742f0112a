from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from thingstead.domain.network import FlowRule, NetworkChange, RateLimit, ThingAddress
from thingstead.enforcement.layout import exact_places, lay_out, narrows
from thingstead.errors import UnsupportedError
from thingstead.identifier import ThingId

ONE = ThingId("thing-aaaaaaaaaaaaaaaa")
HERE = ThingAddress(b"\2\0\0\0\0\1", ip_address("10.77.1.1"))
SIX = ThingAddress(b"\2\0\0\0\0\1", ip_address("fd77::1"))
CLOUD = ip_network("198.51.100.2")
WEB = FlowRule(True, CLOUD, 6, (443, 443))
NAMED = replace(WEB, lifetime=60)
RANGE = FlowRule(True, CLOUD, 17, (1000, 2000))
MDNS = FlowRule(True, ip_network("224.0.0.251"), 17, (5353, 5353))


def change(*rules, addresses=(HERE,), **more):
    return NetworkChange(ONE, addresses, frozenset(rules), **more)


def sets(laid):
    return {element.set for element in laid.elements}


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        (WEB, "out4"),
        (replace(WEB, outbound=False), "in_from4"),
        (FlowRule(True, CLOUD, 6, thing_ports=(443, 443)), "out_from4"),
        (FlowRule(False, CLOUD, 6, thing_ports=(443, 443)), "in4"),
        (RANGE, "out_wide4"),
        (replace(RANGE, outbound=False), "in_wide4"),
        (FlowRule(True, ip_network("198.51.100.0/24"), 6, (443, 443)), "out_wide4"),
        (FlowRule(True, CLOUD), "out_wide4"),
    ],
)
@pytest.mark.parametrize("refusal", [False, True])
def test_a_rule_has_its_place_and_a_refusal_the_same_beside_it(rule, place, refusal):
    laid = lay_out(change(denied=frozenset({rule})) if refusal else change(rule))
    assert ("no_" if refusal else "") + place in sets(laid)
    assert ("" if refusal else "no_") + place not in sets(laid)


def test_a_rule_of_the_other_family_has_no_place():
    assert not any("out" in name for name in sets(lay_out(change(WEB, RANGE, addresses=(SIX,)))))


def test_a_thing_that_the_network_does_not_know_has_nothing_there():
    nothing = NetworkChange(ONE, (HERE,), None, denied=frozenset({WEB}), learning=True, rate=RateLimit(1, 1, 1))
    assert lay_out(nothing).elements == frozenset()
    assert lay_out(nothing).chains == ()


def test_a_bar_is_of_the_address_and_of_the_interface_on_the_bridge_too():
    barred = sets(lay_out(NetworkChange(ONE, (HERE,), None, barred=True)))
    assert barred == {"barred4", "barred_mac", "basis4", "stopped4"}


def test_who_is_barred_is_bound_to_nothing_and_so_reaches_no_open_flow():
    assert "thing4" in sets(lay_out(change(WEB)))
    assert "thing4" not in sets(lay_out(change(WEB, barred=True)))


def test_what_repairs_has_no_place_unless_the_thing_is_barred():
    repair = frozenset({WEB})
    assert not lay_out(change(repair=repair)).chains
    names = {chain.entry.set for chain in lay_out(change(repair=repair, barred=True)).chains}
    assert names == {"repair_from4", "repair_to4"}


def test_bounds_and_learning_are_of_each_address():
    laid = lay_out(change(addresses=(HERE, SIX), rate=RateLimit(20, 40, 500), learning=True))
    limits = {element.set: element.limit for element in laid.elements if element.limit is not None}
    assert limits == {"flows4": (20, 40), "flows6": (20, 40)}
    within = {element.set: element.within for element in laid.elements if element.within is not None}
    assert within == {"thing4": (500, 500), "thing6": (500, 500)}
    assert {"learning4", "learning6"} <= sets(laid)


def test_a_port_is_held_only_where_it_is_said():
    assert not {"held", "place"} & sets(lay_out(change()))
    assert {"held", "place"} <= sets(lay_out(change(addresses=(replace(HERE, port="t1"),))))


def test_all_that_are_refused_the_same_have_one_chain_and_it_spares_what_repairs():
    two, way = replace(HERE, ip=ip_address("10.77.1.2")), FlowRule(True, ip_network("10.77.0.1"), 17, (5683, 5683))
    everything = FlowRule(True, ip_network("0.0.0.0/0"))
    laid = [
        lay_out(change(addresses=(one,), denied=frozenset({everything}), repair=frozenset(spared)))
        for one, spared in ((HERE, {way}), (two, {way}), (HERE, ()))
    ]
    (one,), (other,), (less,) = (one.chains for one in laid)
    assert one.name == other.name != less.name
    assert one.entry.key == HERE.ip.packed
    assert other.entry.key == two.ip.packed
    assert (len(one.spared), len(less.spared)) == (1, 0)


@pytest.mark.parametrize(
    ("refusal", "crosses"),
    [
        (MDNS, False),
        (FlowRule(True, ip_network("0.0.0.0/0")), False),
        (FlowRule(True, ip_network("224.0.0.0/4"), 17, (5000, 6000)), False),
        (replace(MDNS, thing_ports=(5353, 5353)), False),
        (replace(MDNS, outbound=False), True),
        (replace(MDNS, protocol=6), True),
        (replace(MDNS, remote_ports=(1900, 1900)), True),
        (replace(MDNS, remote=ip_network("239.255.255.250")), True),
        (FlowRule(True, ip_network("ff00::/8")), True),
    ],
)
def test_multicast_that_is_denied_crosses_no_bridge_whatever_allows_it(refusal, crosses):
    laid = lay_out(change(MDNS, denied=frozenset({refusal})))
    assert ("multicast4" in sets(laid)) is crosses


def test_where_there_is_no_link_layer_nothing_is_bound_on_a_bridge():
    laid = lay_out(change(MDNS, addresses=(replace(HERE, mac=bytes(6)),)))
    assert not {"pair4", "multicast4"} & sets(laid)


@pytest.mark.parametrize(
    "rule",
    [
        replace(MDNS, outbound=False),
        replace(MDNS, protocol=6),
        replace(MDNS, remote_ports=(5353, 5354)),
        FlowRule(True, ip_network("224.0.0.0/4"), 17, (5353, 5353)),
        WEB,
    ],
)
def test_only_one_group_and_port_that_a_thing_sends_to_crosses_the_bridge(rule):
    assert "multicast4" in sets(lay_out(change(MDNS)))
    assert "multicast4" not in sets(lay_out(change(rule)))


def test_of_lifetimes_of_one_place_the_longest_counts():
    laid = lay_out(change(NAMED, replace(WEB, lifetime=90)))
    assert [element.lifetime for element in laid.elements if element.set == "out4"] == [90]
    assert [element.lifetime for element in lay_out(change(NAMED, WEB)).elements if element.set == "out4"] == [None]


def test_a_range_at_a_name_asks_a_set_that_runs_out_and_its_chain_stays_when_the_lifetime_changes():
    first, later = (lay_out(change(replace(RANGE, lifetime=seconds))) for seconds in (60, 90))
    assert "named_out4" in sets(first)
    assert first.chains == later.chains


def test_a_lifetime_of_more_than_one_host_is_refused():
    with pytest.raises(UnsupportedError, match="one host"):
        lay_out(change(FlowRule(True, ip_network("198.51.100.0/24"), 6, (443, 443), lifetime=60)))


def test_places_that_are_asked_for_their_counters_are_those_that_are_made():
    made = change(WEB, RANGE, denied=frozenset({replace(WEB, remote_ports=(80, 80))}))
    places = [(rule, refusal, place.set) for rule, refusal, place in exact_places(made)]
    assert places == [(WEB, False, "out4"), (replace(WEB, remote_ports=(80, 80)), True, "no_out4")]
    assert {place for _, _, place in exact_places(made)} <= lay_out(made).elements


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (change(WEB), change()),
        (change(WEB), replace(change(WEB), rules=None)),
        (change(WEB), change(WEB, barred=True)),
        (change(WEB), change(WEB, denied=frozenset({WEB}))),
        (change(learning=True), change()),
        (change(addresses=(HERE, SIX)), change()),
        (change(NAMED), change()),
        (change(named=frozenset({"cloud"})), change()),
        (change(NAMED, named=frozenset({"cloud", "other"})), change(NAMED, named=frozenset({"other"}))),
        (change(NAMED), change(replace(NAMED, remote_ports=(80, 80)))),
        (change(RANGE), change(replace(RANGE, remote_ports=(1000, 1999)))),
    ],
)
def test_what_takes_something_away_ends_flows(before, after):
    assert narrows(before, after) is True


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (change(WEB), change(WEB)),
        (change(WEB), change(WEB, RANGE)),
        (change(WEB, barred=True), change(WEB)),
        (change(WEB, denied=frozenset({RANGE})), change(WEB)),
        (change(WEB), change(WEB, learning=True)),
        (change(WEB), change(WEB, rate=RateLimit(1, 1, 1))),
        (change(NAMED), change(replace(NAMED, lifetime=5))),
        (change(NAMED), change(WEB)),
        (change(named=frozenset({"cloud"})), change(named=frozenset({"cloud", "other"}))),
        (change(NAMED), change(replace(NAMED, remote=ip_network("198.51.100.9")))),
    ],
)
def test_what_takes_nothing_away_ends_none(before, after):
    assert narrows(before, after) is False


def test_what_ran_out_by_itself_was_not_taken_away():
    assert narrows(change(NAMED), change(), elapsed=59) is True
    assert narrows(change(NAMED), change(), elapsed=60) is False
    assert narrows(change(WEB), change(), elapsed=60) is True
