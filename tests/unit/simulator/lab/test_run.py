"""In namespaces: scenarios of the lab are played, with real packets through the kernel's real rules."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from thingstead.protocols.packet.capture import read_capture
from thingstead.simulator.lab.scenario import shipped

ROOT = Path(__file__).resolve().parents[4]

QUIET = {"jamming"}
"""Nobody sends anything there that could be stopped: it has to be told, and nobody is to be cut off."""

NAMELESS = {"clone"}
"""Whoever does it is known by the port alone, which no thing's key is behind: rules drop it, and nobody is cut off."""

SLOW = {"beaconing", "camera-upload", "data-leak", "malfunction"}
"""What cannot be told from ordinary life in so short a time: something must come back a few times first."""

TO_THE_DOMAIN = {"malfunction", "nonce-reuse", "overload"}
"""What is bad there goes to the domain's endpoint, where quarantine leaves a way open for repair."""

pytestmark = [pytest.mark.namespace, pytest.mark.slow]


def lab(*arguments, seconds=100):
    return subprocess.run(
        [sys.executable, "-m", "thingstead", "--json", "lab", "run", *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


@pytest.fixture(scope="module")
def every():
    """Each shipped scenario, played once."""
    done = lab("all", "--seed", 3)
    return {score["scenario"]: score for score in json.loads(done.stdout)}


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize("name", shipped())
def test_every_shipped_attack_is_found_by_whom_it_names_with_evidence_and_stopped(every, name):
    score = every[name]
    rows = [row for row in score["rows"] if row["expected"]]
    assert rows
    assert [row["detector"] for row in rows if not (row["found"] and row["evidence"])] == []
    assert score["stopped_by"] in ({"nobody"} if name in QUIET else {"rules", "finding"})
    assert score["held"]


def test_every_detector_has_a_scenario_that_it_has_to_find(every):
    rows = [row for score in every.values() for row in score["rows"]]
    assert {row["detector"] for row in rows if row["expected"]} == {row["detector"] for row in rows}


@pytest.mark.requirement("R-34")
def test_nothing_passes_of_who_is_another_behind_another_port_and_the_other_is_not_cut_off(every):
    score = every["clone"]
    assert (score["bad"] > 100, score["let_through"], score["stops"]) == (True, 0, [])
    assert {one["who"] for one in score["findings"]} == {"lamp-1"}


@pytest.mark.parametrize("name", shipped())
def test_no_detector_accuses_who_did_nothing(every, name):
    assert (every[name]["false_alarms"], every[name]["lost"]) == (0, 0)


@pytest.mark.parametrize("name", sorted({*shipped()} - QUIET))
def test_who_is_cut_off_is_not_waited_for(every, name):
    assert "silence" not in {one["detector"] for one in every[name]["findings"]}


@pytest.mark.requirement("R-39")
def test_things_that_fall_silent_are_told_of_and_the_sleeper_is_not(every):
    told = [(one["detector"], one["who"]) for one in every["jamming"]["findings"]]
    assert ("lost_contact", "site") in told
    assert {who for detector, who in told if detector == "silence"} == {"camera-1", "camera-2", "lamp-1", "plug-1"}
    assert every["jamming"]["stops"] == []


@pytest.mark.parametrize("name", shipped())
def test_who_is_cut_off_reaches_nobody_but_the_domain_that_mends_it(every, name):
    assert (every[name]["repair"] > 0) == (name in TO_THE_DOMAIN)


@pytest.mark.parametrize("name", shipped())
def test_everybody_else_s_ordinary_life_goes_on(every, name):
    assert every[name]["kept"] == every[name]["ordinary"] > 20


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize("name", sorted({*shipped()} - QUIET - NAMELESS))
def test_who_is_found_is_cut_off_on_six_planes_each_timed(every, name):
    (stop,) = every[name]["stops"]
    assert set(stop["planes"]) == {"identity", "access", "groups", "software", "network", "data"}
    assert min(stop["planes"].values()) >= 0


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize("name", sorted({*shipped()} - SLOW))
def test_nothing_bad_comes_through_ten_seconds_after_it_began(every, name):
    assert (every[name]["open_for"] or 0) < 10


@pytest.mark.full
def test_it_holds_whatever_is_left_to_chance():
    scores = json.loads(lab("all", "--seed", 4, "--seeds", 3, seconds=600).stdout)
    assert {score["seed"] for score in scores} == {4, 5, 6}
    assert [score["scenario"] for score in scores if not score["held"]] == []
    assert sum(score["false_alarms"] for score in scores) == 0


@pytest.mark.full
def test_every_scenario_has_the_same_verdict_twice():
    first, second = (json.loads(lab("all", "--seed", 9, seconds=300).stdout) for _ in range(2))
    assert [one["verdict"] for one in first] == [one["verdict"] for one in second]


def test_with_rules_nothing_leaves_before_anybody_could_find_it():
    (score,) = json.loads(lab("data-leak", "--rules", "yes").stdout)
    assert (score["rules"], score["held"], score["stopped_by"], score["let_through"]) == (True, True, "rules", 0)
    assert score["bad"] > 0


def test_each_seed_has_a_verdict_and_a_directory_of_its_own(tmp_path):
    scores = json.loads(lab("port-scan", "--seed", 5, "--seeds", 2, "--output", tmp_path).stdout)
    assert [score["seed"] for score in scores] == [5, 6]
    assert scores[0]["events"] != scores[1]["events"]
    for score in scores:
        kept = tmp_path / f"seed-{score['seed']}" / "port-scan" / "score.json"
        assert json.loads(kept.read_text()) == score


@pytest.mark.parametrize("options", [("--seeds", 0), ("--seeds", 1001), ("--rules", "maybe"), ("--seed", -1)])
def test_options_that_nobody_can_play_are_refused(options):
    assert lab("mirai", *options).returncode == 60


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lab")
    done = lab("mirai", "--seed", 7, "--output", directory)
    assert done.returncode == 0, done.stdout + done.stderr
    (score,) = json.loads(done.stdout)
    return directory / "mirai", score


@pytest.mark.requirement("R-38")
def test_a_thing_that_attacks_is_found_with_evidence_and_cut_off(played):
    score = played[1]
    assert (score["held"], score["stopped_by"]) == (True, "finding")
    assert [one["who"] for one in score["stops"]] == ["camera-1"]
    assert all(one["evidence"] and one["explanation"] for one in score["findings"])


@pytest.mark.requirement("R-38")
def test_the_last_bad_packet_comes_through_within_ten_seconds_of_the_first(played):
    score = played[1]
    assert 0 < score["let_through"] < score["bad"]
    assert score["open_for"] < 10


def test_nobody_else_is_accused(played):
    assert played[1]["false_alarms"] == 0


def test_no_frame_is_missed(played):
    assert played[1]["lost"] == 0


def test_captures_and_the_ground_truth_are_there_for_other_programs(played):
    directory, score = played
    for name in ("segment", "outside"):
        with (directory / f"{name}.pcap").open("rb") as file:
            assert sum(1 for _ in read_capture(file.read)) > 100
    rows = json.loads((directory / "truth.json").read_text())
    assert {row["who"] for row in rows if row["bad"]} == {"camera-1"}
    assert json.loads((directory / "score.json").read_text()) == score


def test_the_same_seed_has_the_same_events_and_verdict(played, tmp_path):
    (again,) = json.loads(lab("mirai", "--seed", 7, "--output", tmp_path).stdout)
    assert (again["events"], again["verdict"]) == (played[1]["events"], played[1]["verdict"])
    assert (tmp_path / "mirai" / "truth.json").read_bytes() == (played[0] / "truth.json").read_bytes()


def test_what_nobody_finds_did_not_hold(tmp_path):
    text = (ROOT / "src/thingstead/simulator/lab/scenarios/mirai.toml").read_text()
    path = tmp_path / "quiet.toml"
    path.write_text(text.replace("hosts = 200", "hosts = 5").split('[[attack]]\npattern = "dictionary"')[0])
    done = lab(path)
    (score,) = json.loads(done.stdout)
    assert (done.returncode, score["held"], score["stopped_by"]) == (1, False, "nothing")
