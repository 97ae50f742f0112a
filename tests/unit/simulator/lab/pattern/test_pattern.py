"""Whatever pattern there is: bounded, in time, within the lab, told apart from ordinary life, and the same per seed."""

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from tests.unit.simulator.lab.people import cast
from thingstead.simulator.lab.cast import INTERNET, OUTSIDE, Character
from thingstead.simulator.lab.pattern.pattern import Setting, patterns
from thingstead.simulator.lab.plot import plot
from thingstead.simulator.lab.scenario import Attack, Scenario
from thingstead.simulator.lab.script import Datagram, Talk, document

FOLDER = Path(__file__).resolve().parents[5] / "src/thingstead/simulator/lab/pattern"


def scenario(*attacks):
    return Scenario(
        name="mine", summary="", spec="", rules=True, warm_up=60, seconds=600, things={}, attacks=attacks, found_by=()
    )


def attack(name, by="camera-1"):
    return Attack(by, 5.0, patterns()[name](), (by,))


def acts(name, one=None):
    those = cast()
    return list(patterns()[name]().acts(Setting.of(those, one or those.named("camera-1"), Random(1))))


@pytest.mark.parametrize("name", patterns())
def test_the_same_seed_is_the_same_script(name):
    those = [document(plot(scenario(attack(name)), cast(), seed=7)) for _ in range(2)]
    assert those[0] == those[1]
    assert any(row["bad"] == name for row in those[0]) is not patterns()[name].silences


@pytest.mark.parametrize("name", patterns())
def test_bad_ports_are_no_ports_of_ordinary_life(name):
    steps = plot(scenario(attack(name)), cast(), seed=1)
    ports = [(bool(step.pattern), step.act.source[1]) for step in steps if isinstance(step.act, Datagram | Talk)]
    assert all((port >= 40_000) is bad for bad, port in ports)


@pytest.mark.parametrize("name", patterns())
def test_a_pattern_never_leaves_the_lab(name):
    inside = (*INTERNET, *map(type(INTERNET[0]), ("10.77.0.0/16", "224.0.0.0/4")))
    for step in plot(scenario(attack(name)), cast(), seed=1):
        if isinstance(step.act, Datagram | Talk):
            assert any(step.act.to[0] in network for network in inside)


@pytest.mark.parametrize("name", patterns())
def test_a_pattern_goes_forward_in_time_and_ends(name):
    times = [at for at, _ in acts(name)]
    assert len(times) <= 20_000
    assert bool(times) is not patterns()[name].silences
    assert all(one <= other for one, other in pairwise(times))


@pytest.mark.parametrize("name", ["amplify", "long-header"])
def test_what_comes_from_outside_comes_from_an_address_of_the_internet(name):
    outside = Character(OUTSIDE, OUTSIDE, bytes(6), cast().attacker, None)
    assert {act.source[0] in INTERNET[1] for _, act in acts(name, outside)} == {True}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_a_pattern_is_one_small_module(path):
    assert path.stem == "pattern" or len(path.read_text().splitlines()) <= 50
