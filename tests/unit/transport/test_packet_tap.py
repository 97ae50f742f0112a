"""Invariant: what passes on a bridge is seen once, as it was, and nothing is called while nobody wants to be."""

import functools
import json
import subprocess
import sys

import pytest

from thingstead.errors import TransportError
from thingstead.transport.packet_tap import PacketTap


@functools.cache
def stage():
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.transport.tap_stage"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.namespace
@pytest.mark.slow
def test_what_a_thing_sends_is_seen_with_its_link_layer_address():
    told = stage()
    frames = [one for one in told["seen"] if one[0] == told["lamp"]]
    assert [text for _, text, _ in frames][:3] == ["to us", "out", "across"]
    assert frames[3][2] == 14 + 20 + 8 + 1400


@pytest.mark.namespace
@pytest.mark.slow
def test_what_is_passed_on_comes_from_the_gateway():
    told = stage()
    assert [one[0] for one in told["seen"] if one[1] == "across"] in (
        [told["lamp"], told["macs"][0]],
        [told["lamp"]],
    )


@pytest.mark.namespace
@pytest.mark.slow
def test_this_machine_is_known_by_its_addresses():
    told = stage()
    assert told["macs"] == ["027700000000"]
    assert told["addresses"] == ["0a4d0001", "fd770000000000000000000000000001"]


@pytest.mark.namespace
@pytest.mark.slow
def test_nobody_is_called_while_it_is_paused():
    told = stage()
    assert told["calls"] == [True, False, True]
    assert told["lost"] == 0
    assert told["closed"] == []


def test_an_interface_that_is_not_there_is_refused():
    with pytest.raises(TransportError, match="cannot see the frames of nowhere0"):
        PacketTap(["nowhere0"])
