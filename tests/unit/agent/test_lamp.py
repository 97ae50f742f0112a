"""A lamp in memory."""

from thingstead.agent.lamp import SimulatedLamp


def test_it_starts_dark():
    assert not SimulatedLamp().is_on()


def test_it_stands_as_it_was_told_last_and_counts_what_it_was_told():
    lamp = SimulatedLamp()
    for on in (True, True, False):
        lamp.switch(on)
    assert (lamp.is_on(), lamp.switched) == (False, 3)


def test_its_level_stays_through_on_and_off():
    lamp = SimulatedLamp()
    assert lamp.level() == 100
    lamp.dim(30)
    lamp.switch(on=True)
    assert lamp.level() == 30
