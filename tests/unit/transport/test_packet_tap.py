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
    assert told["seen"][0][1] == "to us", "in the order of time, whichever link it was"
    assert [text for _, text, _ in frames][:3] == ["to us", "out", "across"]
    assert frames[3][2] == 14 + 20 + 8 + 1400


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.requirement("R-34")
def test_a_frame_is_told_with_the_port_by_which_it_came():
    told = stage()
    assert told["by port"] == list(told["ports"][0])


@pytest.mark.namespace
@pytest.mark.slow
def test_what_is_passed_on_comes_from_the_gateway():
    told = stage()
    assert [one[0] for one in told["seen"] if one[1] == "across"] == [told["lamp"], told["macs"][0]]


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


@pytest.mark.namespace
@pytest.mark.slow
def test_ports_that_come_are_heard_and_those_that_go_are_let_go():
    told = stage()
    assert [one[:2] for one in told["after"]] == [[told["late"], "late"], [told["lamp"], "still"]]


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.requirement("R-34")
def test_what_the_rules_of_the_bridge_drop_is_seen():
    assert stage()["dropped"] == ["dropped"]


def test_an_interface_that_is_not_there_is_refused():
    with pytest.raises(TransportError, match="cannot see the frames of nowhere0"):
        PacketTap(["nowhere0"], ports_of=lambda _interface: ())
