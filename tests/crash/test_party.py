"""Whichever end of an association dies, whenever: no nonce is used twice, no replay gets in, and it goes on."""

import pytest

from tests.crash.duel import Duel

_SEED = 8613


def kill(directory, *, kills, seed=_SEED):
    duel = Duel(directory, seed=seed)
    try:
        duel.go(kills)
        print(f"seed {seed}: {dict(sorted(duel.counts.items()))}; {len(duel.pairs)} (key, nonce) pairs, none twice")
        print(f"both answered again after at most {duel.slowest:.2f} s")
        assert duel.violations == []
        assert duel.counts["replayed"] > kills
        assert len(duel.pairs) > kills
    finally:
        duel.close()


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.requirement("R-15")
@pytest.mark.requirement("R-64")
@pytest.mark.spec("RFC 8613 B.1")
def test_twenty_kills_repeat_no_nonce_and_take_no_replay(tmp_path):
    kill(tmp_path, kills=20)


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.spec("RFC 8613 B.1")
def test_a_thousand_kills_repeat_no_nonce_and_take_no_replay(tmp_path):
    kill(tmp_path, kills=1000)
