"""Fuzz the named targets, or all, one after the other or several at a time; findings and figures are printed.

``python -m tests.fuzz [NAME ...] --seconds 60 --seed 1 --at-once 2``: the corpus that grew, what was found and
fuzz.json with the figures of every run stay in build/fuzz, so that hours add up. Exits with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from tests.fuzz.target import Target, all_targets

_ROOT = Path(__file__).resolve().parents[2]
_HOME = _ROOT / "build" / "fuzz"
_MAX_MEMORY_MB = 1024
_MAX_INPUT = 2048
_SLOWEST = 5
_FIGURES = {
    "runs": re.compile(r"stat::number_of_executed_units:\s*(\d+)"),
    "memory_mb": re.compile(r"stat::peak_rss_mb:\s*(\d+)"),
}
_COVERAGE = re.compile(r"cov: (\d+)")


@dataclass(frozen=True)
class Run:
    """One target for a time: inputs run, branches reached, the largest memory, and inputs kept that broke it."""

    target: str
    seconds: int
    seed: int
    runs: int
    coverage: int
    memory_mb: int
    findings: tuple[str, ...]


def main() -> int:
    """Run, print, and add to the figures."""
    targets = all_targets()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(targets)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - set(targets)):
        parser.error(f"expected names of {', '.join(targets)}; got {', '.join(unknown)}")
    with ThreadPoolExecutor(asked.at_once) as pool:
        chosen = [targets[name] for name in asked.names or targets]
        runs = list(pool.map(lambda target: _fuzz(target, asked.seconds, asked.seed), chosen))
    _report(runs)
    return int(any(run.findings for run in runs))


def _fuzz(target: Target, seconds: int, seed: int) -> Run:
    folder = _HOME / target.name.replace(" ", "-")
    corpus, findings = folder / "corpus", folder / "findings"
    for directory in (corpus, findings):
        directory.mkdir(parents=True, exist_ok=True)
    for data in target.seeds:
        (corpus / sha256(data).hexdigest()[:16]).write_bytes(data)
    limits = {"max_total_time": seconds, "seed": seed, "max_len": _MAX_INPUT, "rss_limit_mb": _MAX_MEMORY_MB}
    options = {**limits, "timeout": _SLOWEST, "print_final_stats": 1, "artifact_prefix": f"{findings}/"}
    done = subprocess.run(
        [str(_HOME / "venv/bin/python"), "-m", "tests.fuzz.engine", target.name]
        + [f"-{name}={value}" for name, value in options.items()]
        + [str(corpus)],
        cwd=_ROOT, env={**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"},
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    (folder / "log").write_text(done.stderr + done.stdout)
    if done.returncode and not any(findings.iterdir()):
        raise SystemExit(f"{target.name} did not run: {done.stderr[-2000:]}")
    figures = {name: int(found[1]) if (found := what.search(done.stderr)) else 0 for name, what in _FIGURES.items()}
    coverage = [int(found) for found in _COVERAGE.findall(done.stderr)]
    broken = tuple(sorted(str(path.relative_to(_ROOT)) for path in findings.iterdir()))
    return Run(target.name, seconds, seed, figures["runs"], max(coverage, default=0), figures["memory_mb"], broken)


def _report(runs: list[Run]) -> None:
    kept = _HOME / "fuzz.json"
    history = json.loads(kept.read_text()) if kept.exists() else []
    history += [asdict(run) for run in runs]
    kept.write_text(json.dumps(history, indent=1) + "\n")
    print(f"{'target':<24}{'seconds':>9}{'inputs':>13}{'coverage':>10}{'MB':>6}  {'seconds so far':>14}  findings")
    for run in runs:
        so_far = sum(row["seconds"] for row in history if row["target"] == run.target)
        found = ", ".join(run.findings) or "none"
        figures = f"{run.seconds:>9,}{run.runs:>13,}{run.coverage:>10,}{run.memory_mb:>6}  {so_far:>14,}"
        print(f"{run.target:<24}{figures}  {found}")


sys.exit(main())
