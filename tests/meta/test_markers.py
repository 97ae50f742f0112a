"""Markers are evidence: each names a requirement that exists, or a clause in the one form."""

import ast
from pathlib import Path

import pytest

from tests.traceability import CLAUSE
from thingstead.analysis.question import REQUIREMENTS

TESTS = Path(__file__).resolve().parents[1]


def markers(kind):
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == kind:
                for argument in node.args:
                    if isinstance(argument, ast.Constant):
                        yield f"{path.relative_to(TESTS)}:{node.lineno}", argument.value


def test_every_requirement_that_a_test_claims_exists():
    assert [(place, number) for place, number in markers("requirement") if number not in REQUIREMENTS] == []


def test_every_clause_that_a_test_covers_is_named_in_the_one_form():
    assert [(place, clause) for place, clause in markers("spec") if not CLAUSE.fullmatch(clause)] == []


@pytest.mark.parametrize(
    "clause", ["RFC 8613", "RFC 8613 8.2", "RFC 8613 C.1.1", "draft-ietf-suit-mud-10 3", "FIPS 204"]
)
def test_a_clause_in_the_one_form_is_read(clause):
    assert CLAUSE.fullmatch(clause)


@pytest.mark.parametrize("clause", ["8613 8.2", "RFC8613 8.2", "RFC 8613 section 8", ""])
def test_a_clause_in_another_form_is_not(clause):
    assert not CLAUSE.fullmatch(clause)
