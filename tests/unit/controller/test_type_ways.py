"""Baits for a thing are of its maker and class; where nobody knows its maker, or nothing is tested, it has none."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.planes.software.desk import LAMP, SENSOR, Desk, made, told
from thingstead.controller.config import ControllerConfig, WatchConfig
from thingstead.controller.type_ways import ways
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.phases.bait import BAITS

pytestmark = pytest.mark.requirement("R-84")


def of(desk, *, anchors=None, is_on=True):
    config = ControllerConfig(watch=WatchConfig(test_types=is_on))
    server: Any = SimpleNamespace(address_of=lambda _thing: ("192.0.2.1", 5683))
    foundation: Any = SimpleNamespace(config=config, stranger="stranger")
    return ways(
        foundation,
        server,
        desk.tracker,
        Register(Snapshot(desk.things)),
        anchors=lambda: desk.anchors if anchors is None else anchors,
    )


def test_what_was_published_for_its_class_and_what_it_runs_make_its_baits():
    desk = Desk().admit()
    first, second = made(), made("1.2.0", 3)
    desk.publish(first)
    desk.publish(second)
    desk.report(LAMP, told(second))
    found, missing = of(desk).baits(LAMP.id)
    assert [one.name for one in found] == list(BAITS[:4])
    assert found[3].encoded == first
    assert set(missing) == {"other-class-update"}


def test_without_a_release_two_are_left():
    found, missing = of(Desk().admit()).baits(SENSOR.id)
    assert ([one.name for one in found], set(missing)) == (list(BAITS[:2]), set(BAITS[2:]))


def test_things_of_a_maker_without_anchor_are_offered_none():
    found, missing = of(Desk().admit(), anchors=()).baits(LAMP.id)
    assert (found, set(missing)) == ((), set(BAITS))


def test_settings_say_whether_anything_is_tested():
    assert of(Desk()).stranger == "stranger"
    assert of(Desk(), is_on=False).stranger is None
