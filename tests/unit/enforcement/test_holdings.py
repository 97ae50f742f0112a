from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from thingstead.domain.network import FlowRule, NetworkChange, ThingAddress
from thingstead.enforcement.holdings import Holdings
from thingstead.enforcement.layout import lay_out
from thingstead.errors import PolicyError
from thingstead.identifier import ThingId

ONE, TWO = ThingId("thing-aaaaaaaaaaaaaaaa"), ThingId("thing-bbbbbbbbbbbbbbbb")
HERE, THERE = (ThingAddress(b"\2\0\0\0\0\1", ip_address(f"10.77.1.{number}")) for number in (1, 2))
EVERYTHING = frozenset({FlowRule(True, ip_network("0.0.0.0/0"))})


def refused(thing, *addresses):
    return lay_out(NetworkChange(thing, addresses, frozenset(), denied=EVERYTHING))


def holding(*layouts):
    made = Holdings()
    for one in layouts:
        made.take(None, one)
    return made


@pytest.mark.requirement("R-34")
def test_an_address_of_a_thing_with_rules_is_no_other_s():
    change = NetworkChange(TWO, (HERE, THERE), frozenset())
    with pytest.raises(PolicyError, match="addresses of its own"):
        list(holding(refused(ONE, HERE)).at_addresses_of(change))


def test_an_address_that_only_a_bar_remembers_is_free():
    barred = lay_out(NetworkChange(ONE, (HERE,), None, barred=True))
    assert list(holding(barred).at_addresses_of(NetworkChange(TWO, (HERE,), frozenset()))) == [barred]


def test_a_bar_does_not_strike_who_has_the_address_by_now():
    bar = NetworkChange(TWO, (HERE, THERE), None, barred=True)
    assert holding(refused(ONE, HERE)).without_others(bar).addresses == (THERE,)
    rules = replace(bar, rules=frozenset())
    assert holding(refused(ONE, HERE)).without_others(rules) is rules


def test_a_chain_is_made_for_the_first_and_goes_with_the_last_that_has_it():
    one, two, both = refused(ONE, HERE), refused(TWO, THERE), refused(ONE, HERE, THERE)
    assert len(holding().difference(None, one).made) == 1
    assert holding(one).difference(None, two).made == ()
    nothing = lay_out(NetworkChange(ONE, (), None))
    assert holding(one, two).difference(one, nothing).dropped == ()
    assert len(holding(both).difference(both, nothing).dropped) == 1
    assert holding(both).difference(both, one).dropped == ()


def test_what_was_taken_back_was_never_held():
    held, one = holding(), refused(ONE, HERE)
    held.take(None, one)
    held.take(one, None)
    assert held.layouts() == ()
    assert held.of(ONE) is None
    assert len(held.difference(None, one).made) == 1
    assert list(held.at_addresses_of(NetworkChange(TWO, (HERE,), frozenset()))) == []
