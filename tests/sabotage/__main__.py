"""The command: ends with 1 if a sabotage leaves every test of its requirement green, or a test is red without one."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.sabotage.fork import run_pytest
from tests.sabotage.registry import REGISTRY, REQUIRED
from tests.sabotage.replacement import Sabotage

_QUICK = ("unit", "contracts", "properties", "scenarios")


@dataclass(frozen=True, slots=True)
class _Result:
    """How a run of pytest ended: outcome -> number of tests, the red ones, and its output when it broke."""

    outcomes: dict[str, int] = field(default_factory=dict)
    red: tuple[str, ...] = ()
    broken: str = ""


def main(words: list[str]) -> int:
    """Run the registered sabotages, all or those of the requirements named.

    ``--passed FILE`` before them is the trace of the same tree, just written: it says which tests claim what, and what
    passed there does not run once more to show that it is green without sabotage.
    """
    trace, requirements = (Path(words[1]), words[2:]) if words[:1] == ["--passed"] else (None, words)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(max_workers=2) as pool:
        claims, passed = _traced(trace) if trace else (_claims(Path(scratch)), set())
        rows = [(n, row) for n, row in enumerate(REGISTRY) if not requirements or row.requirement in requirements]
        wanted = [(n, row) for n, row in rows if row.requirement in claims]
        everything = sorted({test for _, row in wanted for test in claims[row.requirement]} - passed)
        baseline = pool.submit(_run, Path(scratch) / "baseline", None, everything)
        runs = [pool.submit(_run, Path(scratch) / str(n), n, claims[row.requirement]) for n, row in wanted]
        lines = [_verdict(row, run.result()) for (_, row), run in zip(wanted, runs, strict=True)]
        lines += [(row, "no test claims it", False) for _, row in rows if row.requirement not in claims]
        return _report(lines, claims, baseline.result(), requirements)


def _traced(trace: Path) -> tuple[dict[str, list[str]], set[str]]:
    rows: dict[str, Any] = json.loads(trace.read_bytes())["requirements"]
    claims = {requirement: [test["id"] for test in row["tests"]] for requirement, row in rows.items()}
    return claims, {test["id"] for row in rows.values() for test in row["tests"] if test["outcome"] == "passed"}


def _claims(scratch: Path) -> dict[str, list[str]]:
    target = scratch / "claims.json"
    result = run_pytest(["--claims", str(target), "--collect-only", "tests"], scratch / "claims.output")
    if not target.exists():
        sys.exit(f"the tests cannot be collected:\n{result}")
    claims: dict[str, list[str]] = json.loads(target.read_bytes())
    return claims


def _run(target: Path, row: int | None, tests: list[str]) -> _Result:
    if not tests:
        return _Result()
    # What is quick to go red comes first.
    files = sorted({test.split("::", maxsplit=1)[0] for test in tests}, key=lambda file: (_rank(file), file))
    options = ["--verdict", str(target), "--timeout", "60"]
    options += ["--maxfail", "1000"] if row is None else ["--sabotage", str(row), "-x"]
    output = run_pytest(options + files, target.with_suffix(".output"))
    if not target.exists():
        return _Result(broken=output)
    verdict: dict[str, Any] = json.loads(target.read_bytes())
    return _Result(verdict["outcomes"], tuple(verdict["red"]))


def _rank(file: str) -> int:
    folder = file.split("/")[1]
    return _QUICK.index(folder) if folder in _QUICK else len(_QUICK)


def _verdict(row: Sabotage, result: _Result) -> tuple[Sabotage, str, bool]:
    if result.broken:
        return row, f"BROKEN: {result.broken.strip().splitlines()[-1]}", False
    if result.red:
        return row, f"red: {result.red[0]}", True
    if result.outcomes.get("passed"):
        return row, f"STAYS GREEN in {result.outcomes['passed']} tests", False
    if result.outcomes.get("skipped") and os.environ.get("CI") != "true":
        return row, "its tests are skipped here", True
    return row, "NO TEST RAN", False


def _report(
    lines: list[tuple[Sabotage, str, bool]], claims: dict[str, list[str]], baseline: _Result, requirements: list[str]
) -> int:
    for row, verdict, _ in sorted(lines, key=lambda line: line[0].requirement):
        print(f"{row.requirement}  without: {row.removes:<60} {verdict}")
    registered = {row.requirement for row in REGISTRY}
    if not requirements:
        for requirement in sorted(set(claims) - registered):
            print(
                f"{requirement}  does not count: {len(claims[requirement])} tests claim it, no sabotage is registered"
            )
        for requirement in sorted(REQUIRED - set(claims) - registered):
            print(f"{requirement}  not claimed: neither test nor sabotage")
    for test in baseline.red:
        print(f"red WITHOUT sabotage: {test}")
    if baseline.broken:
        print(f"the tests do not run without sabotage:\n{baseline.broken}")
    held = sum(holds for _, _, holds in lines)
    print(f"{held} of {len(lines)} sabotages noticed")
    return int(held < len(lines) or bool(baseline.red) or bool(baseline.broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
