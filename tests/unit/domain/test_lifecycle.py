import itertools

import pytest

from tests.traceability import lifecycle_page
from thingstead.domain.lifecycle import (
    FIRST_STATES,
    RESTRICTIONS,
    TRANSITIONS,
    Cause,
    LifecycleState,
    Restriction,
    advance,
    restrict,
)
from thingstead.errors import TransitionError

_UNDECLARED = sorted(set(itertools.product(LifecycleState, Cause)) - set(TRANSITIONS))
_ENDED = (LifecycleState.DECOMMISSIONED, LifecycleState.RE_OWNED)


@pytest.mark.requirement("R-01")
@pytest.mark.spec("RFC 8576 2")
@pytest.mark.parametrize(("state", "cause"), _UNDECLARED, ids=lambda value: value.value)
def test_a_transition_that_is_not_in_the_table_is_refused(state, cause):
    with pytest.raises(TransitionError, match=f"a thing that is {state} takes"):
        advance(state, cause)


@pytest.mark.requirement("R-01")
@pytest.mark.parametrize(("state", "cause"), sorted(TRANSITIONS), ids=lambda value: value.value)
def test_a_declared_transition_leads_where_the_table_says(state, cause):
    assert advance(state, cause) is TRANSITIONS[state, cause]


@pytest.mark.requirement("R-01")
def test_every_state_is_reached_from_the_first_ones_and_every_cause_is_used():
    reached = set(FIRST_STATES)
    for _ in LifecycleState:
        reached |= {following for (state, _), following in TRANSITIONS.items() if state in reached}
    assert reached == set(LifecycleState)
    assert {cause for _, cause in TRANSITIONS} == set(Cause)


def test_after_a_hand_over_only_a_whole_new_join_leads_to_operational():
    assert {cause for state, cause in TRANSITIONS if state is LifecycleState.RE_OWNED} == {Cause.INSTALLED}
    ways_in = {state for (state, _), following in TRANSITIONS.items() if following is LifecycleState.OPERATIONAL}
    assert ways_in == {LifecycleState.BOOTSTRAPPING, LifecycleState.RE_BOOTSTRAPPING, LifecycleState.MAINTENANCE}


@pytest.mark.requirement("R-77")
def test_what_nobody_mends_joins_again_and_stays_what_it_is_until_it_is_adopted():
    ways_out = {cause for (state, cause), to in TRANSITIONS.items() if state is LifecycleState.END_OF_LIFE is not to}
    assert advance(LifecycleState.END_OF_LIFE, Cause.JOINED) is LifecycleState.END_OF_LIFE
    assert ways_out == {Cause.SUPPORT_ADOPTED, Cause.RETIRED, Cause.HANDED_OVER}


@pytest.mark.parametrize("state", _ENDED)
@pytest.mark.parametrize("wanted", Restriction)
def test_what_has_left_the_domain_takes_no_restriction(state, wanted):
    with pytest.raises(TransitionError, match="nothing left to restrict"):
        restrict(state, Restriction.NONE, wanted)


@pytest.mark.parametrize("current", Restriction)
def test_a_restriction_that_holds_already_is_not_given_again(current):
    with pytest.raises(TransitionError, match="does not change"):
        restrict(LifecycleState.OPERATIONAL, current, current)


@pytest.mark.parametrize(("current", "wanted"), sorted(RESTRICTIONS))
@pytest.mark.parametrize("state", sorted(set(LifecycleState) - set(_ENDED)))
def test_a_restriction_may_come_and_go_while_a_thing_is_here(state, current, wanted):
    assert restrict(state, current, wanted) is wanted


def test_the_page_of_the_lifecycle_is_what_the_tables_say(pytestconfig):
    page = pytestconfig.rootpath / "docs" / "reference" / "lifecycle.md"
    assert page.read_text() == lifecycle_page(), "run `make docs-release`"
