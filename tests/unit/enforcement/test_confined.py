import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

pytestmark = [pytest.mark.namespace, pytest.mark.slow, pytest.mark.requirement("R-70")]


@pytest.fixture(scope="module")
def seen(request):
    """What the stage observed; it runs once, as a program, for a process that is in a site never comes back."""
    row = request.config.getoption("--sabotage", None)
    without = [] if row is None else ["tests.sabotage.program", str(row)]
    done = subprocess.run(
        [sys.executable, "-m", *without, "tests.unit.enforcement.confined_stage"],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", ["Internet", "another thing", "Internet as another thing"])
def test_a_thing_that_verifies_no_release_gets_no_packet_out_by_itself_or_through_another(seen, way):
    assert seen["unable"][way] is False


def test_what_it_had_open_ends(seen):
    assert (seen["flow before"], seen["flow after"]) == (True, False)


@pytest.mark.parametrize("who", ["able", "unable", "updated"])
def test_its_way_to_the_controller_stays_for_that_is_where_updates_come_from(seen, who):
    assert seen[who]["controller"] is True


@pytest.mark.parametrize("who", ["able", "updated"])
def test_who_verifies_does_what_its_file_says(seen, who):
    assert seen[who]["Internet"] is True
    assert seen[who]["another thing"] is True
