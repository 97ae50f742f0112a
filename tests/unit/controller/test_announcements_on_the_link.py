"""What devices say of their MUD file by DHCP and LLDP, overheard on real links."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.controller.mud_home import OTHER
from tests.unit.planes.network.fakes import URL

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.namespace, pytest.mark.slow]


@pytest.fixture(scope="module")
def seen():
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.controller.announcement_stage"],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.spec("RFC 8520 10")
@pytest.mark.spec("RFC 8520 12")
def test_dhcp_and_lldp_are_heard_on_the_bridge(seen):
    assert seen["heard"] == [["dhcpv4", OTHER], ["dhcpv6", OTHER], ["lldp", OTHER]]


def test_nothing_of_it_counts_by_that(seen):
    assert seen["what counts"] == URL


def test_a_device_that_is_no_thing_is_a_stranger_and_who_speaks_for_another_is_not_heard(seen):
    assert (seen["strangers"], seen["who spoke for another"]) == (["02:77:00:00:00:02"], True)
