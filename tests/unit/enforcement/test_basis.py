import dataclasses
from ipaddress import ip_address, ip_network

import pytest

from tests.unit.enforcement.observed import observed
from thingstead.domain.network import NO_MAC, FlowRule, NetworkChange, ThingAddress
from thingstead.enforcement.basis import bases, basis_of, is_basis
from thingstead.enforcement.layout import lay_out, without_basis
from thingstead.enforcement.table import Element, Table
from thingstead.enforcement.transaction import difference, transaction
from thingstead.identifier import ThingId

WEB = FlowRule(True, ip_network("198.51.100.2/32"), 6, (443, 443))
NAME = FlowRule(True, ip_network("198.51.100.3/32"), 6, (443, 443), lifetime=60)
PLACES = (ThingAddress(NO_MAC, ip_address("10.77.1.1")), ThingAddress(NO_MAC, ip_address("fd77::1")))
CHANGE = NetworkChange(ThingId("thing-aaaaaaaaaaaaaaaa"), PLACES, frozenset({WEB, NAME}))


def word(**changed):
    (told,) = {one.comment for one in basis_of(dataclasses.replace(CHANGE, **changed))}
    return told


def rules(*some):
    return {"rules": frozenset(some)}


def test_each_address_has_the_word_of_the_things_rules():
    assert bases(basis_of(CHANGE)) == {one.ip.packed: word() for one in PLACES}


@pytest.mark.parametrize(
    "changed",
    [
        rules(NAME),
        rules(WEB),
        rules(dataclasses.replace(WEB, remote=ip_network("198.51.100.0/24")), NAME),
        rules(dataclasses.replace(WEB, remote_ports=(80, 80)), NAME),
        rules(dataclasses.replace(WEB, outbound=False), NAME),
        rules(WEB, dataclasses.replace(NAME, protocol=17)),
        rules(WEB, dataclasses.replace(NAME, remote=ip_network("2001:db8::1"))),
        {"denied": frozenset({WEB})},
        {"learning": True},
        {"named": frozenset({"cloud"})},
    ],
)
def test_no_two_sets_of_rules_have_one_word(changed):
    assert word(**changed) != word()


@pytest.mark.spec("RFC 9726 5")
@pytest.mark.parametrize(
    "name", [dataclasses.replace(NAME, lifetime=1), dataclasses.replace(NAME, remote=ip_network("198.51.100.9"))]
)
def test_a_name_whose_address_changes_is_the_same_rule(name):
    assert word(**rules(WEB, name)) == word()


def test_the_order_of_rules_says_nothing():
    some = [dataclasses.replace(WEB, remote_ports=(port, port)) for port in range(50)]
    assert word(**rules(*some)) == word(**rules(*reversed(some)))


def test_whoever_is_nobody_has_no_flow_that_could_rest_on_anything():
    assert not list(basis_of(dataclasses.replace(CHANGE, rules=None)))


@pytest.mark.parametrize("rules", [None, frozenset({WEB})])
def test_flows_of_who_is_barred_rest_on_nothing_else(rules):
    assert word(rules=rules, barred=True) == word(rules=frozenset(), barred=True) != word(rules=frozenset())


def test_it_can_be_left_out_and_taken_away_before_it_came():
    layout = lay_out(CHANGE)
    left = {one for one in layout.elements if not is_basis(one)}
    assert without_basis(layout).elements == left
    nothing = lay_out(dataclasses.replace(CHANGE, rules=None))
    (adds, deletes) = transaction(Table("t"), [difference(layout, nothing, kept=frozenset(left), standing=())])[:2]
    assert word().encode() in adds.body + deletes.body


def test_no_other_element_is_one():
    assert bases([Element("thing4", b"\0" * 12), Element("out4", b"\0" * 16)]) == {}


@pytest.fixture(scope="module")
def seen(request):
    return observed(request, "altered_stage")["restart"]


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    [
        "refused meanwhile",
        "rule gone meanwhile",
        "killed before flows ended",
        "asked again",
        "killed before flows of the barred ended",
        "tables of an earlier release",
    ],
)
def test_a_flow_that_may_rest_on_other_rules_does_not_outlive_the_restart(seen, what):
    assert seen[what] is False


@pytest.mark.namespace
@pytest.mark.slow
def test_a_flow_that_rests_on_the_same_rules_goes_on(seen):
    assert seen["same rules"] is True
