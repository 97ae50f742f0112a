"""Pytest plugin of the sabotage runs: ``-p tests.sabotage.plugin`` and one of its options.

``--claims FILE`` writes requirement -> test ids and runs nothing; ``--sabotage N`` applies row N of the
registry before anything is imported and keeps the tests of its requirement; ``--verdict FILE`` counts outcomes.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.sabotage.registry import REGISTRY
from tests.sabotage.replacement import apply


def pytest_addoption(parser):
    parser.addoption("--claims", metavar="FILE", help="write the tests of each requirement, run none")
    parser.addoption("--sabotage", metavar="N", type=int, help="apply this row of the registry")
    parser.addoption("--verdict", metavar="FILE", help="write how the tests ended")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config):
    row = early_config.known_args_namespace.sabotage
    if row is not None:
        apply(REGISTRY[row])


def pytest_configure(config):
    if config.getoption("--verdict"):
        config.pluginmanager.register(_Verdict(Path(config.getoption("--verdict"))), "sabotage-verdict")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    row, claims = config.getoption("--sabotage"), config.getoption("--claims")
    if claims:
        found: dict[str, list[str]] = {}
        for item in items:
            for requirement in _claimed(item):
                found.setdefault(requirement, []).append(item.nodeid)
        Path(claims).write_text(json.dumps(found))
        items.clear()
    elif row is not None:
        items[:] = [item for item in items if REGISTRY[row].requirement in _claimed(item)]
    else:
        items[:] = [item for item in items if _claimed(item)]


def _claimed(item):
    return {name for marker in item.iter_markers("requirement") for name in marker.args}


class _Verdict:
    def __init__(self, target: Path) -> None:
        self._target = target
        self._outcomes: Counter[str] = Counter()
        self._red: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._red.append(report.nodeid)
        if report.when == "call" or not report.passed:
            self._outcomes[report.outcome] += 1

    def pytest_sessionfinish(self) -> None:
        self._target.write_text(json.dumps({"outcomes": self._outcomes, "red": self._red}))
