import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from thingstead.analysis.assurance import Outcome, assess
from thingstead.analysis.assurance_page import render_html, render_text
from thingstead.analysis.question import QUESTIONS
from thingstead.domain.plane import Finding, PlaneName

HOSTILE = "<script>alert(1)</script>&\"'\x00\x1b]0;x\x07\u202eevil</td>"


def an_assurance(text="as it should be"):
    findings = [Finding(one, PlaneName.ACCESS, text, text, text, holds=True) for one in ("T10", "R-35")]
    at = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    trace = {"R-35": {text: Outcome.PASSED}}
    return assess(QUESTIONS.values(), findings, domain=text, at=at, trace=trace)


@pytest.mark.requirement("R-90")
@pytest.mark.parametrize("text", ["plain", HOSTILE, "ümläut → ✓"])
def test_the_page_is_well_formed_and_holds_every_question(text):
    page = render_html(an_assurance(text))
    root = ET.fromstring(page)
    assert len(root.findall(".//tbody/tr")) == len(QUESTIONS)


def test_a_hostile_name_stays_text():
    page = render_html(an_assurance(HOSTILE))
    assert "<script" not in page
    assert not re.search(r"[\x00\x1b\u202e]", page)
    assert {element.tag for element in ET.fromstring(page).iter()} <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "br", "small", "details", "summary"),
        *("table", "thead", "tbody", "tr", "th", "td", "ul", "li"),
    }


def test_the_page_loads_and_runs_nothing():
    page = render_html(an_assurance())
    assert "default-src 'none'" in page
    assert not re.search(r"(?i)\b(?:src|href|on\w+)=|@import|url\(", page)


def test_the_page_is_made_for_dark_rooms_and_paper():
    page = render_html(an_assurance())
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_the_text_wraps_and_holds_every_question():
    text = render_text(an_assurance("word " * 60), width=80)
    lines = text.splitlines()
    assert all(f"\n{question}" in text for question in QUESTIONS)
    assert max(len(line) for line in lines[3:] if line.startswith("  ")) <= 80


def test_the_text_moves_no_cursor():
    assert not re.search(r"[\x00\x1b\x07\u202e]", render_text(an_assurance(HOSTILE)))


def test_an_open_question_shows_only_what_is_missing():
    text = render_text(an_assurance())
    block = text[text.index("\nR-18") :].splitlines()
    assert block[1].split()[:2] == ["R-18", "open"]
    assert block[2].split()[0] == "missing"
