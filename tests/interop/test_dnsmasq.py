"""dnsmasq, unmodified, in front of a running domain: it gives out addresses, and is whom devices ask for names."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLOUD = "198.51.100.2"
pytestmark = [pytest.mark.namespace, pytest.mark.slow, pytest.mark.requirement("R-80")]


@pytest.fixture(scope="module")
def seen(program, tmp_path_factory):
    dnsmasq = program("dnsmasq", package="dnsmasq-base")
    done = subprocess.run(
        [sys.executable, "-m", "tests.interop.dnsmasq_stage", tmp_path_factory.mktemp("dnsmasq"), dnsmasq],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.spec("RFC 9726 3")
def test_before_a_device_asked_dnsmasq_nothing_passes(seen):
    assert seen["before it asked"] is False


@pytest.mark.spec("RFC 9726 3")
def test_what_dnsmasq_tells_a_device_is_open_when_it_is_told(seen):
    assert (seen["told"], seen["after it asked"]) == ([CLOUD], True)


@pytest.mark.spec("RFC 7871 6")
def test_what_one_device_was_told_by_dnsmasq_is_open_for_no_other(seen):
    assert (seen["the other, which did not"], seen["the other, after it asked"]) == (False, True)


@pytest.mark.spec("RFC 7871 11.3")
def test_what_a_device_asks_in_the_name_of_another_opens_nothing_for_that(seen):
    assert seen["the other, in whose name it was asked"] is False


def test_dnsmasq_tells_nobody_of_a_neighbour(seen):
    assert seen["told of a neighbour"] == []


@pytest.mark.spec("RFC 8520 10.1")
@pytest.mark.parametrize(
    ("thing", "says"),
    [("lamp", "https://acme.example/four.json by dhcpv4"), ("plug", "https://acme.example/six.json by dhcpv6")],
)
def test_what_a_device_says_to_dnsmasq_waits_for_the_owner(seen, thing, says):
    assert [waiting for name, _, waiting in seen["urls"] if name == thing] == [[says]]


def test_a_device_that_is_no_thing_is_shown_by_what_it_said_to_dnsmasq(seen):
    assert [mac for name, mac, _ in seen["urls"] if name is None] == ["02:77:00:00:00:03"]
