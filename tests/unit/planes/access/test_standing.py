"""What each thing may do now; the authorization server's own tests show the rest of it."""

from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.planes.access.standing import AccessStanding, Standings
from thingstead.protocols.ace.aif import Permission, Scope

ONE, TWO = a_thing(1).id, a_thing(2).id
SCOPE = Scope({"/senml": Permission.POST})


def standing(recipient_id=b"abc", *, suspended=False):
    scope = Scope({"/senml": Permission.POST})
    return AccessStanding(scope, AT + timedelta(seconds=5), b"cti", recipient_id, 0, suspended)


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("end", ["drop", "suspend"])
def test_who_is_dropped_or_suspended_may_do_nothing(end):
    standings = Standings(JumpingClock())
    standings.keep(ONE, standing())
    assert standings.scope_of(ONE) == SCOPE
    getattr(standings, end)(ONE)
    getattr(standings, end)(TWO)
    assert standings.scope_of(ONE) is None


def test_whose_token_has_ended_may_do_nothing():
    clock = JumpingClock()
    standings = Standings(clock)
    standings.keep(ONE, standing())
    clock.seconds = 5.0
    assert standings.scope_of(ONE) is None


def test_things_of_one_rule_have_one_scope_in_memory():
    standings = Standings(JumpingClock())
    for thing in (ONE, TWO):
        standings.keep(thing, standing())
    assert standings.all[ONE].scope is standings.all[TWO].scope


def test_no_recipient_id_is_given_twice_and_one_that_is_free_again_is():
    standings = Standings(JumpingClock())
    standings.keep(ONE, standing(b"abc"))
    asked = iter([b"abc", b"xyz", b"abc"])
    assert standings.free_recipient_id(lambda _size: next(asked)) == b"xyz"
    standings.keep(ONE, standing(b"new"))
    assert standings.free_recipient_id(lambda _size: next(asked)) == b"abc"
    standings.drop(ONE)
    assert standings.free_recipient_id(lambda _size: b"new") == b"new"
