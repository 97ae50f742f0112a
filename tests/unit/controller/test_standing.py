from dataclasses import replace

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.controller.standing import GONE, is_member, objection, require_welcome
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.thing import KeyRow
from thingstead.errors import UntrustedError

S = LifecycleState
KEY = bytes(32)
MEMBER = replace(a_thing(state=S.OPERATIONAL), joined_at=AT, keys=(KeyRow(KEY, "maker", AT),))


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        *[(a_thing(state=state), "retired") for state in sorted(GONE)],
        (a_thing(state=S.OPERATIONAL, restriction=Restriction.QUARANTINED), "quarantined"),
        (a_thing(state=S.INSTALLED, restriction=Restriction.HELD), "held"),
    ],
)
def test_who_left_or_is_restricted_is_not_welcome(thing, reason):
    with pytest.raises(UntrustedError) as refused:
        require_welcome(thing)
    assert refused.value.reason == reason


@pytest.mark.parametrize("state", [state for state in S if state not in GONE])
def test_nothing_is_held_against_others(state):
    assert objection(a_thing(state=state)) is None
    require_welcome(a_thing(state=state))


@pytest.mark.parametrize(
    ("changed", "thumbprint"),
    [
        ({"state": S.INSTALLED}, KEY),
        ({"state": S.RE_OWNED}, KEY),
        ({"joined_at": None}, KEY),
        ({}, bytes(31) + b"1"),
        ({"keys": (KeyRow(KEY, "maker", AT, AT),)}, KEY),
    ],
)
def test_who_is_not_in_or_proves_another_key_is_no_member(changed, thumbprint):
    assert not is_member(replace(MEMBER, **changed), thumbprint)
    assert not is_member(None, thumbprint)


@pytest.mark.parametrize("state", [S.OPERATIONAL, S.MAINTENANCE, S.RE_BOOTSTRAPPING, S.END_OF_LIFE])
def test_who_is_in_is_a_member_under_its_key_and_when_it_is_only_asked_about(state):
    assert is_member(replace(MEMBER, state=state), KEY)
    assert is_member(replace(MEMBER, state=state), b"")
