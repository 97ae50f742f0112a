"""The table: requirement -> the control that is taken away, gathered from the modules of `rows`, one for an area."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.sabotage.replacement import Sabotage

__all__ = ["REGISTRY", "REQUIRED"]

_CLAIMED = (
    *(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 34, 35),
    *(36, 37, 38, 39, 47, 49, 51, 52, 53, 55, 57, 59, 60, 61, 62, 63, 64, 65, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77),
    *(78, 79, 80, 81, 84, 85, 86, 87, 88, 89, 90),
)
REQUIRED = frozenset(f"R-{number:02}" for number in _CLAIMED)
"""What this release claims; each needs marked tests and a row."""

_AREAS = sorted(path.stem for path in (Path(__file__).parent / "rows").glob("[a-z]*.py"))

REGISTRY: tuple[Sabotage, ...] = tuple(
    sorted(
        (row for area in _AREAS for row in importlib.import_module(f"tests.sabotage.rows.{area}").ROWS),
        key=lambda row: (row.requirement, row.target),
    )
)
