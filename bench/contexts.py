"""Memory of one association in an endpoint: loaded and never used, and after it was used and fell silent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure

__all__ = ["figures"]

_ROOT = Path(__file__).resolve().parents[1]
_COUNTS = (1_000, 100_000)


def figures() -> Iterator[Figure]:
    """Two figures for each number of associations."""
    for count in _COUNTS:
        done = subprocess.run(
            [sys.executable, "-m", "bench.server.contexts", str(count)],
            cwd=_ROOT,
            env={"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        unused, used = map(float, done.stdout.split())
        yield Figure(f"idle OSCORE context, one of {count:,}, never used", "bytes", round(unused))
        yield Figure(f"idle OSCORE context, one of {count:,}, used before", "bytes", round(used))
