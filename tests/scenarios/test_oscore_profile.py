"""Things that meet by an upload of a token (RFC 9203), and things that do not know the time (RFC 9200 §5.10.3)."""

from __future__ import annotations

import pytest

from tests.scenarios.peers import HOURS, PEERS, command, outcome, press
from tests.scenarios.world import play
from thingstead.agent.story import Place, Request
from thingstead.protocols.ace.creation_hints import CreationHints
from thingstead.protocols.ace.token_upload import TokenUpload
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code

pytestmark = pytest.mark.requirement("R-57")
OSCORE = PEERS.replace("same_zone = false", 'same_zone = false\nprofile = "oscore"')
_QUIET = {"telemetry_interval": 900.0, "update_interval": 900.0, "group_interval": 900.0}


def _without_clock(policy):
    return policy.replace("same_zone = false", "same_zone = false\nclock = false")


async def _two(world, **lamp_config):
    (lamp,) = await world.joined("A0001", **(_QUIET | lamp_config))
    (sensor,) = await world.joined("B0001", maker=world.makers["brook"], model="TH-2", **_QUIET)
    return sensor, lamp


async def _in_clear(world, client, server, message):
    answers = []

    def story():
        answers.append((yield Request(message, protected=False, to=Place(server.address))))

    client.agent.stories.start("test", story(), world.clock.now())
    client.flush()
    await world.until(lambda: answers)
    return answers[0]


async def _press_again(world, sensor, lamp, *, times=3):
    for turn in range(times):
        assert await press(world, sensor, lamp, on=turn % 2 == 0) == Code.CHANGED


@pytest.mark.spec("RFC 9203 4")
def test_a_thing_commands_another_by_a_secret_that_the_domain_made_while_that_is_off():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        assert lamp.lamp.is_on()
        await world.domain.crash()
        await _press_again(world, sensor, lamp)

    play(story, policy=OSCORE)


@pytest.mark.spec("RFC 9203 7")
def test_neither_end_goes_on_under_keys_of_before_a_crash():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        await world.domain.crash()
        keys = set()
        for thing in (lamp, sensor, lamp):
            (live,) = [one for one in sensor.agent.endpoint._associations._by_id if one.startswith("to-")]
            keys.add(sensor.agent.endpoint.association(live).context.sender.nonce_base)
            thing.crash()
            thing.start()
            assert await press(world, sensor, lamp) == Code.CHANGED
        assert len(keys) == 3

    play(story, policy=OSCORE)


@pytest.mark.requirement("R-09")
@pytest.mark.spec("RFC 9770 11.1")
def test_a_right_that_was_taken_back_ends_such_a_session_too():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        held = sensor.agent.peer_client._held[lamp.id]
        (shown,) = await world.domain.ask("token.list")
        await world.domain.ask("token.revoke", token=shown["token"])
        await world.until(lambda: lamp.agent.peer_server.sessions() == {}, within=1)
        sensor.agent.peer_client._held[lamp.id] = held
        switched = lamp.lamp.switched
        assert await press(world, sensor, lamp, on=False) == "refused"
        assert lamp.lamp.switched == switched

    play(story, policy=OSCORE)


def test_rights_end_by_themselves():
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        await world.domain.crash()
        await world.sleep(HOURS * 3600 + 5)
        assert lamp.agent.peer_server.sessions() == {}
        assert await press(world, sensor, lamp) in {"timeout", "transport", "no-response"}

    play(story, policy=OSCORE)


@pytest.mark.spec("RFC 9203 4.1")
@pytest.mark.parametrize("policy", [OSCORE, PEERS], ids=["by upload", "by EDHOC"])
def test_a_renewed_token_takes_the_place_of_the_older_one_under_the_same_keys(policy):
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        before = lamp.agent.peer_server.sessions()[sensor.id]
        live = sensor.agent.endpoint.association(f"to-{lamp.id}")
        await world.sleep(HOURS * 3600 - 300)
        assert lamp.agent.peer_server.sessions()[sensor.id] > before
        assert sensor.agent.endpoint.association(f"to-{lamp.id}") is live
        await world.sleep(600)
        assert await press(world, sensor, lamp, on=False) == Code.CHANGED
        lamp.crash()
        lamp.start()
        assert await press(world, sensor, lamp) == Code.CHANGED, "with a token that can be shown by itself"

    play(story, policy=policy)


@pytest.mark.spec("RFC 9203 6")
@pytest.mark.requirement("R-36")
def test_a_recorded_upload_neither_opens_nor_ends_anything():
    async def story(world):
        sensor, lamp = await _two(world)
        recorded = []

        def record(datagram):
            if datagram.source == sensor.address and datagram.destination == lamp.address:
                recorded.append(datagram.data)
            return (datagram,)

        world.network.on_path = record
        assert await press(world, sensor, lamp) == Code.CHANGED
        world.network.on_path = lambda datagram: (datagram,)
        for number in range(200):
            data = bytearray(recorded[0])
            data[2:4] = number.to_bytes(2, "big")
            lamp.agent.receive_datagram(bytes(data), ("192.0.2.99", 5683 + number), world.clock.now())
            lamp.flush()
            await world.sleep(0.05)
        assert lamp.agent.peer_server.sessions().keys() == {sensor.id}
        assert len(lamp.agent.peer_server._table._waiting) <= 16
        assert await press(world, sensor, lamp, on=False) == Code.CHANGED

    play(story, policy=OSCORE)


