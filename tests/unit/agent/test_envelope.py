"""Who may command may not break: neither beyond what is declared safe, nor more often."""

import pytest

from thingstead.agent.envelope import Envelope, GuardedActuator
from thingstead.agent.lamp import SimulatedLamp
from thingstead.errors import ConfigError, PolicyError
from thingstead.protocols.ace.aif import Bounds

pytestmark = pytest.mark.requirement("R-16")


class Lamp:
    def __init__(self, **envelope):
        self.lamp = SimulatedLamp()
        self.guarded = GuardedActuator(self.lamp, Envelope(**envelope))

    def toggles(self, *times):
        """Which of these changes of state are taken."""
        taken, refused = [], []
        for now in times:
            try:
                self.guarded.switch(not self.lamp.is_on(), now)
                taken.append(now)
            except PolicyError as error:
                refused.append(error.reason)
        assert set(refused) <= {"rate"}
        return taken


def test_no_minute_has_more_changes_than_are_safe():
    lamp = Lamp(changes_per_minute=3)
    assert lamp.toggles(0.0, 1.0, 2.0, 3.0, 59.9, 60.0, 60.5, 61.0, 61.5) == [0.0, 1.0, 2.0, 60.0, 61.0]


def test_what_changes_nothing_counts_for_nothing():
    lamp = Lamp(changes_per_minute=1)
    for now in range(5):
        lamp.guarded.switch(on=False, now=float(now))
        lamp.guarded.dim(100, float(now))
    lamp.guarded.switch(on=True, now=5.0)
    assert lamp.guarded.is_on()


def test_levels_and_switching_share_one_rate():
    lamp = Lamp(changes_per_minute=2)
    lamp.guarded.dim(50, 0.0)
    lamp.guarded.switch(on=True, now=1.0)
    with pytest.raises(PolicyError):
        lamp.guarded.dim(60, 2.0)
    assert lamp.guarded.level() == 50


@pytest.mark.parametrize("level", [19, 91, -5, 101])
def test_a_level_outside_what_is_safe_moves_nothing_and_costs_no_change(level):
    lamp = Lamp(lowest=20, highest=90, changes_per_minute=1)
    with pytest.raises(PolicyError) as caught:
        lamp.guarded.dim(level, 0.0)
    assert caught.value.reason == "range"
    lamp.guarded.dim(90, 0.0)
    assert lamp.guarded.level() == 90


@pytest.mark.parametrize(
    "bounds",
    [{"lowest": -1}, {"highest": 101}, {"lowest": 60, "highest": 50}, {"changes_per_minute": 0}],
)
def test_an_envelope_that_holds_nothing_is_no_setting(bounds):
    with pytest.raises(ConfigError):
        Envelope(**bounds)


@pytest.mark.spec("RFC 9237 2")
@pytest.mark.parametrize(
    ("bounds", "taken"),
    [
        (Bounds(), range(20, 91)),
        (Bounds(30, 60), range(30, 61)),
        (Bounds(0, 100), range(20, 91)),
        (Bounds(lowest=50), range(50, 91)),
        (Bounds(highest=50), range(20, 51)),
        (Bounds(95, 99), range(0)),
    ],
)
def test_a_level_is_held_to_the_tighter_of_token_and_envelope(bounds, taken):
    lamp = Lamp(lowest=20, highest=90, changes_per_minute=6000)
    for level in range(-1, 102):
        if level in taken:
            lamp.guarded.dim(level, 0.0, by="switch", bounds=bounds)
        else:
            with pytest.raises(PolicyError) as caught:
                lamp.guarded.dim(level, 0.0, by="switch", bounds=bounds)
            assert caught.value.reason == "range"


def _presses(lamp, by, most, count=6, start=0.0):
    """How many of so many changes are taken, one a second."""
    taken, refused = 0, set()
    for second in range(count):
        try:
            lamp.guarded.switch(not lamp.lamp.is_on(), start + second, by=by, bounds=Bounds(changes_per_minute=most))
            taken += 1
        except PolicyError as error:
            refused.add(error.reason)
    assert refused <= {"rate"}
    return taken


@pytest.mark.spec("RFC 9237 2")
@pytest.mark.parametrize(("most", "envelope", "taken"), [(0, 9, 0), (2, 9, 2), (9, 2, 2), (9, 9, 6)])
def test_a_rate_is_the_tighter_of_token_and_envelope(most, envelope, taken):
    assert _presses(Lamp(changes_per_minute=envelope), "switch", most) == taken


def test_each_holder_has_its_own_rate_and_a_minute_gives_it_back():
    lamp = Lamp(changes_per_minute=100)
    assert _presses(lamp, "switch", 2) == 2
    assert _presses(lamp, "other", 3) == 3
    assert _presses(lamp, "switch", 2, start=10.0) == 0
    assert _presses(lamp, "switch", 2, start=65.0) == 2


def test_what_a_token_refuses_does_not_count_against_the_lamp():
    lamp = Lamp(changes_per_minute=3)
    assert _presses(lamp, "switch", 1) == 1
    assert _presses(lamp, "other", 9) == 2


def test_nobody_begins_anew_by_the_number_of_others():
    lamp = Lamp(changes_per_minute=6000)
    for number in range(200):
        _presses(lamp, number, 1, count=1)
    assert _presses(lamp, 0, 1, start=1.0) == 0
    assert len(lamp.guarded._changes_of) <= 256
