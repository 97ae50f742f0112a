"""Memory of one idle thing in the running controller: what all six planes, the endpoint and the libraries hold."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure

__all__ = ["figures"]

_ROOT = Path(__file__).resolve().parents[1]


def figures() -> Iterator[Figure]:
    """One figure for each size of fleet, and how much of it Python's objects are."""
    for count, port in ((1_000, 56_840), (10_000, 56_841)):
        yield Figure(f"idle thing, one of {count:,} in the running controller", "bytes", _measure(count, port))
    traced = _measure(1_000, 56_842, PYTHONTRACEMALLOC="1")
    yield Figure("idle thing, one of 1,000: objects of Python alone", "bytes", traced)


def _measure(count: int, port: int, **environment: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "bench.server.idle", str(count), str(port), str(Path(folder) / "domain")],
            cwd=_ROOT,
            env={"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}", **environment},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return round(float(done.stdout))
