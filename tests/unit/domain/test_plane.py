import itertools

import pytest

from tests.unit.domain.things import a_thing
from thingstead.domain.lifecycle import TRANSITIONS, LifecycleState, Restriction
from thingstead.domain.plane import OBLIGATIONS, Demand, PlaneName, demands

_S = LifecycleState
_Place = tuple[LifecycleState, Restriction]


def _step(before: _Place, after: _Place) -> dict[PlaneName, Demand]:
    thing = a_thing(state=before[0], restriction=before[1])
    return demands(thing, thing.evolve(state=after[0], restriction=after[1]))


def test_every_state_and_restriction_has_a_row_with_every_plane():
    assert set(OBLIGATIONS) == set(itertools.product(LifecycleState, Restriction))
    assert all(set(row) == set(PlaneName) for row in OBLIGATIONS.values())


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("restriction", Restriction)
@pytest.mark.parametrize("state", [_S.DECOMMISSIONED, _S.RE_OWNED])
def test_every_plane_withdraws_what_has_left(state, restriction):
    assert set(OBLIGATIONS[state, restriction].values()) == {Demand.WITHDRAW}


@pytest.mark.parametrize("state", sorted(set(LifecycleState) - {_S.DECOMMISSIONED, _S.RE_OWNED}))
def test_every_plane_restricts_what_is_quarantined(state):
    assert set(OBLIGATIONS[state, Restriction.QUARANTINED].values()) == {Demand.RESTRICT}


@pytest.mark.requirement("R-77")
def test_a_join_asks_every_plane_also_where_the_state_stays():
    aged = a_thing(state=_S.END_OF_LIFE)
    assert demands(aged, aged.evolve()) == {}
    asked = demands(aged, aged.evolve(), has_joined=True)
    assert asked == OBLIGATIONS[_S.END_OF_LIFE, Restriction.NONE]
    assert asked[PlaneName.NETWORK] is Demand.RESTRICT


@pytest.mark.requirement("R-04")
@pytest.mark.parametrize("restriction", [Restriction.NONE, Restriction.HELD])
@pytest.mark.parametrize("state", [_S.MANUFACTURED, _S.SHELF, _S.INSTALLED, _S.BOOTSTRAPPING])
def test_no_plane_admits_before_the_join_is_done(state, restriction):
    assert set(OBLIGATIONS[state, restriction].values()) == {None}


@pytest.mark.requirement("R-04")
@pytest.mark.parametrize("state", [_S.SHELF, _S.INSTALLED, _S.BOOTSTRAPPING])
def test_no_plane_is_asked_for_anything_on_the_way_to_a_join(state):
    assert _step((_S.MANUFACTURED, Restriction.NONE), (state, Restriction.NONE)) == {}
    assert _step((_S.RE_OWNED, Restriction.NONE), (state, Restriction.NONE)) == {}


def test_a_held_thing_is_never_admitted_to_more_than_a_free_one():
    for state in LifecycleState:
        free, held = OBLIGATIONS[state, Restriction.NONE], OBLIGATIONS[state, Restriction.HELD]
        assert {p for p in PlaneName if held[p] is Demand.ADMIT} <= {p for p in PlaneName if free[p] is Demand.ADMIT}


def test_a_join_asks_all_six_planes_to_admit():
    assert _step((_S.BOOTSTRAPPING, Restriction.NONE), (_S.OPERATIONAL, Restriction.NONE)) == dict.fromkeys(
        PlaneName, Demand.ADMIT
    )


def test_a_retirement_asks_all_six_planes_to_withdraw_from_every_state_it_starts_in():
    for (state, _), following in TRANSITIONS.items():
        if following is _S.DECOMMISSIONED:
            for restriction in Restriction:
                assert _step((state, restriction), (following, restriction)) == dict.fromkeys(
                    PlaneName, Demand.WITHDRAW
                )


def test_maintenance_asks_nothing_again_of_planes_that_admit_already():
    assert _step((_S.OPERATIONAL, Restriction.NONE), (_S.MAINTENANCE, Restriction.NONE)) == {}


def test_a_tighter_restriction_is_asked_again_of_planes_that_restrict_already():
    assert _step((_S.OPERATIONAL, Restriction.HELD), (_S.OPERATIONAL, Restriction.QUARANTINED)) == dict.fromkeys(
        PlaneName, Demand.RESTRICT
    )
