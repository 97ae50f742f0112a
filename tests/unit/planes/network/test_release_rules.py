"""A thing goes by the MUD file of the release that it runs, from the moment on at which it runs it."""

import asyncio

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import CLOUD, URL, World, described
from thingstead.domain.lifecycle import Restriction
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.mud.builder import Service
from thingstead.protocols.mud.file import Remote, RemoteKind

THING = a_thing()
WEATHER = Service(Remote(RemoteKind.DNS_NAME, "weather.acme.example"), 6, 8443)
NAMES = {
    "cloud_acme_example": (("198.51.100.7",), 60),
    "weather_acme_example": (("198.51.100.9",), 60),
}
OLD, NEW = ("198.51.100.7/32", 6, 443), ("198.51.100.9/32", 6, 8443)
pytestmark = pytest.mark.requirement("R-80")


def run(story):
    return asyncio.run(story)


@pytest.fixture
def world():
    world = World(CLOUD, **NAMES)
    run(world.admit(THING))
    return world


def test_new_destinations_count_from_the_release_on_and_old_ones_end(world):
    assert OLD in world.kernel.rules(THING.id)
    assert run(world.manager.release(THING.id, described(WEATHER)))
    assert NEW in world.kernel.rules(THING.id)
    assert OLD not in world.kernel.rules(THING.id)
    assert "weather.acme.example" in world.manager.rules_of(THING).dns_names


def test_without_a_file_of_its_release_a_thing_goes_by_its_makers(world):
    run(world.manager.release(THING.id, described(WEATHER)))
    assert run(world.manager.release(THING.id, b""))
    assert OLD in world.kernel.rules(THING.id)
    assert NEW not in world.kernel.rules(THING.id)


def test_the_same_file_again_changes_nothing(world):
    run(world.manager.release(THING.id, described(WEATHER)))
    before = len(world.kernel.applied)
    assert run(world.manager.release(THING.id, described(WEATHER)))
    assert len(world.kernel.applied) == before


def test_other_things_are_not_touched(world):
    other = a_thing(1)
    run(world.admit(other))
    run(world.manager.release(THING.id, described(WEATHER)))
    assert OLD in world.kernel.rules(other.id)
    assert NEW not in world.kernel.rules(other.id)


def test_names_of_an_offered_release_are_looked_up_before(world):
    run(world.manager.expect(described(WEATHER)))
    assert "weather.acme.example" in world.dns.asked
    assert NEW not in world.kernel.rules(THING.id)


def test_who_is_not_here_is_asked_for_again(world):
    assert not run(world.manager.release(a_thing(5).id, described(WEATHER)))


def test_the_file_of_another_maker_is_refused(world):
    other = described(WEATHER).replace(URL.encode(), b"https://mud.evil.example/lamp")
    with pytest.raises(UntrustedError, match=r"mud\.evil\.example"):
        run(world.manager.release(THING.id, other))
    assert OLD in world.kernel.rules(THING.id)


@pytest.mark.parametrize("document", [b"{}", b"\xff"])
def test_what_is_no_file_changes_nothing(world, document):
    for step in (world.manager.release(THING.id, document), world.manager.expect(document)):
        with pytest.raises(DecodeError):
            run(step)
    assert OLD in world.kernel.rules(THING.id)


def test_a_thing_that_is_cut_off_stays_so(world):
    run(world.restrict(THING.evolve(restriction=Restriction.QUARANTINED)))
    assert run(world.manager.release(THING.id, described(WEATHER)))
    assert world.kernel.applied[-1].barred


def test_the_file_as_admitted_is_shown(world):
    assert world.manager.file(URL) == described(CLOUD)
    assert world.manager.file("https://mud.example/other") is None
