"""Record which tests are evidence for which requirement and clause, and how they ended.

Loaded by conftest; writes only where ``--trace-file FILE`` is given. The markers travel in each report's
`user_properties`, so that the record is whole when the tests run in several processes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_KINDS = {"requirement": "requirements", "spec": "clauses"}
# A test is as good as its worst phase: a failing teardown is not evidence.
_WORSE = ("passed", "skipped", "failed")


def pytest_addoption(parser):
    parser.addoption("--trace-file", metavar="FILE", help="write requirement and clause -> tests and outcomes to FILE")


def pytest_configure(config):
    target = config.getoption("--trace-file")
    if target and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(Path(target)), "trace-recorder")


def pytest_itemcollected(item):
    for kind in _KINDS:
        item.user_properties += [(kind, str(name)) for marker in item.iter_markers(kind) for name in marker.args]


class _Recorder:
    def __init__(self, target: Path) -> None:
        self._target = target
        self._claims: dict[str, list[tuple[str, str]]] = {}
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        claims = [(kind, str(name)) for kind, name in report.user_properties if kind in _KINDS]
        if claims:
            self._claims[report.nodeid] = claims
            before = self._outcomes.get(report.nodeid, "passed")
            self._outcomes[report.nodeid] = max(before, report.outcome, key=_WORSE.index)

    def pytest_sessionfinish(self) -> None:
        trace: dict[str, dict[str, Any]] = {part: {} for part in _KINDS.values()}
        for test, claims in sorted(self._claims.items()):
            for kind, name in claims:
                row = trace[_KINDS[kind]].setdefault(name, {"tests": []})
                row["tests"].append({"id": test, "outcome": self._outcomes[test]})
        trace = {part: dict(sorted(rows.items())) for part, rows in trace.items()}
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._target.write_text(json.dumps(trace, indent=1) + "\n")
