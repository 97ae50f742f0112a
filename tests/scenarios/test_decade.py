"""Ten years with few things: nobody is stranded, nobody who left is back, and the same seed tells the same story."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from thingstead.agent.membership import Membership
from thingstead.simulator.decade.play import play_decade, play_wink

pytestmark = [pytest.mark.requirement("R-74"), pytest.mark.slow]

SOURCE = Path(__file__).resolve().parents[2] / "src"


def quiet(_line):
    pass


def test_in_ten_years_nobody_is_stranded_and_nobody_who_left_is_back():
    tale = play_decade(seed=1, things=12, tell=quiet)
    assert [*tale.stranded, *tale.back] == []
    story = "\n".join(tale.lines)
    for happened in ("retired while they are off", "are sold by home", "keep their rules", "bankrupt", "burns down"):
        assert happened in story
    assert sum(line.startswith("year") for line in tale.lines) == 10


def test_a_thing_that_forgets_its_domain_is_named_as_stranded(monkeypatch):
    monkeypatch.setattr(Membership, "former_domain", lambda _self: None)
    tale = play_wink(seed=1, things=10, tell=quiet)
    assert not tale.is_good
    assert all("voucher" in one.why for one in tale.stranded)


def test_on_the_wrong_day_all_are_served_again_where_things_that_go_by_dates_are_not():
    tale = play_wink(seed=1, things=12, tell=quiet)
    assert tale.is_good
    compared, ours = (line for line in tale.lines if "the power is back" in line)
    assert "stranded for good" in compared
    assert " 0 are stranded" not in compared
    assert "12 of 12 are served" in ours
    assert any("the calendar says: signer of MUD file" in line for line in tale.lines)


@pytest.mark.full
def test_in_ten_years_of_a_thousand_things_nobody_is_stranded_and_nobody_who_left_is_back():
    tale = play_decade(seed=7, things=1000, tell=quiet)
    assert [*tale.stranded, *tale.back] == []


@pytest.mark.full
def test_the_same_seed_tells_the_same_story_whatever_order_hashes_have():
    def digest(hash_seed):
        code = (
            "from thingstead.simulator.decade.play import play_wink as p; print(p(seed=3, things=10, tell=len).digest)"
        )
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONHASHSEED": hash_seed}
        ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return ran.stdout

    assert digest("1") == digest("2")
