"""Whatever the network does: what is confirmable is answered, nothing is carried out twice, and memory stays flat."""

import sys

import pytest

from tests.properties.storm import KINDS, Storm, Weather


@pytest.mark.slow
@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 7252 4.2")
@pytest.mark.spec("RFC 7252 4.5")
@pytest.mark.spec("RFC 8613 7.4")
@pytest.mark.parametrize(
    ("seed", "exchanges"),
    [(7252, 6_000), (9175, 6_000), pytest.param(8613, 100_000, marks=pytest.mark.full)],
)
def test_exchanges_in_a_storm_are_answered_once_and_held_by_no_one_after(seed, exchanges):
    storm = Storm(seed=seed, clients=64, weather=Weather())
    tally = storm.tally
    held = []
    for part in (exchanges // 2, exchanges - exchanges // 2):
        storm.run(part)
        held.append(sys.getallocatedblocks() - len(tally.carried_out))
    assert sum(tally.asked.values()) == exchanges
    for kind in KINDS:
        # What is not confirmable may be lost, and is then told to be; what is confirmable may not.
        lost = 0 if kind.is_confirmable else tally.given_up[kind.name]
        assert tally.answered[kind.name] + lost == tally.asked[kind.name]
    assert max(tally.carried_out.values()) == 1
    assert tally.mixed_up == 0
    assert tally.datagrams > 2 * exchanges
    assert held[1] < 1.1 * held[0]
