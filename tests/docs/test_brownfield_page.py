"""The page on devices that are there already can be walked, and what it says of the network is so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.namespace,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.requirement("R-12"),
    pytest.mark.requirement("R-81"),
]


@pytest.fixture(scope="module")
def walked():
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.brownfield_stage"],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])["seen"]
    starts = [place for place, (line, *_) in enumerate(seen) if line.startswith("thingstead up")]
    return seen, starts


def test_nothing_is_cut_off_until_the_rules_are_in_force(walked):
    seen, (dry, _) = walked
    stopped = next(place for place, (line, *_) in enumerate(seen) if line.startswith("kill"))
    assert dry < stopped
    assert [reached for _, *reached in seen[:stopped]] == [[True, True]] * stopped


def test_from_then_on_it_reaches_what_was_learned_of_it_and_nothing_else(walked):
    seen, (_, enforced) = walked
    assert seen[enforced][1:] == [True, False]


def test_each_command_afterwards_does_what_the_page_says(walked):
    seen, (_, enforced) = walked
    after = {line.removeprefix("thingstead "): reached for line, *reached in seen[enforced + 1 :]}
    assert after["thing quarantine THING"] == [False, False]
    assert after["thing restore THING"] == [True, False]
    assert after["network allow any"] == [True, True]
