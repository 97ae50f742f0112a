"""The attacks on the command line: without a demo there is nothing to attack."""

import json

import pytest

from thingstead.simulator.demo_record import FILE


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_demo_the_next_command_is_named(run):
    code, _, err = run("attack", "join")
    assert code == 60
    assert "thingstead demo" in err


def test_an_attack_that_there_is_not_is_refused_with_those_there_are(run):
    code, _, err = run("attack", "ddos")
    assert code == 60
    assert "'join', 'replay', 'tamper', 'scan', 'token', 'retired', 'all'" in err


@pytest.mark.parametrize("pid", [1, 2**30])
def test_a_record_that_leads_elsewhere_is_no_demo(run, alone, pid):
    content = {"pid": pid, "domain": ".", "controller": ["192.0.2.1", 5683], "things": [], "makers": []}
    (alone / FILE).write_text(json.dumps(content))
    code, _, _ = run("attack", "scan", "--demo", ".")
    assert code == 60
