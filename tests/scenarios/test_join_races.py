"""What happens beside a join: a second one of the same thing, and decisions against it that come meanwhile."""

import asyncio
from datetime import timedelta

import pytest

from tests.scenarios.world import POLICY, play
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.domain.lifecycle import Restriction
from thingstead.errors import PolicyError, TransitionError, UntrustedError
from thingstead.phases.bootstrap import Newcomer
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.profile import birth as birth_record
from thingstead.secret import Secret

_HOLD = POLICY.replace('name = "lamps of Acme"', 'name = "lamps of Acme"\nverdict = "hold"')


def _newcomer(world, serial, number=1):
    """What a handshake of the thing ended in; each has keys of its own."""
    thing = world.things.get(serial) or world.thing(serial)
    identity = world.domain.controller.bootstrap._authenticate(
        birth_record.decode(thing.disk[birth_record.BIRTH]).maker_identity, world.clock.utc()
    )
    oscore = OscoreParameters(
        Secret(bytes([number]) * 16),
        bytes(8),
        bytes([number]),
        bytes([number, 1, 1]),
        AlgorithmId.AES_CCM_16_64_128,
        AlgorithmId.SHA_256,
    )
    return Newcomer(identity, oscore, "192.0.2.1")


def test_a_newcomer_that_joins_twice_at_once_is_one_thing():
    async def story(world):
        admission = world.domain.controller.admission
        await asyncio.gather(*[admission(_newcomer(world, "A0001", number)) for number in (1, 2)])
        assert world.domain.record("A0001").serial == "A0001"

    play(story)


def _slowed(world, act):
    """Let `act` happen when a join has decided and is about to be committed."""
    admission = world.domain.controller.admission
    note = admission._note_place

    async def slow(thing, source):
        await note(thing, source)
        await act(thing)

    admission._note_place = slow
    return admission


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("restriction", [Restriction.QUARANTINED, Restriction.HELD])
def test_a_thing_that_is_cut_off_while_it_joins_is_not_let_in_now_nor_by_the_end_of_its_quarantine(restriction):
    async def story(world):
        controller = world.domain.controller

        async def cut_off(thing):
            await controller.conductor.restrict(thing, restriction, actor="owner", cause="doubt")

        with pytest.raises(TransitionError):
            await _slowed(world, cut_off)(_newcomer(world, "A0001"))
        thing = world.domain.record("A0001").id
        assert controller.planes.access.scope_of(thing) is None
        await controller.conductor.restrict(thing, Restriction.NONE, actor="owner", cause="over")
        assert controller.planes.access.scope_of(thing) is None
        assert not controller.server.is_live(thing)

    play(story)


@pytest.mark.requirement("R-09")
def test_keys_of_a_join_that_could_not_be_kept_are_granted_by_no_later_decision():
    async def story(world):
        controller = world.domain.controller
        (lamp,) = await world.joined("A0001")
        lamp.crash()

        async def cut_off(thing):
            await controller.conductor.restrict(thing, Restriction.QUARANTINED, actor="owner", cause="doubt")

        with pytest.raises(TransitionError):
            await _slowed(world, cut_off)(_newcomer(world, "A0001", 7))
        thing = world.domain.record("A0001").id
        await controller.conductor.restrict(thing, Restriction.NONE, actor="owner", cause="over")
        await controller.conductor.resume()
        assert not controller.server.is_live(thing)

    play(story)


def test_a_held_thing_does_not_join_anew():
    async def story(world):
        controller = world.domain.controller
        await controller.admission(_newcomer(world, "A0001"))
        thing = world.domain.record("A0001").id
        await controller.conductor.restrict(thing, Restriction.HELD, actor="owner", cause="doubt")
        with pytest.raises(UntrustedError) as refused:
            await controller.admission(_newcomer(world, "A0001", 2))
        assert refused.value.reason == "held"

    play(story)


def test_an_approval_is_good_for_a_day():
    async def story(world):
        admission = world.domain.controller.admission
        with pytest.raises(PolicyError):
            await admission(_newcomer(world, "A0001"))
        await admission.approve(world.domain.record("A0001").id, "", by="owner")
        world.clock.skew += timedelta(days=1)
        with pytest.raises(PolicyError):
            await admission(_newcomer(world, "A0001", 2))
        await admission.approve(world.domain.record("A0001").id, "", by="owner")
        await admission(_newcomer(world, "A0001", 3))

    play(story, policy=_HOLD)


def test_what_is_in_quarantine_cannot_be_approved_ahead():
    async def story(world):
        controller = world.domain.controller
        await controller.admission(_newcomer(world, "A0001"))
        thing = world.domain.record("A0001").id
        await controller.conductor.restrict(thing, Restriction.QUARANTINED, actor="owner", cause="doubt")
        with pytest.raises(UntrustedError):
            await controller.admission.approve(thing, "", by="owner")

    play(story)
