"""Invariant: what passes is shown once, what cannot be read is counted, and the tap is closed in the end."""

from __future__ import annotations

import io
import os
import signal
from argparse import ArgumentTypeError

import pytest

from tests.unit.analysis.traffic.packets import CLOUD, LAMP, frame, packet
from thingstead.cli.console import Console
from thingstead.cli.live import hear, minutes
from thingstead.clock import SystemClock
from thingstead.protocols.packet.packet import Packet


class Tap:
    """Has its frames at once, and then none."""

    def __init__(self, frames, lost=0):
        self.frames = frames
        self.count = lost
        self.closed = False

    def take(self, most):
        return [(data, len(data), "") for data in self.frames[:most]]

    def lost(self):
        return self.count

    def listen(self, on_frames):
        on_frames()

    def close(self):
        self.closed = True


def heard(tap, seconds=0.001):
    err = io.StringIO()
    seen: list[Packet] = []
    console = Console(io.StringIO(), err, as_json=False, columns=None)
    hear(tap, seen.append, console, clock=SystemClock(), seconds=seconds)
    assert tap.closed
    return seen, err.getvalue()


def test_frames_are_shown_with_the_time_of_the_clock():
    before = SystemClock().utc().timestamp()
    (seen,), told = heard(Tap([frame(packet(LAMP, CLOUD, 5000, 443))]))
    assert seen.source == LAMP
    assert seen.at >= before
    assert told == ""


def test_frames_that_are_none_are_counted_and_told():
    seen, told = heard(Tap([b"short", frame(packet(LAMP, CLOUD, 5000, 443))]))
    assert len(seen) == 1
    assert told == "1 frames are not to be read\n"


def test_frames_that_were_lost_are_told():
    assert heard(Tap([], lost=7))[1] == "7 frames passed faster than they were read\n"


class Interrupted(Tap):
    def listen(self, on_frames):
        os.kill(os.getpid(), signal.SIGINT)


def test_who_ends_it_gets_what_was_heard_so_far():
    assert heard(Interrupted([]), seconds=60.0) == ([], "")


@pytest.mark.parametrize("text", ["0", "-5", "soon", "44641", "inf", "nan"])
def test_a_time_that_is_none_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="expected minutes"):
        minutes(text)


def test_a_day_is_a_time():
    assert minutes("1440") == 1440.0
