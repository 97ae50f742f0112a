"""The calendar as people and cron ask for it, of a domain that runs and of one that does not."""

import json
from datetime import timedelta

import pytest

from thingstead.analysis.calendar import Urgency

THING = "thing-abcdefghijklmnop"


def due(utc, days, what="credential", *, is_renewed=False, last_safe_day=None):
    end = utc + timedelta(days=days)
    return {
        "plane": "identity",
        "what": what,
        "at": end.isoformat(),
        "last_safe_day": str(last_safe_day or (end - timedelta(days=1)).date()),
        "urgency": Urgency.LATER.value,
        "is_renewed": is_renewed,
        "strands": [THING],
    }


@pytest.mark.requirement("R-74")
@pytest.mark.parametrize(
    ("days", "span", "code"),
    [(29, "30d", 23), (31, "30d", 0), (29, "696h", 23), (29, "4w", 0), (29, "5w", 23), (-1, "0d", 23)],
)
def test_cron_is_told_by_the_exit_code(run, controller, utc, days, span, code):
    controller.answer = {"result": [due(utc, days)]}
    assert run("calendar", "--fail-within", span)[0] == code


def test_what_is_renewed_by_itself_does_not_wake_anybody(run, controller, utc):
    controller.answer = {"result": [due(utc, 1, is_renewed=True)]}
    code, out, _ = run("calendar", "--fail-within", "30d")
    assert (code, "credential" in out) == (0, True)


def test_without_a_span_nothing_fails(run, controller, utc):
    controller.answer = {"result": [due(utc, -1)]}
    assert run("calendar")[0] == 0


def test_what_fails_is_shown_whatever_the_horizon(run, controller, utc):
    far = due(utc, 300, "far")
    controller.answer = {"result": [due(utc, 20, "near"), far]}
    code, out, _ = run("calendar", "--days", "5", "--fail-within", "30d", "--json")
    assert (code, [row["what"] for row in json.loads(out)]) == (23, ["near"])
    assert [row["what"] for row in json.loads(run("calendar", "--json")[1])] == ["near", "far"]
    assert json.loads(run("calendar", "--json")[1])[1] == far | {"at": far["at"].replace("+00:00", "Z")}


@pytest.mark.parametrize("span", ["", "d", "30", "30m", "1.5d", "36501d", "99999w", "1000000h", "\u0663d"])
def test_a_span_that_is_none_is_refused_before_anybody_is_asked(run, controller, span):
    code, _, err = run("calendar", "--fail-within", span)
    assert (code, controller.asked) == (60, [])
    assert "30d" in err


def test_a_domain_that_does_not_run_is_read_from_its_directory(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("init", "home")
    code, out, err = run("calendar", "--domain", "home", "--fail-within", "30d")
    assert (code, "nothing expires" in out) == (0, True)
    assert "no controller runs" in err
    assert run("calendar", "--domain", "home", "--json")[1] == "[]\n"


def test_where_no_domain_is_nothing_is_made(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("calendar", "--domain", "absent")[0] == 40
    assert list(tmp_path.iterdir()) == []
