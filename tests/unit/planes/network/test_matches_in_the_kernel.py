"""Every match type of a MUD file decides on real packets as it says, both IP versions and both directions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.planes.network.match_stage import IN, OUT

ROOT = Path(__file__).resolve().parents[4]
pytestmark = [pytest.mark.namespace, pytest.mark.requirement("R-80"), pytest.mark.spec("RFC 8520 5")]


@pytest.fixture(scope="module")
def seen():
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.planes.network.match_stage"],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_what_the_thing_sends_passes_where_an_entry_says_so_and_nowhere_else(seen):
    assert seen["out"] == [[f"{at} {port} from {source}", passes] for _, at, port, source, passes in OUT]


@pytest.mark.parametrize("way", ["in", "in6"])
def test_what_comes_to_the_thing_passes_where_an_entry_says_so_and_nowhere_else(seen, way):
    assert [came for _, came in seen[way]] == [passes for _, passes in IN]


def test_an_echo_request_passes_and_no_other_icmp(seen):
    assert seen["icmp"] == [8]


def test_the_entry_that_no_filter_of_flows_can_keep_is_left_out_and_its_packets_dropped(seen):
    (place,) = seen["left out"]
    assert place.endswith("/matches/ipv4/dscp")
    assert ["198.51.100.2 8000 from 0", False] in seen["out"]