@pytest.mark.spec("RFC 9200 5.10.1.1")
def test_what_strangers_bring_is_refused_and_keeps_nothing():
    async def story(world):
        sensor, lamp = await _two(world)
        await press(world, sensor, lamp)
        held = sensor.agent.peer_client._held[lamp.id].access_token
        other = b"\xd8\x3d\xd0" + held[3:-1] + bytes([held[-1] ^ 1])
        wrong = {
            b"": Code.BAD_REQUEST,
            b"\xa0": Code.BAD_REQUEST,
            TokenUpload(held).encode(): Code.BAD_REQUEST,
            TokenUpload(held, bytes(8), bytes(8)).encode(): Code.BAD_REQUEST,
            TokenUpload(other, bytes(8), b"\x01").encode(): Code.UNAUTHORIZED,
            TokenUpload(sensor.agent.association.access_token, bytes(8), b"\x01").encode(): Code.FORBIDDEN,
        }
        for payload, code in wrong.items():
            message = request(Code.POST, "/authz-info", payload=payload, content_format=19)
            assert (await _in_clear(world, sensor, lamp, message)).code == code
        assert len(lamp.agent.peer_server._table._waiting) == 0
        for method in (Code.GET, Code.PUT, Code.DELETE):
            answer = await _in_clear(world, sensor, lamp, request(method, "/authz-info"))
            assert answer.code == Code.METHOD_NOT_ALLOWED

    play(story, policy=OSCORE)


@pytest.mark.spec("RFC 9200 5.3")
def test_a_stranger_is_told_where_to_ask_and_not_whom_it_asked():
    async def story(world):
        sensor, lamp = await _two(world)
        answer = await _in_clear(world, sensor, lamp, request(Code.GET, "/light"))
        assert answer.code == Code.UNAUTHORIZED
        hints = CreationHints.decode(answer.payload)
        assert hints.server.endswith("/token")
        assert (hints.audience, hints.cnonce) == ("", b"")

    play(story, policy=OSCORE)


@pytest.mark.spec("RFC 9200 5.10.3")
@pytest.mark.parametrize("policy", [OSCORE, PEERS], ids=["by upload", "by EDHOC"])
def test_a_lamp_without_a_clock_counts_how_long_a_right_holds(policy):
    async def story(world):
        sensor, lamp = await _two(world, has_clock=False)
        assert await press(world, sensor, lamp) == Code.CHANGED
        await world.domain.crash()
        await world.sleep(HOURS * 3600 - 60)
        assert await press(world, sensor, lamp, on=False) == Code.CHANGED
        await world.sleep(61)
        assert lamp.agent.peer_server.sessions() == {}

    play(story, policy=_without_clock(policy))


@pytest.mark.spec("RFC 9200 5.10.3")
@pytest.mark.parametrize("policy", [OSCORE, PEERS], ids=["by upload", "by EDHOC"])
def test_a_right_at_a_lamp_without_a_clock_does_not_come_back_to_life_with_it(policy):
    async def story(world):
        sensor, lamp = await _two(world, has_clock=False)
        assert await press(world, sensor, lamp) == Code.CHANGED
        held = sensor.agent.peer_client._held[lamp.id]
        lamp.crash()
        lamp.start()
        switched = lamp.lamp.switched
        assert await press(world, sensor, lamp, on=False) == "refused"
        assert lamp.lamp.switched == switched
        sensor.agent.peer_client._drop(lamp.id)
        assert await press(world, sensor, lamp, on=False) == Code.CHANGED, "one that was issued since"
        sensor.agent.peer_client._drop(lamp.id)
        sensor.agent.peer_client._held[lamp.id] = held
        assert await press(world, sensor, lamp) == "refused"

    play(story, policy=_without_clock(policy))


@pytest.mark.spec("RFC 9200 5.10.3")
def test_a_lamp_without_a_clock_takes_no_right_that_does_not_say_how_long():
    async def story(world):
        sensor, lamp = await _two(world, has_clock=False)
        assert await press(world, sensor, lamp) == "refused"
        assert lamp.agent.resources.refused["no exi"] == 1

    play(story, policy=PEERS)


@pytest.mark.spec("RFC 9200 5.3.1")
@pytest.mark.parametrize("policy", [OSCORE, PEERS], ids=["by upload", "by EDHOC"])
@pytest.mark.parametrize("has_clock", [True, False])
def test_a_lamp_that_wants_fresh_rights_says_so_and_gets_them(policy, has_clock):
    async def story(world):
        sensor, lamp = await _two(world, has_clock=has_clock, wants_fresh=True)
        assert await press(world, sensor, lamp) == Code.CHANGED
        lamp.crash()
        lamp.start()
        assert await press(world, sensor, lamp, on=False) == Code.CHANGED
        assert lamp.agent.resources.refused["cnonce"] == 1

    play(story, policy=_without_clock(policy))


