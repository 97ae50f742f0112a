"""Run a stage as a program, for a process that is in a site never comes back; what it printed it observed."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def observed(request, stage):
    """What a module of this folder saw; without one control where a sabotage is being tried."""
    row = request.config.getoption("--sabotage", None)
    without = [] if row is None else ["tests.sabotage.program", str(row)]
    done = subprocess.run(
        [sys.executable, "-m", *without, f"tests.unit.enforcement.{stage}"],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
