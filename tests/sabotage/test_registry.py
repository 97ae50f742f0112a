import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.sabotage.registry import REGISTRY, REQUIRED
from tests.sabotage.replacement import Sabotage, accepts, apply, argument, find, returns, skips
from thingstead.analysis.question import REQUIREMENTS

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}


@pytest.fixture
def victim(monkeypatch):
    def check(value):
        if value < 0:
            raise ValueError(value)
        return value + 1

    class Window:
        def check(self, value):
            return check(value)

        @staticmethod
        def limit():
            return 3

    module = ModuleType("sabotage_victim")
    module.__dict__.update(check=check, Window=Window, LIMIT=3)
    monkeypatch.setitem(sys.modules, "sabotage_victim", module)
    return module


@pytest.mark.parametrize(
    ("replacement", "result"),
    [(accepts, None), (returns(True), True), (argument(0), -4), (skips(ValueError, value=9), 9)],
)
def test_a_function_is_replaced_in_its_module(victim, replacement, result):
    apply(Sabotage("R-15", "sabotage_victim:check", replacement, ""))
    assert victim.check(-4) == result


def test_what_only_skips_its_errors_does_its_work_otherwise(victim):
    apply(Sabotage("R-15", "sabotage_victim:check", skips(ValueError), ""))
    assert victim.check(1) == 2


def test_methods_are_replaced_in_their_class(victim):
    apply(Sabotage("R-15", "sabotage_victim:Window.check", argument(1), ""))
    apply(Sabotage("R-15", "sabotage_victim:Window.limit", returns(9), ""))
    assert (victim.Window().check(-4), victim.Window().limit()) == (-4, 9)


@pytest.mark.parametrize(
    "target", ["absent_module:f", "sabotage_victim:absent", "sabotage_victim:LIMIT", "sabotage_victim"]
)
def test_a_target_that_is_not_there_is_refused(victim, target):
    with pytest.raises(LookupError, match="R-15"):
        apply(Sabotage("R-15", target, accepts, ""))


@pytest.mark.parametrize("row", REGISTRY, ids=lambda row: f"{row.requirement} {row.target}")
def test_every_row_names_a_requirement_and_a_function_that_is_there(row):
    assert row.requirement in REQUIREMENTS
    assert row.removes
    find(row)


def test_the_table_itself_imports_nothing_that_could_be_sabotaged():
    script = "import sys, tests.sabotage.registry; print(*[m for m in sys.modules if m.startswith('thingstead.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert set(done.stdout.split()) <= {"thingstead.errors"}


def test_what_this_release_claims_exists():
    assert set(REQUIREMENTS) >= REQUIRED
    assert len(REQUIREMENTS) == 90
