"""Invariant: what real products do while they are set up, and what a simulated day holds, is no alarm; attacks are."""

from pathlib import Path

import pytest

from bench import day
from bench import detectors as bench
from bench.other_days import SEEDS
from thingstead.analysis.detectors.panel import Panel
from thingstead.analysis.detectors.scene import Scene
from thingstead.protocols.packet.capture import read_capture
from thingstead.protocols.packet.packet import decode_frame

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "data" / "captures"
GUESSES = {"ftp/bruteforce.pcap": "192.168.56.101 port 21", "ssh/sshguess.pcap": "192.168.56.103 port 22"}


def found_in(path):
    """Detector and subject of all that is told of one capture."""
    panel = Panel(Scene())
    with path.open("rb") as file:
        packets = [
            decode_frame(one.data, at=one.at, length=one.length, link=one.link) for one in read_capture(file.read)
        ]
    return {(one.detector, one.subject) for packet in packets for one in panel.see(packet)}


def here(path):
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path


@pytest.mark.slow
@pytest.mark.requirement("R-38")
@pytest.mark.parametrize("name", GUESSES)
def test_passwords_that_were_guessed_for_real_are_found(name):
    path = here(CAPTURES / "zeek+zeek" / "testing" / "btest" / "Traces" / name)
    assert ("brute_force", GUESSES[name]) in found_in(path)


@pytest.mark.slow
@pytest.mark.requirement("R-26")
@pytest.mark.requirement("R-38")
def test_products_that_are_set_up_raise_no_alarm():
    captures = sorted(here(CAPTURES / "aucad+sensor-data").rglob("Setup-?-1-STA.pcap"))
    assert len(captures) > 10
    told = {(path.parent.name, *one) for path in captures for one in found_in(path)}
    assert {one for one in told if one[1] != "cleartext"} == set()
    assert told == {("D-LinkCam", "cleartext", "mail address, 10.10.10.37")}, "a real account name in clear"


@pytest.mark.slow
def test_the_beginning_of_a_simulated_day_raises_no_alarm():
    assert not bench.simulate(900.0).found


@pytest.mark.full
def test_a_simulated_day_raises_hardly_an_alarm():
    outcome = bench.simulate()
    assert outcome.device_days == 21
    assert outcome.false_alarms / outcome.device_days <= 0.1


@pytest.mark.slow
@pytest.mark.requirement("R-38")
@pytest.mark.parametrize("seed", SEEDS[:2])
def test_a_cut_of_power_after_which_all_have_other_addresses_raises_no_alarm(seed):
    """The events of a day, in the time of twenty minutes."""
    assert not bench.simulate_other(seed, 1200.0).found


KNOWN = {"upload", "mail", "new_destination", "beaconing"}
"""What docs/explanation/detectors.md says that a detector cannot tell from an attack without the thing's rules."""


@pytest.mark.full
@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_that_nothing_was_tuned_on_raises_no_alarm_beside_those_that_are_said(seed):
    assert set(bench.simulate_other(seed).found) <= KNOWN


@pytest.mark.slow
def test_all_products_on_one_site_raise_no_alarm():
    here(CAPTURES)
    outcome = bench.mix()
    assert outcome is not None
    assert outcome.false_alarms == 0


@pytest.mark.full
def test_all_captures_raise_hardly_an_alarm():
    here(CAPTURES)
    outcome = bench.captures()
    assert outcome is not None
    assert outcome.false_alarms / outcome.device_days <= 0.1


def test_a_simulated_day_is_in_order_and_comes_of_its_numbers_alone():
    first, second = (list(day.packets(day.things(3), seconds=600.0)) for _ in range(2))
    assert [one.at for one in first] == sorted(one.at for one in first)
    assert first == second
    assert len(first) > 50
