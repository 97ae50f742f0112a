"""Every target of the fuzzer holds its invariant over its seeds and a few hundred changes of them, in any run."""

import random

import pytest

from tests.fuzz.target import all_targets

TARGETS = all_targets()


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_over_seeds_and_changes_of_them(name):
    target = TARGETS[name]
    chance = random.Random(name)
    for seed in target.seeds:
        target.run(seed)
    for _ in range(200):
        changed = bytearray(chance.choice(target.seeds) + chance.randbytes(chance.randrange(30)))
        for _ in range(chance.randrange(5)):
            if changed:
                changed[chance.randrange(len(changed))] = chance.randrange(256)
        target.run(bytes(changed))
