"""What things are offered; the tracker's own tests show the rest of it."""

from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.domain.plane import Standing
from thingstead.errors import ForbiddenError
from thingstead.planes.software.campaigns import Seat
from thingstead.planes.software.offer import Offer
from thingstead.planes.software.release import ClassKey, Line
from thingstead.planes.software.shelf import Shelf

THING = a_thing().id
LINE = Line(ClassKey(bytes(16), bytes(16)), "acme")


def offer(number, use_before=None):
    return Offer(f"{number}.0", number, b"envelope", b"image", bytes([number]), use_before, bytes([number]))


def a_shelf(clock=None):
    shelf = Shelf(clock or JumpingClock())
    shelf.admit(THING, Seat(LINE))
    return shelf


@pytest.mark.requirement("R-09")
def test_who_is_dropped_gets_nothing_not_even_what_it_was_given():
    shelf = a_shelf()
    shelf.offer({LINE: offer(1)})
    shelf.poll(THING)
    shelf.drop(THING)
    for ask in (shelf.poll, shelf.image):
        with pytest.raises(ForbiddenError, match="no updates now"):
            ask(THING)
    assert shelf.probe(THING).standing is Standing.REFUSED


def test_a_thing_gets_the_image_of_what_it_was_given_until_that_is_taken_back():
    shelf = a_shelf()
    shelf.offer({LINE: offer(1)})
    shelf.poll(THING)
    shelf.offer({LINE: offer(2)})
    assert shelf.image(THING) == offer(1)
    shelf.take_back()
    assert shelf.image(THING) == offer(2)
    assert (shelf.progress[b"\1"].offered, shelf.progress[b"\2"].fetched) == ({THING}, {THING})


def test_nothing_is_offered_past_its_time_and_to_nobody_without_a_line():
    clock = JumpingClock()
    shelf = a_shelf(clock)
    shelf.offer({LINE: offer(1, AT + timedelta(seconds=5))})
    assert shelf.poll(THING) is not None
    clock.seconds = 5.0
    assert shelf.poll(THING) is None
    shelf.admit(THING, Seat(None))
    with pytest.raises(ForbiddenError, match="gets no releases"):
        shelf.poll(THING)
