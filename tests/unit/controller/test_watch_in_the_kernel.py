"""Invariant: what the kernel drops, detectors see; and whom they tell of, the kernel bars."""

import functools
import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.namespace, pytest.mark.slow]


@functools.cache
def seen():
    command = [sys.executable, "-m", "tests.unit.controller.watch_stage"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.requirement("R-30")
def test_a_new_destination_after_an_update_is_found_though_every_packet_was_dropped():
    assert seen()["lamp"] == [["new_destination", True, "198.51.100.9"]]
    assert seen()["lamp refused"] >= 4


@pytest.mark.requirement("R-38")
def test_a_scan_is_found_though_every_packet_was_dropped():
    assert seen()["worm"] == [["horizontal_scan", True, "on TCP port 23"]]


@pytest.mark.requirement("R-34")
def test_a_claim_of_the_gateways_address_is_found_before_the_bridge_drops_it():
    assert seen()["liar"] == [["arp_spoof", True, "10.77.0.1"]]


@pytest.mark.requirement("R-34")
def test_who_scans_under_both_addresses_of_a_thing_is_told_by_his_port_and_the_thing_is_not_barred():
    assert seen()["forged"] == [["horizontal_scan", None, seen()["ports"][2]]]
    assert not seen()["victim barred"]


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize("who", ["lamp", "worm", "liar"])
def test_who_was_told_of_is_barred(who):
    assert seen()[f"{who} barred"]
