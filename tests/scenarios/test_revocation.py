"""A revoked token is known where it would be shown: at once to who listens, and to who slept as soon as it is awake."""

from datetime import timedelta

import pytest

from tests.scenarios.world import play
from thingstead.planes.access.issued_tokens import IssuedToken

_HASH = b"\x01" + bytes(32)


async def _revoke(world, subject, audience):
    tokens = world.domain.controller.planes.tokens
    await tokens.revoke({_HASH: IssuedToken(subject, audience, world.clock.utc() + timedelta(hours=1))})


@pytest.mark.requirement("R-09")
@pytest.mark.spec("RFC 9770 11")
def test_a_thing_hears_at_once_of_a_revoked_token_and_another_never():
    async def story(world):
        switch, light, other = await world.joined("A0001", "A0002", "A0003")
        await world.sleep(2)
        await _revoke(world, switch.id, light.id)
        await world.until(lambda: _HASH in light.agent.revocations, within=1)
        await world.sleep(65)
        assert _HASH not in other.agent.revocations

    play(story)


@pytest.mark.requirement("R-09")
@pytest.mark.spec("RFC 9770 11")
@pytest.mark.parametrize("restart", ["thing", "domain"])
def test_who_was_away_hears_of_it_after_a_restart(restart):
    async def story(world):
        switch, light = await world.joined("A0001", "A0002")
        names = switch.id, light.id
        light.crash()
        await _revoke(world, *names)
        if restart == "domain":
            await world.domain.crash()
            await world.domain.start()
        light.start()
        await world.until(lambda: _HASH in light.agent.revocations, within=10)

    play(story)


@pytest.mark.requirement("R-09")
def test_a_lost_notification_is_made_good_by_the_next_full_look():
    async def story(world):
        switch, light = await world.joined("A0001", "A0002")
        world.network.on_path = lambda datagram: () if datagram.destination == light.address else (datagram,)
        await _revoke(world, switch.id, light.id)
        await world.sleep(100)
        assert _HASH not in light.agent.revocations
        world.network.on_path = lambda datagram: (datagram,)
        await world.until(lambda: _HASH in light.agent.revocations, within=125)

    play(story)


@pytest.mark.spec("RFC 9770 5.1")
def test_an_expired_token_is_let_go_everywhere():
    async def story(world):
        switch, light = await world.joined("A0001", "A0002", telemetry_interval=600.0, update_interval=600.0)
        await _revoke(world, switch.id, light.id)
        await world.until(lambda: _HASH in light.agent.revocations, within=10)
        await world.sleep(3605)
        assert _HASH not in light.agent.revocations
        assert not list(world.domain.controller.planes.tokens.of(""))

    play(story)
