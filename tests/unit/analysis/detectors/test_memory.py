"""What a memory gives before a restart it takes up after it; anything else is refused."""

from typing import Any

import pytest

from tests.unit.analysis.detectors.traffic import LAMP, REMOTE_IP, SCENE, STRANGER, ip
from thingstead.analysis.detectors.memory import Beats, Histories, Rate, Rates
from thingstead.errors import DecodeError

THERE = ip(REMOTE_IP)


def filled():
    histories, beats, rates = Histories(), Beats(8), Rates()
    for device in (LAMP, STRANGER):
        histories[device].since = 5.0
        histories[device].contacts["acme.example"] = [6.0, 70.0]
        beats[device, THERE, 443].append((7.25, 40_000))
        rates[device] = Rate(usual=2.5)
    return histories, beats, rates


def test_of_things_all_comes_back_and_of_strangers_nothing():
    pairs: list[tuple[Any, Any]] = [*zip(filled(), (Histories(), Beats(8), Rates()), strict=True)]
    for one, anew in pairs:
        anew.take_up(one.kept(SCENE, 10), 1e9)
        assert dict(anew.items()) == {key: kept for key, kept in one.items() if STRANGER not in (key, key[0])}


@pytest.mark.parametrize("anew", [Histories(), Beats(8), Rates()])
@pytest.mark.parametrize("rows", [None, {}, [[]], [[LAMP]], [[LAMP, "5"]], [[LAMP, 1, [["a", []]]]], [["x", 1]]])
def test_anything_else_is_refused(anew, rows):
    with pytest.raises(DecodeError):
        anew.take_up(rows, 0.0)


def test_no_time_is_to_come():
    histories = Histories()
    histories.take_up([[LAMP, 9000, [["acme.example", [9000]]]]], 10.0)
    assert (histories[LAMP].since, histories[LAMP].contacts["acme.example"]) == (10.0, [10.0])
