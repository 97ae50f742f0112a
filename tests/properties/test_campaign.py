"""Invariant: whatever is done to a campaign in whatever order, no stage and no zone gets more than its share, nobody
gets anything of what has ended, and every count is that of its things."""

import random

import pytest

from tests.fuzz.target import all_targets

_STEPS = all_targets()["campaign.steps"].run


@pytest.mark.requirement("R-72")
@pytest.mark.parametrize("seed", range(40))
def test_no_order_of_things_gives_more_than_a_plan_bounds(seed):
    _STEPS(random.Random(seed).randbytes(1200))


@pytest.mark.full
@pytest.mark.requirement("R-72")
@pytest.mark.parametrize("seed", range(1000, 1400))
def test_no_order_of_four_hundred_gives_more_than_a_plan_bounds(seed):
    _STEPS(random.Random(seed).randbytes(6000))
