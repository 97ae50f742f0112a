"""What no rule gives nobody gets, and nobody gets more than it asked for."""

from datetime import timedelta

import pytest

from tests.unit.domain.things import a_thing
from thingstead.domain.peer_policy import PeerDecision, PeerRule, decide
from thingstead.errors import PolicyError
from thingstead.protocols.ace.aif import Scope

pytestmark = [pytest.mark.requirement("R-35"), pytest.mark.requirement("R-57")]
HOUR = timedelta(hours=1)
BOTH = Scope({"/light": 5, "/level": 1})
SWITCH = a_thing(1).evolve(model="SW-1", zone="hall")
LIGHT = a_thing(2).evolve(model="LX-1", zone="hall")


def rule(name="switches", clients=("SW-*",), servers=("LX-*",), scope=BOTH, *, same_zone=True):
    return PeerRule(name, clients, servers, scope, HOUR, same_zone)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (None, BOTH),
        (Scope({"/light": 4}), Scope({"/light": 4})),
        (Scope({"/light": 127, "/wipe": 2}), Scope({"/light": 5})),
    ],
)
def test_a_client_gets_what_the_rule_and_its_wish_have_in_common(wanted, given):
    assert decide(SWITCH, LIGHT, wanted, [rule()]) == PeerDecision("switches", given, HOUR)


def test_the_first_rule_that_names_both_decides():
    first = rule("first", scope=Scope({"/level": 1}))
    assert decide(SWITCH, LIGHT, None, [rule(clients=("X",)), first, rule()]).rule == "first"
    with pytest.raises(PolicyError):
        decide(SWITCH, LIGHT, Scope({"/light": 1}), [first, rule()])


@pytest.mark.parametrize("wanted", [Scope({"/wipe": 2}), Scope({"/light": 2}), Scope({})])
def test_who_wants_nothing_of_it_gets_nothing(wanted):
    with pytest.raises(PolicyError) as caught:
        decide(SWITCH, LIGHT, wanted, [rule()])
    assert caught.value.reason == "invalid_scope"


@pytest.mark.parametrize(
    ("client", "server", "rules"),
    [
        (SWITCH, LIGHT, []),
        (LIGHT, SWITCH, [rule()]),
        (SWITCH, LIGHT.evolve(zone="cellar"), [rule()]),
        (SWITCH.evolve(zone=""), LIGHT.evolve(zone=""), [rule()]),
        (SWITCH, LIGHT, [rule(clients=())]),
        (SWITCH, LIGHT, [rule(servers=("lx-*",))]),
        (SWITCH, SWITCH, [rule(servers=("*",))]),
    ],
)
def test_whom_no_rule_names_is_refused(client, server, rules):
    with pytest.raises(PolicyError) as caught:
        decide(client, server, None, rules)
    assert caught.value.reason == "unauthorized_client"


def test_a_rule_may_reach_across_zones():
    assert decide(SWITCH, LIGHT.evolve(zone="cellar"), None, [rule(same_zone=False)]).scope == BOTH
