"""The same seed gives the same script, whole; another seed, or another thing, does not change what it need not."""

from dataclasses import replace

import pytest

from tests.unit.simulator.lab.people import cast
from thingstead.errors import ConfigError
from thingstead.simulator.lab.habit import allowed
from thingstead.simulator.lab.pattern import flood
from thingstead.simulator.lab.pattern.pattern import patterns
from thingstead.simulator.lab.plot import plot
from thingstead.simulator.lab.scenario import Attack, Scenario
from thingstead.simulator.lab.script import document


def scenario(*attacks):
    return Scenario(
        name="mine", summary="", spec="", rules=True, warm_up=60, seconds=600, things={}, attacks=attacks, found_by=()
    )  # fmt: skip


def attack(name, by="camera-1"):
    return Attack(by, 5.0, patterns()[name](), (by,))


def test_another_seed_is_another_script():
    one, two = (document(plot(scenario(attack("sweep")), cast(), seed=seed)) for seed in (1, 2))
    assert one != two


def test_steps_come_in_the_order_of_time():
    times = [step.at for step in plot(scenario(attack("flood"), attack("arp", "hub-1")), cast(), seed=1)]
    assert times == sorted(times)


def test_an_attack_changes_nothing_about_ordinary_life():
    quiet = [step.act for step in plot(scenario(), cast(), seed=3)]
    assert [step.act for step in plot(scenario(attack("beacon")), cast(), seed=3) if not step.pattern] == quiet


def test_nothing_bad_is_done_before_the_warm_up_is_over_nor_after_the_end():
    bad = [step.at for step in plot(scenario(attack("beacon")), cast(), seed=1) if step.pattern]
    assert min(bad) >= 65.0
    assert max(bad) < 660.0


def test_another_thing_changes_nothing_about_the_others():
    those = cast()
    fewer = replace(those, things=those.things[:-1])
    left = [step.act for step in plot(scenario(), those, seed=3) if step.who != those.things[-1].name]
    assert [step.act for step in plot(scenario(), fewer, seed=3)] == left


def test_habits_need_four_rules():
    those = cast()
    assert len(allowed(those, those.things[0])) == 4


def test_who_is_jammed_or_asleep_is_not_heard_any_more_and_the_others_are():
    jammed = replace(scenario(attack("jam")), asleep=("hub-1",))
    late = {step.who for step in plot(jammed, cast(), seed=1) if step.at > 65.0}
    assert {"camera-1", "hub-1"} & late == set()
    assert {"lamp-1", "plug-1"} <= late


def test_patterns_that_are_too_much_together_are_refused():
    many = replace(attack("flood"), pattern=flood.Bad(packets=20_000, every=60.0, size=1))
    with pytest.raises(ConfigError, match="mine: expected patterns of at most 100000 acts in all"):
        plot(scenario(*[many] * 6), cast(), seed=1)
