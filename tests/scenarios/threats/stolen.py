"""What a thief of one part gets: a row per part, each on the test that holds what was stolen.

The table in SECURITY.md is these rows: ``python -m tests.scenarios.threats.stolen SECURITY.md`` writes it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Stolen", "rows", "stolen", "written"]

_MODULES = (
    "tests.scenarios.threats.test_blast_radius",
    "tests.scenarios.threats.test_blast_radius_engines",
    "tests.scenarios.threats.test_blast_radius_outside",
)
_BEGIN = "<!-- written by python -m tests.scenarios.threats.stolen SECURITY.md -->\n"
_END = "\n<!-- end -->\n"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Stolen:
    """One part in a thief's hands.

    Attributes:
        part: what was stolen.
        holder: who has it otherwise.
        falls: what the thief can do; the test does it.
        stays: what still holds; the test tries it.
        key: its name in the key store, if it is a key of the domain's.
        test: which test shows it.
    """

    part: str
    holder: str
    falls: str
    stays: str
    key: str = ""
    test: str = ""


def stolen(part: str, *, holder: str, falls: str, stays: str, key: str = "") -> Callable[[F], F]:
    """Say of a test what it holds, and what it shows."""

    def mark(test: F) -> F:
        test.__dict__.setdefault("stolen", []).append(Stolen(part, holder, falls, stays, key, test.__name__))
        return test

    return mark


def rows() -> list[Stolen]:
    """All of them, in the order of their tests."""
    found: list[Stolen] = []
    for name in _MODULES:
        for value in vars(importlib.import_module(name)).values():
            found += getattr(value, "stolen", []) if callable(value) else []
    return found


def written(page: str) -> str:
    """A page with the table in its place."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    lines = ["| part | held by | if it falls | stays |", "|---|---|---|---|"]
    lines += [f"| {row.part} | {row.holder} | {row.falls} | {row.stays} |" for row in rows()]
    return before + _BEGIN + "\n".join(lines) + "\n" + _END + after


if __name__ == "__main__":
    _PAGE = Path(sys.argv[1])
    _PAGE.write_text(written(_PAGE.read_text()))
