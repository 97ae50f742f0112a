"""Who may command may not break: neither beyond what is declared safe, nor more often."""

import pytest

from thingstead.agent.envelope import Envelope, GuardedActuator
from thingstead.agent.lamp import SimulatedLamp
from thingstead.errors import ConfigError, PolicyError

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