@pytest.mark.spec("RFC 9200 5.3.1")
def test_a_token_that_was_kept_back_is_not_fresh():
    async def story(world):
        sensor, lamp = await _two(world, wants_fresh=True)
        assert await press(world, sensor, lamp) == Code.CHANGED
        held = sensor.agent.peer_client._held[lamp.id]
        sensor.agent.peer_client._part(lamp.id)
        await world.sleep(130)
        await world.domain.crash()
        sensor.agent.peer_client._held[lamp.id] = held
        switched = lamp.lamp.switched
        assert await press(world, sensor, lamp, on=False) in {"timeout", "transport", "no-response"}
        assert lamp.lamp.switched == switched

    play(story, policy=OSCORE)


@pytest.mark.requirement("R-16")
@pytest.mark.parametrize("policy", [OSCORE, PEERS], ids=["by upload", "by EDHOC"])
@pytest.mark.parametrize(
    ("level", "code"),
    [(9, 0x96), (10, Code.CHANGED), (60, Code.CHANGED), (61, 0x96), (80, 0x96)],
)
def test_a_lamp_keeps_to_what_the_token_bounds(policy, level, code):
    async def story(world):
        sensor, lamp = await _two(world)
        message = request(Code.PUT, "/light/level", payload=codec.encode(level))
        found = await outcome(world, sensor, lamp, message)
        assert isinstance(found, Message)
        assert found.code == code

    bounded = '"/light/level" = { methods = ["PUT"], lowest = 10, highest = 60, changes_per_minute = 6 }'
    play(story, policy=policy.replace('"/light" = ["PUT", "GET"]', f'"/light" = ["PUT", "GET"]\n{bounded}'))


@pytest.mark.requirement("R-16")
def test_a_rate_in_the_token_binds_its_holder_and_nobody_else():
    async def story(world):
        sensor, lamp = await _two(world)
        codes = [await press(world, sensor, lamp, on=turn % 2 == 0) for turn in range(4)]
        assert codes == [Code.CHANGED] * 2 + [Code.TOO_MANY_REQUESTS, Code.CHANGED], "off it is already"
        server = world.domain.controller.server
        assert (await server.request(lamp.id, command(True))).code == Code.CHANGED
        await world.sleep(61)
        assert await press(world, sensor, lamp, on=False) == Code.CHANGED

    bounded = '"/light" = { methods = ["PUT", "GET"], changes_per_minute = 2 }'
    play(story, policy=OSCORE.replace('"/light" = ["PUT", "GET"]', bounded))


def _observe(world, sensor, lamp):
    """What the sensor is told of the lamp under its session, in order."""
    told: list[tuple[int, object]] = []
    agent = sensor.agent
    on_response = agent.stories.on_response

    def listen(exchange, message, now):
        if exchange == observing:
            told.append((message.code, codec.decode(message.payload) if message.payload else None))
        on_response(exchange, message, now)

    agent.stories.on_response = listen
    observing = agent.endpoint.send_request(
        request(Code.GET, "/light"), lamp.address, world.clock.now(), association=f"to-{lamp.id}", observe=True
    )
    sensor.flush()
    return told


@pytest.mark.requirement("R-09")
@pytest.mark.spec("RFC 9200 5.10.3")
@pytest.mark.parametrize("policy", [OSCORE, PEERS], ids=["by upload", "by EDHOC"])
@pytest.mark.parametrize("ending", ["revoked", "ended", "narrowed"])
def test_an_observation_ends_with_its_right_and_says_so(policy, ending):
    async def story(world):
        sensor, lamp = await _two(world)
        assert await press(world, sensor, lamp) == Code.CHANGED
        told = _observe(world, sensor, lamp)
        server = world.domain.controller.server
        await world.sleep(2)
        await server.request(lamp.id, command(False))
        await world.sleep(2)
        assert told == [(Code.CONTENT, True), (Code.CONTENT, False)]
        if ending == "revoked":
            await world.domain.ask("thing.quarantine", thing=sensor.id)
        elif ending == "ended":
            sensor.agent.peer_client._held.clear()
            await world.sleep(HOURS * 3600)
        else:
            world.domain.policy = policy.replace('"/light" = ["PUT", "GET"]', '"/light" = ["PUT"]')
            await world.domain.ask("policy.reload")
            sensor.agent.stories.start("test", sensor.agent.peer_client.fetch(lamp.id), world.clock.now())
            sensor.flush()
        await world.sleep(3)
        await server.request(lamp.id, command(True))
        await world.sleep(3)
        assert told[-1] == (Code.UNAUTHORIZED, None), "a last word, and nothing after it"
        assert [one for one in told if one == (Code.CONTENT, True)] == told[:1]
        observing = lamp.agent.endpoint._layer.known.observing.values()
        assert not [one for one in observing if one.association != "domain"]

    play(story, policy=policy)
