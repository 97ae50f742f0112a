import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT
from thingstead.analysis.assurance import assess
from thingstead.analysis.question import QUESTIONS
from thingstead.controller.operation import Operations
from thingstead.controller.operation_assurance import rows
from thingstead.domain.plane import Expiry, PlaneName


class Seen:
    """What stands for the living domain: two dates, one line of status, and no findings at all."""

    clock = JumpingClock()

    def __init__(self):
        self.traces: list[Any] = []

    async def status(self):
        return {"domain": "home"}

    def expiries(self):
        return [Expiry(f"in {days} days", AT + timedelta(days=days), (), PlaneName.DATA) for days in (10, 200)]

    async def assurance(self, trace=None):
        self.traces.append(trace)
        return assess(QUESTIONS.values(), [], domain="home", at=AT, trace=trace)


def ask(operation, seen=None, **arguments):
    overview: Any = seen or Seen()
    return asyncio.run(Operations(*rows(overview)).answer({"operation": operation, "arguments": arguments}))


def why_not(operation, **arguments):
    return ask(operation, **arguments)["error"]["message"]


@pytest.mark.parametrize("days", [-1, 36_501, 1 << 40, 1 << 70])
def test_a_horizon_beyond_a_life_is_refused(days):
    assert "days" in why_not("calendar", days=days)


@pytest.mark.parametrize(("days", "shown"), [(0, [10, 200]), (30, [10]), (36_500, [10, 200]), (1, [])])
def test_the_calendar_shows_what_must_be_acted_on_within_its_days(days, shown):
    assert [row["what"] for row in ask("calendar", days=days)["result"]] == [f"in {one} days" for one in shown]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"{", b"[]", b"{}", b'{"requirements": []}', b'{"requirements": {"R-01": {}}}', b"[" * 200_000],
)
@pytest.mark.parametrize("operation", ["assurance", "assurance.page", "assurance.text"])
def test_what_is_no_trace_is_refused_by_its_name(tmp_path, operation, content):
    path = tmp_path / "trace.json"
    path.write_bytes(content)
    assert str(path) in why_not(operation, trace=str(path))


def test_a_trace_that_is_not_there_or_too_long_is_refused(tmp_path):
    assert "absent" in why_not("assurance", trace=str(tmp_path / "absent"))
    assert str(tmp_path) in why_not("assurance", trace=str(tmp_path))
    long = tmp_path / "long"
    with long.open("wb") as file:
        file.truncate((8 << 20) + 1)
    assert "over 8388608 bytes" in why_not("assurance", trace=str(long))


def test_a_trace_goes_into_the_assurance_and_its_absence_is_none(tmp_path):
    path = tmp_path / "trace.json"
    path.write_text(json.dumps({"requirements": {"R-01": {"tests": [{"id": "test_x", "outcome": "passed"}]}}}))
    seen = Seen()
    for trace in ("", str(path)):
        assert "error" not in ask("assurance", seen, trace=trace)
    assert [None if trace is None else set(trace) for trace in seen.traces] == [None, {"R-01"}]


def test_a_domain_that_shows_nothing_says_so_in_each_form():
    assert ask("status")["result"] == {"domain": "home"}
    assert {row["status"] for row in ask("assurance")["result"]["rows"]} == {"open"}
    assert ask("assurance.page")["result"]["html"].startswith("<!DOCTYPE html>")
    assert "R-90" in ask("assurance.text")["result"]["text"]
