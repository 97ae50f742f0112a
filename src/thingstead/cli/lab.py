"""``thingstead lab``: attacks on dummies, in namespaces of their own; no domain is needed, and none is touched."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
_AS_WRITTEN, _MOST_SEEDS = "as-written", 1000
_RULES = {"yes": True, "no": False}
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
        ("worst", "worst"),
        ("false alarms", "false_alarms"),
        ("in device-days", "device_days"),
    )
)

_PLANES = View((("plane", "plane"), ("cut off", "times"), ("ms, median", "median"), ("worst", "worst")))


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
    # What the kernel refuses and drops is the story, and is told in the score.
    logging.getLogger("thingstead").setLevel(logging.CRITICAL)
    console = session.console
    console.say(
        f"LAB: namespaces and dummies of our own; time jumps, and chance hangs on seed {session.options['seed']}; "
        "packets, kernel rules, and the controller that sees, finds and answers are the product's own"
    )
    scores = []
    for score in _scores(session):
        scores.append(score)
        console.say(_sentence(score))
    if console.as_json:
        console.show(scores)
    else:
        if len(scores) == 1:
            console.show(_rows(scores[0]), _DETECTORS)
        else:
            console.show(_sums(scores), _SUMS)
            console.show(_planes(scores), _PLANES)
        console.next("thingstead lab list")
    return 0 if all(score["held"] for score in scores) else _DID_NOT_HOLD


def _scores(session: Session) -> Iterator[Mapping[str, Any]]:
    """Play each scenario with each seed, one after the other."""
    named, seed, seeds = (session.options[key] for key in ("scenario", "seed", "seeds"))
    scenarios = [load(name) for name in (shipped() if named == _ALL else (named,))]
    rules = _RULES.get(session.options["rules"])
    output = session.path("output") if session.options["output"] else None
    for one in range(seed, seed + seeds):
        folder = output / f"seed-{one}" if output is not None and seeds > 1 else output
        for scenario in scenarios:
            yield _play(_under(scenario, rules), one, folder)


def _under(scenario: Scenario, rules: bool | None) -> Scenario:
    """With other rules than its file says nobody has to find it: what never leaves shows nothing."""
    return scenario if rules in {None, scenario.rules} else replace(scenario, rules=bool(rules), found_by=())


def _play(scenario: Scenario, seed: int, output: Path | None) -> Mapping[str, Any]:
    if output is not None:
        return run(scenario, seed=seed, output=output / scenario.name)
    with tempfile.TemporaryDirectory(prefix="thingstead-lab-") as made:
        return run(scenario, seed=seed, output=Path(made))


def _sentence(score: Mapping[str, Any]) -> str:
    name = f"{score['scenario']} (seed {score['seed']}, {'rules' if score['rules'] else 'no rules'})"
    if score["stopped_by"] == "nobody":
        return f"{name}: {_HELD[score['held']]}; nobody sent anything that could be stopped"
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
    return f"{name}: {_HELD[score['held']]}, stopped by {score['stopped_by']}; {open_for}" + (
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
        "worst": f"{max(times):.1f}" if times else "",
        "false_alarms": sum(row["false_alarms"] for row in rows),
        "device_days": f"{days:.2f}",
    }


def _planes(scores: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Each plane over all who were cut off, by the machine's clock."""
    times: dict[str, list[float]] = {}
    for stop in [stop for score in scores for stop in score["stops"]]:
        for plane, seconds in stop["planes"].items():
            times.setdefault(plane, []).append(seconds * 1000)
    return [
        {"plane": plane, "times": len(took), "median": f"{median(took):.1f}", "worst": f"{max(took):.1f}"}
        for plane, took in times.items()
    ]


LIST = Action((), _list, "Each is a file of TOML; one of your own is played by its path.")
RUN = Action(
    (
        Parameter("scenario", f"name of a shipped scenario, {_ALL}, or a file"),
        Parameter(
            "--seed", "what is left to chance; the same seed, the same verdicts", read=whole(0, 1 << 32), default=1
        ),
        Parameter("--seeds", "how many seeds to play with, one after the other", read=whole(1, _MOST_SEEDS), default=1),
        Parameter(
            "--rules",
            "whether MUD files allow what habits need and no more",
            choices=(_AS_WRITTEN, *_RULES),
            default=_AS_WRITTEN,
        ),
        Parameter("--output", "directory for captures, ground truth and score, one below it for each scenario"),
    ),
    _run,
    "Dummies live on a segment of their own; patterns of bad traffic run among them, never a working exploit.\n"
    "Nothing leaves: a guard refuses every address that is not the lab's. The exit code is 0 where every attack was\n"
    "found by whom the scenario names, and stopped; with other rules than its file says, stopped.",
)
