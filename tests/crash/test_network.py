"""Whatever dies of the network's controller, whenever: no change is half applied, and nothing opens that was closed."""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_SEED_OF_CI = 6


def run(root, *, seed, steps, patience, program="network_run"):
    """In a process of its own: who is in a site never comes back."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.crash.{program}", str(root), str(seed), str(steps)],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False,
        timeout=patience,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout)
    print(f"seed {seed}: {told['figures']}")
    assert told["violations"] == []
    return told["figures"]


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.requirement("R-80")
def test_kills_edits_a_full_disk_and_a_reboot_open_nothing_and_leave_nothing_half_done(tmp_path):
    figures = run(tmp_path, seed=_SEED_OF_CI, steps=4, patience=100)
    assert figures["kills"] >= 7
    assert {"edited by others", "full disk", "reboot"} <= figures["steps"].keys()


@pytest.mark.full
@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(5))
def test_two_hundred_kills_open_nothing_and_leave_nothing_half_done(tmp_path, number):
    seed = int(os.environ.get("THINGSTEAD_CRASH_SEED") or random.SystemRandom().randrange(1 << 32)) + number
    figures = run(tmp_path, seed=seed, steps=100, patience=3000)
    assert figures["midway"] > 20


@pytest.mark.full
@pytest.mark.root
@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_process_of_a_domain_apart_may_die_while_something_is_asked():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        root = Path(folder)
        root.chmod(0o755)
        figures = run(root, seed=_SEED_OF_CI, steps=4, patience=250, program="network_apart")
    assert sum(figures["steps"].values()) > 10
