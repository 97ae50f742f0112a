import dataclasses

import pytest

from tests.unit.analysis.detectors.traffic import (
    LAMP,
    LAMP_ID,
    OTHER_IP,
    REMOTE_IP,
    SCENE,
    STRANGER,
    ip,
    syn,
    told,
    udp,
)
from thingstead.analysis.traffic.name_book import NameBook

NAME, UPDATE, OLD = "new_destination", 10_000.0, "203.0.113.1"
UPDATED = dataclasses.replace(SCENE, installs={LAMP_ID: UPDATE})
BEFORE = [syn(at, to=OLD) for at in (1000, 4000, 7000)]


def after(*seconds, to=REMOTE_IP, **fields):
    return [syn(UPDATE + at, to=to, **fields) for at in seconds]


@pytest.mark.requirement("R-30")
def test_whom_a_thing_speaks_to_only_since_its_update_is_found():
    (found,) = told(NAME, *BEFORE, *after(60, 130, 200, 400), scene=UPDATED)
    assert (found.device, found.thing, found.subject) == (LAMP, LAMP_ID, REMOTE_IP)
    assert found.evidence[0] == f"60 s after the update: {REMOTE_IP}"


@pytest.mark.requirement("R-30")
def test_another_address_of_a_name_that_it_knew_is_nothing_new():
    names = NameBook()
    names.learn("a.example.com", ip(OLD), at=0.0, ttl=86_400)
    names.learn("b.example.com", ip(REMOTE_IP), at=UPDATE, ttl=86_400)
    scene = dataclasses.replace(UPDATED, names=names)
    assert not told(NAME, *BEFORE, *after(60, 130, 200), scene=scene)
    names.learn("elsewhere.example", ip("203.0.113.99"), at=UPDATE, ttl=86_400)
    (found,) = told(NAME, *BEFORE, *after(60, 130, 200, to="203.0.113.99"), scene=scene)
    assert found.subject == "elsewhere.example"


@pytest.mark.requirement("R-30")
@pytest.mark.parametrize(
    ("packets", "scene"),
    [
        ([*BEFORE, *after(60, 130)], UPDATED),
        ([*BEFORE, *after(60, 61, 62, 63)], UPDATED),
        ([*BEFORE, *after(60, 130, 200, to=OLD)], UPDATED),
        ([*BEFORE, *after(60, 130, 200, to=OTHER_IP)], UPDATED),
        ([*BEFORE, *after(60, 130, 200)], SCENE),
        ([*BEFORE, *after(86_500, 86_600, 86_700)], UPDATED),
        (after(60, 130, 200), UPDATED),
        ([syn(UPDATE - 600, to=OLD), *after(35, 1059, 2083)], UPDATED),
        ([*BEFORE, *after(60, 130, 200, mac=STRANGER)], UPDATED),
        ([*BEFORE, *[udp(UPDATE + at, to="224.0.0.251") for at in (60, 130, 200)]], UPDATED),
    ],
    ids=[
        "twice",
        "at once",
        "known",
        "a neighbour",
        "no update",
        "days later",
        "not watched",
        "seldom",
        "no thing",
        "a group",
    ],
)
def test_what_came_not_with_the_update_is_not_told(packets, scene):
    assert not told(NAME, *packets, scene=scene)


def test_what_is_remembered_of_a_thing_is_bounded():
    many = [syn(number, to=f"203.0.{number // 250}.{number % 250 + 1}") for number in range(600)]
    assert not told(NAME, *many, scene=UPDATED)
