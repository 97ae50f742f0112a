"""Invariant: what a thing's rules allow by name is no alarm; whoever may speak to anybody is told of all the same."""

import asyncio
from dataclasses import replace
from ipaddress import ip_address

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import World
from thingstead.analysis.detectors.detector import Detection, Peer, Severity
from thingstead.controller.allowed_peers import are_named
from thingstead.errors import TransportError
from thingstead.identifier import ThingId
from thingstead.protocols.mud.builder import Service
from thingstead.protocols.mud.file import Remote, RemoteKind

CAMERA = a_thing()
MAIL = Service(Remote(RemoteKind.DNS_NAME, "smtp.acme.example"), 6, remote_port=465)
ANYBODY = Service(Remote(RemoteKind.ANY), 6, remote_port=465)
SERVER, SERVER6 = "198.51.100.7", "2001:db8::7"


def peer(address=SERVER, port=465, protocol=6):
    return Peer(ip_address(address).packed, protocol, port)


def found(*peers, thing=CAMERA.id):
    return Detection(
        "mail", b"\2\0\0\0\0\1", thing, "mail", 1.0, 2.0, ("one",), "three", "It sends mail.", Severity.ALARM, peers
    )


def is_named(detection, *services):
    """As the rules of a camera's maker have it."""

    async def story():
        world = World(*services, smtp_acme_example=((SERVER, SERVER6), 60))
        await world.admit(CAMERA)
        return await are_named(detection, world.manager.explain)

    return asyncio.run(story())


@pytest.mark.requirement("R-38")
@pytest.mark.spec("RFC 8520 8")
@pytest.mark.parametrize("peers", [(peer(),), (peer(SERVER6),), (peer(), peer(SERVER6))])
def test_a_camera_that_may_send_mail_there_did_what_it_is_for(peers):
    assert is_named(found(*peers), MAIL)


@pytest.mark.requirement("R-38")
@pytest.mark.parametrize(
    ("services", "detection"),
    [
        ((MAIL,), found(peer("198.51.100.8"))),
        ((MAIL,), found(peer(), peer("198.51.100.8"))),
        ((MAIL,), found(peer(port=25))),
        ((MAIL,), found(peer(protocol=17))),
        ((MAIL,), found()),
        ((MAIL,), found(peer(), thing=None)),
        ((MAIL,), found(peer(), thing=ThingId("thing-bbbbbbbbbbbbbbbb"))),
        ((ANYBODY,), found(peer())),
        ((MAIL, ANYBODY), found(peer())),
        ((), found(peer())),
    ],
    ids=[
        "another host",
        "another host besides",
        "another port",
        "another protocol",
        "no peers",
        "no thing",
        "under no rules",
        "who may anything",
        "who may anything besides",
        "who may nothing",
    ],
)
def test_what_no_rule_names_is_told(services, detection):
    assert not is_named(detection, *services)


@pytest.mark.requirement("R-38")
def test_what_was_found_stands_while_nobody_knows_the_rules():
    async def explain(_thing, _flows):
        raise TransportError("the keeper is gone")

    assert not asyncio.run(are_named(found(peer()), explain))


def test_rules_are_never_asked_by_names_that_the_thing_was_told():
    """Whoever answers the thing's look-ups would say that his address is the maker's."""
    asked = []

    async def explain(_thing, flows):
        asked.extend(flows)
        return ()

    asyncio.run(are_named(replace(found(peer(), peer(SERVER6))), explain))
    assert asked
    assert {one.names for one in asked} == {()}
