"""From a scenario and a seed to the whole script, before anything is sent: the same seed, the same script."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

from thingstead.errors import ConfigError
from thingstead.simulator.lab.cast import OUTSIDE, Cast, Character
from thingstead.simulator.lab.habit import live
from thingstead.simulator.lab.pattern.pattern import Setting
from thingstead.simulator.lab.scenario import Attack, Scenario
from thingstead.simulator.lab.script import Step

__all__ = ["plot"]

_MOST_ACTS = 100_000
"""Of all patterns together: a file has room for a thousand, each within its own bound."""


def plot(scenario: Scenario, cast: Cast, *, seed: int) -> tuple[Step, ...]:
    """Everything that everybody does, in the order of time.

    Chance is dealt out by name, so that a thing more changes nothing about what the others do.

    Raises:
        ConfigError: the patterns do too much, or one needs somebody who is not there.
    """
    numbers = count()
    steps = [*_ordinary(scenario, cast, seed, numbers), *_bad(scenario, cast, seed, numbers)]
    return tuple(sorted(steps, key=lambda step: (step.at, step.number)))


def _ordinary(scenario: Scenario, cast: Cast, seed: int, numbers: Iterator[int]) -> Iterator[Step]:
    silent = {attack.by: scenario.warm_up + attack.at for attack in scenario.attacks if attack.pattern.silences}
    silent |= dict.fromkeys(scenario.asleep, scenario.warm_up)
    for one in cast.things:
        chance = _chance(seed, one.name)
        for at, act in live(cast, one, chance, seconds=scenario.warm_up + scenario.seconds):
            if at < silent.get(one.name, at + 1):
                yield Step(at, next(numbers), one.name, act)


def _bad(scenario: Scenario, cast: Cast, seed: int, numbers: Iterator[int]) -> Iterator[Step]:
    end, done = scenario.warm_up + scenario.seconds, count(1)
    for place, attack in enumerate(scenario.attacks):
        one = _who(cast, attack)
        setting = Setting.of(cast, one, _chance(seed, f"{place} {attack.pattern.name}"))
        for at, act in attack.pattern.acts(setting):
            if next(done) > _MOST_ACTS:
                raise ConfigError(f"{scenario.name}: expected patterns of at most {_MOST_ACTS} acts in all")
            when = scenario.warm_up + attack.at + at
            if when < end:
                yield Step(when, next(numbers), one.name, act, attack.pattern.name)


def _who(cast: Cast, attack: Attack) -> Character:
    if attack.by == OUTSIDE:
        return Character(OUTSIDE, OUTSIDE, cast.gateway.mac, cast.attacker, None)
    return cast.named(attack.by)


def _chance(seed: int, what: str) -> Random:
    return Random(f"{seed} {what}")  # noqa: S311  the same seed, the same script
