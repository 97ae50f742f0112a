"""Paths through things are shown weakest first, with the steps of the weakest."""

import json

import pytest

pytestmark = pytest.mark.requirement("R-85")
LAMP, LOCK = "thing-aaaaaaaaaaaaaaaa", "thing-bbbbbbbbbbbbbbbb"
FIRST = {"from": "the Internet", "to": LAMP, "by": "it may contact a.example", "cost": 4}
SECOND = {"from": LAMP, "to": LOCK, "by": "it may contact things of the model", "cost": 4}
FOUND = [
    {"thing": LAMP, "cost": 4, "combination": False, "weakest_step": FIRST["by"], "steps": [FIRST]},
    {"thing": LOCK, "cost": 8, "combination": True, "weakest_step": FIRST["by"], "steps": [FIRST, SECOND]},
]


def test_the_weakest_path_is_told_step_by_step(run, controller):
    controller.answer = {"result": FOUND}
    code, out, _ = run("network", "paths")
    assert (code, controller.asked) == (0, [("network.paths", {"thing": ""})])
    assert f"the Internet > {LAMP}" in out
    assert f"weakest path, the Internet > {LAMP}: it may contact a.example (cost 4)" in out
    assert "1 of 2 lead over another thing: no rule alone opens them" in out
    assert out.splitlines()[-1] == f"next: thingstead network block --thing {LAMP} --preview"


def test_a_program_gets_every_step(run, controller):
    controller.answer = {"result": FOUND}
    assert json.loads(run("network", "paths", LOCK, "--json")[1]) == FOUND
    assert controller.asked == [("network.paths", {"thing": LOCK})]


def test_nobody_outside_reaches_anything_is_said_too(run, controller):
    controller.answer = {"result": []}
    assert "no path: nobody outside reaches a thing by the rules in force" in run("network", "paths")[1]
