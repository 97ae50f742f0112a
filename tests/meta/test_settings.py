"""Every number that somebody may set has its line, and every operation says what it does."""

import ast
from pathlib import Path

import pytest

from tests.traceability import attributes, settings, settings_page

SOURCE = Path(__file__).resolve().parents[2] / "src" / "thingstead"
SETTABLE = ("Config", "Limits", "Retention", "Parameters")


def classes():
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith(SETTABLE):
                yield pytest.param(node, id=f"{path.relative_to(SOURCE)}:{node.name}")


def operations():
    for path in sorted((SOURCE / "controller").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Operation":
                yield node


@pytest.mark.parametrize("node", list(classes()))
def test_every_setting_and_limit_says_what_it_is(node):
    assert {name for name, _default in settings(node)} <= attributes(node).keys()


def test_the_page_of_settings_has_a_meaning_for_each():
    page = settings_page(SOURCE / "controller" / "config.py")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "`" in line]
    assert rows
    assert not [row for row in rows if row.endswith("|  |")]


def test_every_operation_has_a_name_of_its_own_and_one_line_of_help():
    rows = [
        [str(argument.value) for argument in call.args if isinstance(argument, ast.Constant)] for call in operations()
    ]
    names = [row[0] for row in rows]
    assert len(names) == len(set(names))
    assert all(row[-1].strip() and "\n" not in row[-1] and len(row) >= 2 for row in rows)
