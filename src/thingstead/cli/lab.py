"""``thingstead lab``: attacks on dummies, in namespaces of their own; no domain is needed, and none is touched."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import whole
from thingstead.simulator.lab.run import run
from thingstead.simulator.lab.scenario import Scenario, load, shipped

__all__ = ["LIST", "RUN"]

_ALL = "all"
_DID_NOT_HOLD = 1
_HELD = {True: "held", False: "DID NOT HOLD"}
_LIST = View(
    (("scenario", "scenario"), ("what goes wrong", "summary"), ("described in", "spec"), ("MUD files allow", "rules"))
)
_DETECTORS = View(
    (
        ("scenario", "scenario"),
        ("detector", "detector"),
        ("found", "found"),
        ("after s", "after"),
        ("false alarms", "false_alarms"),
        ("evidence", "evidence"),
    ),
    "no detector told anything",
)

_SUMS = View(
    (
        ("detector", "detector"),
        ("had to find", "expected"),
        ("found", "found"),
        ("also found", "also"),
        ("after s, median", "after"),
        ("false alarms", "false_alarms"),
        ("in device-days", "device_days"),
    )
)


def _list(session: Session) -> int:
    rows = [
        {
            "scenario": one.name,
            "summary": one.summary,
            "spec": one.spec,
            "rules": "as their habits need" if one.rules else "any: no profile is known",
        }
        for one in map(load, shipped())
    ]
    session.console.show(rows, _LIST)
    session.console.next("thingstead lab run", shipped()[0])
    return 0


def _run(session: Session) -> int:
    named = session.options["scenario"]
    scenarios = [load(name) for name in (shipped() if named == _ALL else (named,))]
    # What the kernel refuses and drops is the story, and is told in the score.
    logging.getLogger("thingstead").setLevel(logging.CRITICAL)
    console = session.console
    console.say(
        f"LAB: namespaces and dummies of our own; time jumps, and chance hangs on seed {session.options['seed']}; "
        "packets, kernel rules, and the controller that sees, finds and answers are the product's own"
    )
    output = session.path("output") if session.options["output"] else None
    scores = []
    for scenario in scenarios:
        score = _play(scenario, session.options["seed"], output)
        scores.append(score)
        console.say(_sentence(score))
    if console.as_json:
        console.show(scores)
    else:
        if len(scores) == 1:
            console.show(_rows(scores[0]), _DETECTORS)
        else:
            console.show(_sums(scores), _SUMS)
        console.next("thingstead lab list")
    return 0 if all(score["held"] for score in scores) else _DID_NOT_HOLD


def _play(scenario: Scenario, seed: int, output: Path | None) -> Mapping[str, Any]:
    if output is not None:
        return run(scenario, seed=seed, output=output / scenario.name)
    with tempfile.TemporaryDirectory(prefix="thingstead-lab-") as made:
        return run(scenario, seed=seed, output=Path(made))


def _sentence(score: Mapping[str, Any]) -> str:
    if score["stopped_by"] == "nobody":
        return f"{score['scenario']}: {_HELD[score['held']]}; nobody sent anything that could be stopped"
    open_for = (
        "nothing bad came through"
        if score["open_for"] is None
        else f"{score['let_through']} of {score['bad']} bad packets came through, for {score['open_for']:.1f} s "
        f"({score['open_for_real'] * 1000:.0f} ms of them real)"
    )
    stops = "; ".join(
        f"{one['who']} cut off {one['after']:.1f} s after it began ({one['cause']}; "
        + ", ".join(f"{plane} {seconds * 1000:.1f} ms" for plane, seconds in one["planes"].items())
        + ")"
        for one in score["stops"]
    )
    return f"{score['scenario']}: {_HELD[score['held']]}, stopped by {score['stopped_by']}; {open_for}" + (
        f"; {stops}" if stops else ""
    )


def _rows(score: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [
        {
            "scenario": score["scenario"],
            "detector": row["detector"],
            "found": "yes" if row["found"] else "NO" if row["expected"] else "",
            "after": "" if row["after"] is None else f"{row['after']:.1f}",
            "false_alarms": row["false_alarms"],
            "evidence": row["evidence"],
        }
        for row in score["rows"]
        if row["found"] or row["expected"] or row["false_alarms"]
    ]


def _sums(scores: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Each detector over all scenarios."""
    days = sum(score["device_days"] for score in scores)
    told: dict[str, list[Mapping[str, Any]]] = {}
    for score in scores:
        for row in score["rows"]:
            told.setdefault(row["detector"], []).append(row)
    return [_sum(name, rows, days) for name, rows in told.items()]


def _sum(name: str, rows: Sequence[Mapping[str, Any]], days: float) -> Mapping[str, Any]:
    times = [row["after"] for row in rows if row["found"]]
    return {
        "detector": name,
        "expected": sum(row["expected"] for row in rows),
        "found": sum(row["expected"] and row["found"] for row in rows),
        "also": sum(row["found"] and not row["expected"] for row in rows),
        "after": f"{median(times):.1f}" if times else "",
        "false_alarms": sum(row["false_alarms"] for row in rows),
        "device_days": f"{days:.2f}",
    }


LIST = Action((), _list, "Each is a file of TOML; one of your own is played by its path.")
RUN = Action(
    (
        Parameter("scenario", f"name of a shipped scenario, {_ALL}, or a file"),
        Parameter(
            "--seed", "what is left to chance; the same seed, the same verdicts", read=whole(0, 1 << 32), default=1
        ),
        Parameter("--output", "directory for captures, ground truth and score, one below it for each scenario"),
    ),
    _run,
    "Dummies live on a segment of their own; patterns of bad traffic run among them, never a working exploit.\n"
    "Nothing leaves: a guard refuses every address that is not the lab's. The exit code is 0 where every attack was\n"
    "found by whom the scenario names, and stopped.",
)
