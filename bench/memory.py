"""Memory of one idle thing in the controller: record, association, and what the libraries hold for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure

__all__ = ["figures"]

_ROOT = Path(__file__).resolve().parents[1]


def figures() -> Iterator[Figure]:
    """One figure for each size of fleet."""
    for count in (200, 1000, 5000):
        done = subprocess.run(
            [sys.executable, "-m", "bench.server.idle", str(count)],
            cwd=_ROOT,
            env={"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"},
            capture_output=True,
            text=True,
            check=True,
        )
        yield Figure(f"idle thing of {count}: record and association", "bytes", round(float(done.stdout)))
