"""Two things talk without the domain, within rights that were issued before, and not a moment or an inch beyond."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.scenarios.peers import HOURS, PEERS, outcome, press
from tests.scenarios.world import POLICY, play
from thingstead.agent.held_token import HeldToken
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.identifier import KeyId
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import birth as birth_record

_QUIET = {"telemetry_interval": 900.0, "update_interval": 900.0, "group_interval": 900.0}


async def _two(world, **config):
    (lamp,) = await world.joined("A0001", **(_QUIET | config))
    (sensor,) = await world.joined("B0001", maker=world.makers["brook"], model="TH-2", **(_QUIET | config))
    return sensor, lamp


@pytest.mark.requirement("R-57")
def test_a_thing_commands_another_while_the_domain_is_off():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        await world.domain.crash()
        assert await press(world, sensor, lamp, on=False) == Code.CHANGED
        assert not lamp.lamp.is_on()
        for thing in (sensor, lamp):
            thing.crash()
            thing.start()
        assert await press(world, sensor, lamp) == Code.CHANGED
        assert lamp.lamp.is_on()

    play(story, policy=PEERS)


@pytest.mark.requirement("R-57")
def test_rights_end_by_themselves_while_the_domain_is_off():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        await world.domain.crash()
        await world.sleep(HOURS * 3600 + 5)
        assert lamp.agent.peer_server.sessions() == {}
        switched = lamp.lamp.switched
        assert await press(world, sensor, lamp) in {"timeout", "transport", "no-response"}
        assert lamp.lamp.switched == switched

    play(story, policy=PEERS)


@pytest.mark.requirement("R-57")
@pytest.mark.requirement("R-09")
def test_a_right_that_was_taken_back_ends_live_sessions_when_the_lamp_hears_of_it():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        await world.domain.ask("thing.quarantine", thing=sensor.id)
        await world.until(lambda: lamp.agent.peer_server.sessions() == {}, within=1)
        switched = lamp.lamp.switched
        assert await press(world, sensor, lamp, on=False) not in {Code.CHANGED}
        assert lamp.lamp.switched == switched

    play(story, policy=PEERS)


@pytest.mark.requirement("R-57")
@pytest.mark.requirement("R-09")
def test_an_operator_takes_one_right_back_and_the_thing_stays():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        (shown,) = await world.domain.ask("token.list")
        assert (shown["holder"], shown["audience"], shown["revoked"]) == (sensor.id, lamp.id, False)
        taken = await world.domain.ask("token.revoke", token=shown["token"][:10], cause="too bright")
        assert taken["revoked"]
        await world.until(lambda: lamp.agent.peer_server.sessions() == {}, within=1)
        assert sensor.is_joined
        assert sensor.agent.peer_client.tokens() == {}
        assert [one.cause for one in world.domain.entries(Kind.REVOCATION)] == ["too bright"]

    play(story, policy=PEERS)


@pytest.mark.requirement("R-57")
@pytest.mark.requirement("R-09")
def test_what_was_taken_back_while_the_lamp_was_alone_ends_when_it_is_back():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        world.network.on_path = lambda datagram: () if world.domain.address in _ends(datagram, lamp) else (datagram,)
        await world.domain.ask("thing.quarantine", thing=sensor.id)
        assert await press(world, sensor, lamp, on=False) == Code.CHANGED, "the price of rights that need no domain"
        world.network.on_path = lambda datagram: (datagram,)
        await world.until(lambda: lamp.agent.peer_server.sessions() == {}, within=200)
        assert await press(world, sensor, lamp) != Code.CHANGED

    play(story, policy=PEERS)


def _ends(datagram, thing):
    ends = (datagram.source, datagram.destination)
    return ends if thing.address in ends else ()


@pytest.mark.requirement("R-57")
def test_a_token_is_renewed_before_it_ends_while_the_domain_is_there():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        first = sensor.agent.peer_client.tokens()[lamp.id]
        await world.sleep(HOURS * 3600 - 300)
        assert sensor.agent.peer_client.tokens()[lamp.id] > first
        await world.sleep(600)
        assert await press(world, sensor, lamp) == Code.CHANGED

    play(story, policy=PEERS)


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        (Code.POST, "/wipe"),
        (Code.PUT, "/group-keys"),
        (Code.FETCH, "/standing"),
        (Code.DELETE, "/light"),
        (Code.POST, "/light"),
        (Code.GET, "/unknown"),
    ],
)
def test_another_thing_gets_no_further_than_its_token_and_never_what_is_the_domains(method, path):
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        found = await outcome(world, sensor, lamp, request(method, path, payload=b"\xf5"))
        assert isinstance(found, Message)
        assert found.code in {Code.FORBIDDEN, Code.METHOD_NOT_ALLOWED}
        assert lamp.is_joined

    play(story, policy=PEERS)


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize("direction", ["lamp asks sensor", "no rule at all"])
def test_whom_no_rule_names_gets_no_token(direction):
    async def story(world):
        sensor, lamp = await _two(world)
        client, server = (lamp, sensor) if direction == "lamp asks sensor" else (sensor, lamp)
        assert await press(world, client, server) == "unauthorized_client"
        assert world.domain.controller.resources.refused["unauthorized_client"] == 1

    play(story, policy=PEERS if direction == "lamp asks sensor" else POLICY)


def _held(world, sensor, lamp, **changes):
    """A token of the domain for the sensor at the lamp, but for what is changed."""
    keys = world.domain.keys
    at = world.clock.utc().replace(microsecond=0)
    values = {
        "issuer": "home",
        "subject": sensor.id,
        "audience": lamp.id,
        "scope": Scope({"/light": 4}),
        "at": at,
        "expires": at + timedelta(hours=1),
        "cti": b"12345678",
        "signature_id": AlgorithmId.ESP256,
    }
    holder = changes.pop("holder", sensor.keys.handle(birth_record.IDENTITY_KEY).public)
    signer = changes.pop("signer", keys.handle(KeyId("access")))
    values |= changes
    encoded = token.issue(holder, signer, **values)
    rs_public = lamp.keys.handle(birth_record.IDENTITY_KEY).public
    return HeldToken(lamp.id, encoded, rs_public, at, at + timedelta(hours=1))


def _flipped(held, place):
    data = bytearray(held.access_token)
    data[place] ^= 1
    return replace(held, access_token=bytes(data))


_STRANGER = generate(KeyType.P256)
_WRONG = {
    "signature edited": lambda *parties: _flipped(_held(*parties), -1),
    "claims edited": lambda *parties: _flipped(_held(*parties), 40),
    "cut short": lambda *parties: replace(_held(*parties), access_token=_held(*parties).access_token[:-1]),
    "empty": lambda *parties: replace(_held(*parties), access_token=b""),
    "for another thing": lambda *parties: _held(*parties, audience="thing-aaaaaaaaaaaaaaaa"),
    "for the domain": lambda *parties: _held(*parties, audience="home"),
    "of another issuer": lambda *parties: _held(*parties, issuer="elsewhere"),
    "signed by another key of the domain": lambda world, *parties: _held(
        world, *parties, signer=world.domain.keys.handle(KeyId("identity"))
    ),
    "signed by the client itself": lambda world, sensor, lamp: _held(
        world, sensor, lamp, signer=sensor.keys.handle(birth_record.IDENTITY_KEY)
    ),
    "bound to another key": lambda *parties: _held(*parties, holder=_STRANGER.public),
    "of another holder": lambda *parties: _held(*parties, subject="thing-bbbbbbbbbbbbbbbb"),
    "run out": lambda world, *parties: _held(
        world,
        *parties,
        at=world.clock.utc().replace(microsecond=0) - timedelta(hours=2),
        expires=world.clock.utc().replace(microsecond=0) - timedelta(hours=1),
    ),
    "not begun": lambda world, *parties: _held(
        world,
        *parties,
        at=world.clock.utc().replace(microsecond=0) + timedelta(hours=1),
        expires=world.clock.utc().replace(microsecond=0) + timedelta(hours=2),
    ),
    "the client's own at the domain": lambda world, sensor, lamp: replace(
        _held(world, sensor, lamp), access_token=sensor.agent.association.access_token
    ),
    "the domain's own at the lamp": lambda world, sensor, lamp: replace(
        _held(world, sensor, lamp), access_token=lamp.agent.association.granted_token
    ),
    "the lamp's credential": lambda world, sensor, lamp: replace(
        _held(world, sensor, lamp), access_token=lamp.agent.association.thing_credential
    ),
}


@pytest.mark.requirement("R-35")
@pytest.mark.requirement("R-57")
@pytest.mark.parametrize("wrong", _WRONG)
def test_no_wrong_token_opens_a_lamp(wrong):
    async def story(world):
        sensor, lamp = await _two(world)
        client = sensor.agent.peer_client
        client._held[lamp.id] = _WRONG[wrong](world, sensor, lamp)
        assert await press(world, sensor, lamp) not in {Code.CHANGED}
        assert lamp.agent.peer_server.sessions() == {}
        assert lamp.lamp.switched == 0
        client._held[lamp.id] = _held(world, sensor, lamp)
        assert await press(world, sensor, lamp) == Code.CHANGED, "the same with nothing wrong is taken"

    play(story, policy=PEERS)


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9770 11.1")
def test_a_revoked_token_opens_no_session_after_a_restart_without_the_domain():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        kept = sensor.agent.peer_client._held[lamp.id]
        await world.domain.ask("thing.quarantine", thing=sensor.id)
        await world.until(lambda: lamp.agent.peer_server.sessions() == {}, within=1)
        await world.domain.crash()
        lamp.crash()
        lamp.start()
        sensor.agent.peer_client._held[lamp.id] = kept
        assert await press(world, sensor, lamp) not in {Code.CHANGED}
        assert lamp.lamp.switched == 1

    play(story, policy=PEERS)


@pytest.mark.requirement("R-35")
def test_recorded_messages_of_a_session_open_no_other():
    async def story(world):
        sensor, lamp = await _two(world)
        recorded = []

        def record(datagram):
            if datagram.source == sensor.address and datagram.destination == lamp.address:
                recorded.append(datagram.data)
            return (datagram,)

        world.network.on_path = record
        assert await press(world, sensor, lamp) == Code.CHANGED
        lamp.crash()
        lamp.start()
        for data in recorded:
            lamp.agent.receive_datagram(data, ("192.0.2.99", 5683), world.clock.now())
            lamp.flush()
            await world.sleep(1)
        assert lamp.agent.peer_server.sessions() == {}
        assert lamp.lamp.switched == 1

    play(story, policy=PEERS)


@pytest.mark.requirement("R-57")
def test_an_impostor_of_the_lamp_gets_no_token_shown():
    async def story(world):
        sensor, lamp = await _two(world)
        held = _held(world, sensor, lamp)
        client = sensor.agent.peer_client
        client._held[lamp.id] = replace(held, rs_public=_STRANGER.public)
        assert await press(world, sensor, lamp) not in {Code.CHANGED}
        assert lamp.agent.peer_server.sessions() == {}

    play(story, policy=PEERS)


def test_every_token_is_on_the_ledger_with_its_rule():
    async def story(world):
        sensor, lamp = await _two(world)
        await press(world, sensor, lamp)
        (issued,) = [one for one in world.domain.entries(Kind.ISSUE) if one.cause == "token"]
        assert issued.thing == sensor.id
        assert issued.details["audience"] == lamp.id
        assert issued.details["rule"] == "sensors switch lamps"

    play(story, policy=PEERS)


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9200 5.9")
@pytest.mark.parametrize(("asker", "is_active"), [("lamp", True), ("sensor", False), ("nobody revoked", False)])
def test_only_whom_a_token_is_for_learns_that_it_counts(asker, is_active):
    async def story(world):
        sensor, lamp = await _two(world)
        await press(world, sensor, lamp)
        shown = codec.encode({11: sensor.agent.peer_client._held[lamp.id].access_token})
        if asker == "nobody revoked":
            await world.domain.ask("thing.quarantine", thing=sensor.id)
        who = sensor if asker == "sensor" else lamp
        answer = await world.ask(who, request(Code.POST, "/introspect", payload=shown, content_format=19))
        found = codec.decode(answer.payload)
        assert found[10] is is_active
        assert (found.get(2) == sensor.id) is is_active

    play(story, policy=PEERS)
