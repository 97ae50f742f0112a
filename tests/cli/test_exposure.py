"""Somebody elsewhere knocks by a plan of today, at machines and at nobody else, and what answered is taken back."""

import json
from datetime import timedelta

import pytest

from thingstead.cli import exposure

PLAN = {"domain": "home", "addresses": ["192.0.2.7", "2001:db8::7"]}


@pytest.fixture
def plan(tmp_path, utc):
    def write(**changes):
        told = {**PLAN, "made_at": utc.isoformat(), **changes}
        (tmp_path / "plan.json").write_text(json.dumps(told))
        return tmp_path / "plan.json"

    return write


@pytest.fixture
def knocked(monkeypatch):
    """Whom `open_doors` was asked about; no test knocks at an address of somebody's."""
    asked = []

    async def open_doors(_stranger, address, *, within, at_once):
        asked.append(address)
        return ((6, 23),) if address == "192.0.2.7" else ()

    monkeypatch.setattr(exposure, "open_doors", open_doors)
    return asked


def test_a_plan_is_written_to_be_carried_elsewhere(run, controller, tmp_path, utc):
    controller.answer = {"result": {**PLAN, "made_at": utc.isoformat()}}
    code, out, _ = run("exposure", "plan", tmp_path / "plan.json", "--domain", controller.path.parent)
    assert (code, controller.asked) == (0, [("exposure.plan", {})])
    assert json.loads((tmp_path / "plan.json").read_text())["addresses"] == PLAN["addresses"]
    assert "addresses  2" in out


def test_what_answers_there_is_written_and_taken_back(run, controller, tmp_path, plan, knocked):
    assert run("exposure", "knock", plan(), "--output", tmp_path / "found.json")[0] == 0
    assert sorted(knocked) == PLAN["addresses"]
    controller.answer = {"result": []}
    words = ("exposure", "tell", tmp_path / "found.json", "--place", "site", "--domain", controller.path.parent)
    assert run(*words)[0] == 0
    ((operation, arguments),) = controller.asked
    doors = [{"address": "192.0.2.7", "protocol": 6, "port": 23}]
    assert (operation, arguments) == ("exposure.tell", {"place": "site", "knocked": PLAN["addresses"], "open": doors})


@pytest.mark.parametrize("hours", [-25, 25, 24 * 365])
def test_a_plan_of_another_day_is_refused_for_addresses_are_lent(run, tmp_path, plan, knocked, utc, hours):
    path = plan(made_at=(utc - timedelta(hours=hours)).isoformat())
    code, _, err = run("exposure", "knock", path, "--output", tmp_path / "found.json")
    assert (code, knocked, "last 24 hours" in err) == (23, [], True)


@pytest.mark.parametrize(
    "changes",
    [
        {"addresses": ["127.0.0.1"]},
        {"addresses": ["::1"]},
        {"addresses": ["fe80::1"]},
        {"addresses": ["0.0.0.0"]},
        {"addresses": ["224.0.0.1"]},
        {"addresses": ["ff02::1"]},
        {"addresses": ["255.255.255.255"]},
        {"addresses": ["192.0.2.0/24"]},
        {"addresses": ["home.example"]},
        {"addresses": "192.0.2.7"},
        {"addresses": ["192.0.2.7", 7]},
        {"made_at": "yesterday"},
        {"made_at": "2026-11-24T00:00:00"},
        {"ports": [1]},
    ],
)
def test_a_plan_that_names_no_machines_is_refused_before_anybody_is_knocked_at(run, tmp_path, plan, knocked, changes):
    assert run("exposure", "knock", plan(**changes), "--output", tmp_path / "found.json")[0] == 60
    assert knocked == []
    assert not (tmp_path / "found.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", "\xff", '{"domain": "home", "knocked": [], "open": [{"port": 1}]}'])
def test_what_is_no_result_is_sent_to_nobody(run, controller, tmp_path, text):
    (tmp_path / "found.json").write_text(text, encoding="latin-1")
    words = ("exposure", "tell", tmp_path / "found.json", "--place", "site", "--domain", controller.path.parent)
    assert run(*words)[0] == 60
    assert controller.asked == []


def test_where_it_was_is_said(run, controller, tmp_path):
    (tmp_path / "found.json").write_text('{"domain": "home", "knocked": [], "open": []}')
    words = ("exposure", "tell", tmp_path / "found.json", "--domain", controller.path.parent)
    assert run(*words)[0] == 60
    assert run(*words, "--place", "moon")[0] == 60
