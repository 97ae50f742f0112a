"""How many tests expect a refusal, and how many do not: ``python -m tests.refusals [PATH ...]``.

A test expects a refusal where it, or a function of the tests that it calls, waits for an error of ours or looks for one
(`pytest.raises`, `isinstance`), or compares an answer with a code of class 4 or 5. What cannot be seen to do so counts
on the other side. Ends with 1 where the refusals are not the majority.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import inspect
import io
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from thingstead.errors import ThingsteadError
from thingstead.protocols.coap.registry import Code

__all__ = ["SUITE", "Tally", "count", "expects_refusal"]

ROOT = Path(__file__).resolve().parents[1]
SUITE = (
    *(
        f"tests/unit/protocols/{area}"
        for area in ("ace", "cwt", "edhoc", "lake_authz", "profile", "receipts", "voucher")
    ),
    "tests/unit/phases",
    "tests/unit/planes/access",
    "tests/unit/planes/identity",
    "tests/unit/masa",
    "tests/unit/keeper",
    "tests/properties/test_edhoc.py",
    "tests/properties/test_edhoc_on_path.py",
    "tests/properties/test_edhoc_drafts_on_path.py",
    "tests/properties/test_keeper_rules.py",
    "tests/properties/test_masa.py",
    "tests/properties/test_people.py",
    "tests/properties/test_policy.py",
)
"""Joining and leaving: handshakes, credentials, tokens, vouchers, papers, and who decides on them."""

_CLIENT_ERROR = 0x80


class Tally:
    """Tests by area: those that expect a refusal, and the rest."""

    def __init__(self) -> None:
        self.refusals: Counter[str] = Counter()
        self.others: Counter[str] = Counter()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Called by pytest, with what it has collected."""
        for item in session.items:
            if isinstance(item, pytest.Function):
                parameters = item.callspec.params if hasattr(item, "callspec") else {}
                is_refusal = expects_refusal(inspect.unwrap(item.function), parameters)
                area = str(item.path.relative_to(ROOT).parent)
                (self.refusals if is_refusal else self.others)[area] += 1


def count(paths: tuple[str, ...] = SUITE) -> Tally:
    """Collect, and run nothing."""
    tally = Tally()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["--collect-only", "-q", *(str(ROOT / path) for path in paths)], plugins=[tally])
    return tally


def expects_refusal(function: Any, parameters: Mapping[str, Any], *, depth: int = 3) -> bool:
    """Whether a test does, with what it is parametrised with; helpers are looked into so many calls deep."""
    known = {"isinstance": isinstance, **function.__globals__, **parameters}
    return any(_is_refusal(node, known, depth) for node in _tree(function))


@cache
def _tree(function: Any) -> tuple[ast.AST, ...]:
    if function.__name__ == "<lambda>":
        return ()  # its source is the middle of something else
    return tuple(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))


def _is_refusal(node: ast.AST, known: dict[str, Any], depth: int) -> bool:
    if isinstance(node, ast.Compare):
        return any(_is_error_code(_value(side, known)) for side in (node.left, *node.comparators))
    if not isinstance(node, ast.Call):
        return False
    called = _value(node.func, known)
    if called is pytest.raises or called is isinstance:
        return any(_is_ours(one) for argument in node.args for one in _each(_value(argument, known)))
    is_helper = isinstance(called, FunctionType) and called.__module__.split(".")[0] == "tests"
    return is_helper and depth > 0 and expects_refusal(called, {}, depth=depth - 1)


def _value(node: ast.AST, known: dict[str, Any]) -> Any:
    """What an expression of names and attributes stands for; None where it is none."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, known), node.attr, None)
    if isinstance(node, ast.Tuple):
        return tuple(_value(one, known) for one in node.elts)
    return None


def _each(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, tuple) else (value,)


def _is_ours(error: Any) -> bool:
    return isinstance(error, type) and issubclass(error, ThingsteadError)


def _is_error_code(value: Any) -> bool:
    return isinstance(value, Code) and value >= _CLIENT_ERROR


def main() -> int:
    """Count and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.refusals", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="of the tests; without any those of joining and leaving"
    )
    tally = count(tuple(parser.parse_args().paths) or SUITE)
    areas = sorted(tally.refusals.keys() | tally.others.keys())
    print(f"{'area':<40}{'refusals':>10}{'others':>10}")
    for area in areas:
        print(f"{area:<40}{tally.refusals[area]:>10,}{tally.others[area]:>10,}")
    refusals, others = tally.refusals.total(), tally.others.total()
    print(f"{'in all':<40}{refusals:>10,}{others:>10,}")
    return int(refusals <= others)


if __name__ == "__main__":
    sys.exit(main())
