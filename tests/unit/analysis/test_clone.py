"""Invariant: two that live under one identity are found; one that moves, restarts, or does both, is not."""

import random

import pytest

from thingstead.analysis.clone import Sightings
from thingstead.identifier import ThingId

LAMP, OTHER = ThingId("thing-aaaaaaaaaaaaaaaa"), ThingId("thing-bbbbbbbbbbbbbbbb")
HERE, THERE, FAR = ("192.0.2.1", 5683), ("192.0.2.2", 5683), ("192.0.2.3", 5683)


def told(steps, *, every=10.0):
    """What is found over steps: ``+`` is a join, anything else a place where a message verified."""
    sightings, found = Sightings(), []
    for number, step in enumerate(steps):
        if step == "+":
            sightings.joined(LAMP)
        else:
            found.append(sightings.heard(LAMP, step, now=number * every))
    return [one for one in found if one]


@pytest.mark.requirement("R-21")
def test_two_that_join_in_turn_are_found_at_the_second_return():
    (clone,) = told(["+", HERE, "+", THERE, "+", HERE, "+", THERE])
    assert (clone.how, clone.places, clone.seconds) == ("joins", (HERE, THERE, HERE, THERE), 60)


@pytest.mark.requirement("R-21")
def test_two_that_use_one_association_are_found_where_they_take_turns():
    found = told(["+", HERE, THERE, HERE, THERE, HERE, THERE], every=5)
    assert [clone.how for clone in found] == ["addresses"]


@pytest.mark.requirement("R-21")
def test_two_behind_one_address_are_told_by_their_ports():
    first, second = ("192.0.2.1", 40_001), ("192.0.2.1", 40_002)
    assert told(["+", first, "+", second, "+", first, "+", second])


@pytest.mark.requirement("R-21")
@pytest.mark.parametrize(
    "steps",
    [
        [HERE] * 20,
        ["+", HERE, THERE, FAR, ("192.0.2.4", 5683), ("192.0.2.5", 5683), ("192.0.2.6", 5683)],
        ["+", HERE, "+", HERE, "+", HERE, "+", HERE, "+", HERE, "+", HERE],
        ["+", HERE, "+", THERE, "+", THERE, "+", THERE],
        ["+", HERE, THERE, HERE],
        ["+", HERE, "+", THERE, "+", HERE, "+", HERE],
        ["+", HERE, "+", THERE, "+", FAR, "+", ("192.0.2.4", 5683)],
        ["+", "+", "+", "+", HERE, "+", "+", THERE],
        ["+", HERE, THERE, "+", THERE, HERE, "+", HERE],
    ],
    ids=[
        "stays",
        "moves on and on",
        "restarts over and over",
        "moves and restarts",
        "roams and returns",
        "to a bench, and back",
        "a new address at each restart",
        "joins that never worked",
        "roams between joins",
    ],
)
def test_one_thing_is_never_taken_for_two(steps):
    assert told(steps) == []


@pytest.mark.requirement("R-21")
@pytest.mark.parametrize("seed", range(20))
def test_one_thing_that_lives_at_random_but_never_returns_is_never_taken_for_two(seed):
    chance, port = random.Random(seed), 1024
    steps: list[object] = ["+"]
    for _ in range(500):
        step = chance.choice(["stay", "move", "restart"])
        port += step == "move"
        steps += ["+"] * (step == "restart") + [("192.0.2.1", port)]
    assert told(steps, every=0.1) == []


@pytest.mark.requirement("R-21")
def test_returns_long_apart_are_one_thing_that_is_carried_about():
    assert told(["+", HERE, "+", THERE, "+", HERE, "+", THERE], every=200) == []
    assert told(["+", HERE, THERE, HERE, THERE, HERE, THERE], every=30) == []


def test_what_one_thing_does_says_nothing_of_another():
    sightings = Sightings()
    for number, (thing, place) in enumerate([(LAMP, HERE), (OTHER, THERE)] * 10):
        sightings.joined(thing)
        assert sightings.heard(thing, place, now=float(number)) is None


def test_what_is_forgotten_counts_no_more():
    sightings = Sightings()
    for number, place in enumerate([HERE, THERE, HERE]):
        sightings.joined(LAMP)
        assert sightings.heard(LAMP, place, now=float(number)) is None
    sightings.forget(LAMP)
    sightings.joined(LAMP)
    assert sightings.heard(LAMP, THERE, now=4.0) is None
