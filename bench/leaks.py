"""Recall and precision of the image scan beside gitleaks and detect-secrets, on the same labelled examples.

Each example is a file of its own; a scanner that names anything in it has found it. Two of the four corpora are the
tests of the peers themselves, where they play at home: what they cannot find there they would have mended. The peers
are run where they are: THINGSTEAD_GITLEAKS and THINGSTEAD_DETECT_SECRETS name the programs, or PATH has them.

``python -m bench leaks``; examples hold secret-shaped strings and lie in a scratch folder that is removed.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.figure import Figure
from bench.image_scan import DATA, firmware, go_cases, labelled, members, yaml_cases
from thingstead.planes.software.image_scan import ImageScanner

Cases = list[tuple[bool, bytes]]
_PATIENCE = 600


def figures() -> list[Figure]:
    """Ours beside each peer, per corpus."""
    if not (DATA / "leaks.tar.xz").is_file():
        print("ABSENT: ../shared/data/leaks.tar.xz; scanners are not compared", file=sys.stderr)
        return []
    found: list[Figure] = []
    for name, cases in (
        ("noseyparker's examples", labelled("noseyparker", ".yml", yaml_cases)),
        ("gitleaks' examples", labelled("gitleaks", ".go", go_cases)),
        ("detect-secrets' examples", _python_cases()),
        ("firmware files", firmware()),
    ):
        found += _compared(name, cases)
    return found


def _compared(name: str, cases: Cases) -> Iterator[Figure]:
    ours = _ours(cases)
    rates = {"ours": _rates(cases, ours)}
    for peer, (program, run) in _PEERS.items():
        path = os.environ.get(program) or shutil.which(peer)
        if path is None:
            print(f"ABSENT: {peer}; set {program} to compare with it", file=sys.stderr)
            continue
        rates[peer] = _rates(cases, _theirs(cases, path, run))
    yield Figure(f"{name}: with a secret", "images", sum(secret for secret, _ in cases))
    yield Figure(f"{name}: without", "images", sum(not secret for secret, _ in cases))
    for index, what in enumerate(("recall", "precision")):
        mine = rates["ours"][index]
        if len(rates) == 1:
            yield Figure(f"{name}: {what}", "%", mine)
        for peer, row in rates.items():
            if peer != "ours":
                yield Figure(f"{name}: {what}", "%", mine, row[index], peer)


def _rates(cases: Cases, found: set[int]) -> tuple[float, float]:
    """Recall and precision in percent."""
    secrets = {number for number, (secret, _) in enumerate(cases) if secret}
    hits = len(secrets & found)
    return round(100 * hits / max(len(secrets), 1), 1), round(100 * hits / max(len(found), 1), 1)


def _ours(cases: Cases) -> set[int]:
    scanner = ImageScanner()
    return {number for number, (_, image) in enumerate(cases) if scanner.scan(image)}


def _theirs(cases: Cases, program: str, run: Callable[[str, Path], set[str]]) -> set[int]:
    with tempfile.TemporaryDirectory(prefix="leaks-") as scratch:
        folder = Path(scratch)
        for number, (_, image) in enumerate(cases):
            (folder / f"case-{number}.txt").write_bytes(image)
        return {int(Path(name).stem.partition("-")[2]) for name in run(program, folder)}


def _gitleaks(program: str, folder: Path) -> set[str]:
    report = folder / "report.json"
    command = [program, "dir", str(folder), "--no-banner", "--exit-code", "0", "--report-format", "json"]
    subprocess.run([*command, "--report-path", str(report)], check=True, capture_output=True, timeout=_PATIENCE)
    return {row["File"] for row in json.loads(report.read_bytes()) if "case-" in row["File"]}


def _detect_secrets(program: str, folder: Path) -> set[str]:
    command = [program, "scan", "--all-files", "--no-verify", "."]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_PATIENCE)
    return set(json.loads(done.stdout)["results"])


_PEERS = {
    "gitleaks": ("THINGSTEAD_GITLEAKS", _gitleaks),
    "detect-secrets": ("THINGSTEAD_DETECT_SECRETS", _detect_secrets),
}


def _python_cases() -> Cases:
    """(payload, should_flag) of detect-secrets' own tests, where both are literals; public addresses are no secrets."""
    found: dict[bytes, bool] = {}
    for name, data in members("leaks.tar.xz"):
        if "/tests/plugins/" in name and name.endswith("_test.py") and "ip_public" not in name:
            for node in ast.walk(ast.parse(data)):
                match node:
                    case ast.Tuple(elts=[ast.Constant(value=str(text)), ast.Constant(value=bool(secret))]):
                        found |= {} if "{secret}" in text else {text.encode(): secret}
    return [(secret, text) for text, secret in found.items()]
