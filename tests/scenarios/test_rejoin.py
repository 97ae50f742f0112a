"""Joining again: what a member does when its grant has run out, and what it may never do with its old keys."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.scenarios.nonces import watched_nonces
from tests.scenarios.world import play
from thingstead.domain.ledger.entry import Kind
from thingstead.protocols.coap.message import decode
from thingstead.protocols.edhoc.combined_request import is_combined
from thingstead.simulator.virtual.network import Datagram

_RUN_OUT = timedelta(days=91)


def _joins(world):
    return sum(one.cause == "joined" for one in world.domain.entries(Kind.TRANSITION))


async def _told_again(world, thing):
    told = world.domain.controller.planes.data.accepted
    await world.until(lambda: thing.is_joined and world.domain.controller.planes.data.accepted > told, within=300)


def test_a_member_whose_token_ran_out_joins_again_by_itself():
    async def story(world):
        (thing,) = await world.joined("A0001")
        identifier = thing.id
        world.clock.skew += _RUN_OUT
        await _told_again(world, thing)
        assert (thing.id, _joins(world)) == (identifier, 2)

    play(story)


def test_a_member_that_slept_past_the_end_of_its_token_joins_again():
    async def story(world):
        (thing,) = await world.joined("A0001")
        thing.crash()
        world.clock.skew += _RUN_OUT
        thing.start()
        await _told_again(world, thing)
        assert _joins(world) == 2

    play(story)


@pytest.mark.requirement("R-26")
@pytest.mark.parametrize("instant", range(1, 9))
def test_a_thing_that_dies_while_it_joins_again_repeats_no_nonce_under_its_old_keys(instant):
    async def story(world):
        (thing,) = await world.joined("A0001")
        thing.fate.fatal = thing.fate.instants + instant
        world.clock.skew += _RUN_OUT
        await world.sleep(60)
        thing.fate.fatal = None
        if not thing.is_up:
            thing.start()
        await _told_again(world, thing)

    with watched_nonces() as nonces:
        play(story)
    assert nonces.repeated == []


@pytest.mark.parametrize("damage", [b"", b"\xff", bytes(40)])
def test_a_thing_whose_memory_of_its_join_is_damaged_joins_again(damage):
    async def story(world):
        (thing,) = await world.joined("A0001")
        thing.crash()
        thing.disk["association"] = damage
        thing.start()
        await _told_again(world, thing)

    play(story)


def _combined(world) -> Iterator[Datagram]:
    return (one for one in world.network.sent if is_combined(decode(one.data)))


@pytest.mark.spec("RFC 9668 3.3.1")
def test_a_member_joins_again_with_message_3_and_its_first_request_in_one():
    async def story(world):
        (thing,) = await world.joined("A0001")
        assert not list(_combined(world))
        world.clock.skew += _RUN_OUT
        await _told_again(world, thing)
        assert {one.source for one in _combined(world)} == {thing.address}
        assert _joins(world) == 2
        answers = [decode(one.data) for one in world.network.sent if one.destination == thing.address]
        assert not [answer for answer in answers if answer.payload and len(answer.payload) > 1100]

    play(story)


@pytest.mark.requirement("R-26")
def test_what_was_sent_before_the_new_keys_were_kept_is_behind_their_first_number():
    async def story(world):
        (thing,) = await world.joined("A0001")
        world.clock.skew += _RUN_OUT
        await _told_again(world, thing)
        thing.crash()
        thing.start()
        await _told_again(world, thing)

    with watched_nonces() as nonces:
        play(story)
    assert nonces.repeated == []


@pytest.mark.requirement("R-27")
def test_a_member_whose_combined_requests_are_spoilt_joins_without():
    async def story(world):
        (thing,) = await world.joined("A0001")

        def spoil(datagram):
            if not is_combined(decode(datagram.data)):
                return (datagram,)
            at = datagram.data.index(b"\xff") + 8
            spoilt = datagram.data[:at] + bytes([datagram.data[at] ^ 1]) + datagram.data[at + 1 :]
            return (Datagram(datagram.at, datagram.source, datagram.destination, spoilt),)

        world.network.on_path = spoil
        world.clock.skew += _RUN_OUT
        await _told_again(world, thing)
        assert list(_combined(world))
        assert _joins(world) == 2

    play(story)


@pytest.mark.requirement("R-15")
def test_a_combined_request_sent_again_by_another_takes_nobody_in():
    async def story(world):
        (thing,) = await world.joined("A0001")
        world.clock.skew += _RUN_OUT
        await _told_again(world, thing)
        (recorded, *_) = _combined(world)
        for number in range(20):
            data = recorded.data[:2] + bytes([number, number]) + recorded.data[4:]
            world.network.inject(Datagram(recorded.at, ("203.0.113.66", 5683), recorded.destination, data))
            world.network.inject(Datagram(recorded.at, recorded.source, recorded.destination, data))
        await world.sleep(5)
        assert _joins(world) == 2

    play(story)
