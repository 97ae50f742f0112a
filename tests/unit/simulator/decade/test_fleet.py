import random
from collections import Counter

import pytest

from thingstead.simulator.decade.fleet import Rhythm, fleet


@pytest.mark.parametrize("size", [10, 100, 1000])
def test_a_fifth_are_sleepers_and_somebody_is_always_on(size):
    rhythms = Counter(one.rhythm for one in fleet(size, random.Random(1)))
    assert rhythms[Rhythm.SLEEPER] == size // 5
    assert rhythms[Rhythm.STEADY] >= 1
    assert rhythms.total() == size


def test_the_same_seed_makes_the_same_things_and_another_others():
    assert fleet(50, random.Random(1)) == fleet(50, random.Random(1))
    assert fleet(50, random.Random(1)) != fleet(50, random.Random(2))


def test_no_two_things_have_one_serial_number():
    serials = [one.serial for one in fleet(1000, random.Random(1))]
    assert len(set(serials)) == 1000


@pytest.mark.parametrize("rhythm", list(Rhythm))
def test_who_sleeps_longer_is_away_longer(rhythm):
    one = next(one for one in fleet(100, random.Random(1)) if one.rhythm is rhythm)
    days = [one.away(random.Random(seed)) for seed in range(50)]
    least = {Rhythm.STEADY: 22, Rhythm.SEASONAL: 90, Rhythm.SLEEPER: 300}
    assert min(days) >= least[rhythm]
    assert max(days) <= 3 * least[rhythm]
