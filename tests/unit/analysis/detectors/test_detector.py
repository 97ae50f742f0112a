"""Invariant: a detector is found by its module alone, and says what it counts and why."""

import inspect
from pathlib import Path

import pytest

from tests.unit.analysis.detectors.traffic import SCENE, syn
from thingstead.analysis.detectors.detector import Detector, detectors


def test_all_detectors_are_found_by_themselves():
    names = [one.name for one in detectors()]
    assert "horizontal_scan" in names
    assert names == sorted(set(names))


@pytest.mark.parametrize("one", detectors(), ids=lambda one: one.name)
def test_each_says_what_it_counts_and_why(one):
    assert one.rule
    assert one.spec
    assert one.name.replace("_", "").isalpha()


@pytest.mark.parametrize("one", detectors(), ids=lambda one: one.name)
def test_none_tells_of_one_packet_or_of_the_first_tick(one):
    assert not [*one.see(syn(0.0), SCENE), *one.tick(1.0, SCENE)]


def test_what_a_detector_does_not_look_at_it_need_not_name():
    class Deaf(Detector):
        name, spec, rule = "deaf", "", "none"

    assert not [*Deaf().see(syn(0.0), SCENE), *Deaf().tick(0.0, SCENE)]


@pytest.mark.parametrize("one", detectors(), ids=lambda one: one.name)
def test_each_is_a_module_of_fifty_lines(one):
    lines = Path(inspect.getfile(type(one))).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 50


def test_the_page_has_the_rule_of_each():
    page = (Path(__file__).resolve().parents[4] / "docs" / "explanation" / "detectors.md").read_text(encoding="utf-8")
    rows = [f"| `{one.name}` | {one.rule} | {one.severity} |" for one in detectors()]
    assert [row for row in rows if row not in page] == []
