from datetime import UTC, datetime, timedelta

import pytest

from thingstead.analysis.behaviour import Behaviour, Limits
from thingstead.identifier import thing_id_from_random

pytestmark = pytest.mark.requirement("R-30")
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LAMP = thing_id_from_random(bytes(10))


def minutes(number):
    return timedelta(minutes=number)


def lived(*refused, limits=None, look=120):
    """A thing that installs 2.0 at `AT`, and whose packets are refused in these minutes from then."""
    behaviour = Behaviour(limits)
    for number in sorted(refused):
        if number >= 0:
            break
        behaviour.refused(LAMP, AT + minutes(number))
    behaviour.installed(LAMP, "2.0", AT)
    for number in sorted(refused):
        if number >= 0:
            behaviour.refused(LAMP, AT + minutes(number))
    return behaviour, behaviour.compare(AT + minutes(look))


def test_what_comes_round_since_an_update_is_told_once():
    behaviour, (change,) = lived(5, 15, 25)
    assert (change.thing, change.version, change.since, change.before, change.after) == (LAMP, "2.0", AT, 0, 3)
    assert behaviour.compare(AT + minutes(130)) == ()
    behaviour.installed(LAMP, "2.1", AT + minutes(140))
    assert behaviour.compare(AT + minutes(200)) == ()


@pytest.mark.parametrize(
    "refused",
    [
        (),
        (1,),
        (1, 1.2, 1.4, 1.6),
        (-50, -40, -30, 10, 20, 30),
        (-100, -80, -60, -40, 10, 30, 50, 70),
    ],
)
def test_a_good_update_chance_and_what_it_did_before_are_no_news(refused):
    assert lived(*refused)[1] == ()


def test_what_it_does_more_often_than_before_is_news():
    _, (change,) = lived(-30, 5, 15, 25)
    assert (change.before, change.after) == (1, 3)


def test_what_was_never_updated_and_what_was_long_ago_is_not_compared():
    behaviour = Behaviour()
    for number in range(10):
        behaviour.refused(LAMP, AT + minutes(number))
    assert behaviour.compare(AT + minutes(10)) == ()
    assert lived(2000, 2010, 2020, look=2030)[1] == ()


def test_memory_is_bounded_and_who_left_is_forgotten():
    behaviour, _ = lived(*range(50), limits=Limits(max_minutes=5, periods=6))
    assert behaviour.compare(AT + minutes(60)) == ()
    behaviour, _ = lived(5)
    behaviour.forget(LAMP)
    for number in range(10):
        behaviour.refused(LAMP, AT + minutes(number))
    assert behaviour.compare(AT + minutes(20)) == ()
