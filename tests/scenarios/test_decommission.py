"""A thing's last day: it wipes itself and signs that it did, and nobody accepts anything of it any more."""

import base64

import pytest

from tests.scenarios.world import play
from thingstead.crypto.digest import digest
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.plane import Standing
from thingstead.protocols.coap.message import decode
from thingstead.protocols.profile.birth import BIRTH, DECRYPTION_KEY, IDENTITY_KEY
from thingstead.simulator.virtual.network import Datagram

_REFUSES = {Standing.REFUSED, Standing.ABSENT}


async def _retire(world, thing):
    return await world.domain.ask("thing.retire", thing=thing.id)


@pytest.mark.requirement("R-09")
def test_a_retired_thing_signs_that_it_wiped_itself_and_every_peer_refuses_it_within_a_minute():
    async def story(world):
        retired, other = await world.joined("A0001", "A0002")
        thing, decided = retired.id, world.clock.now()
        answer = await _retire(world, retired)
        assert world.clock.now() - decided < 60
        # Nobody enforces this world's network, so nobody can say when it last let the thing through.
        times = {plane["plane"]: plane["milliseconds"] for plane in answer["planes"] if plane["plane"] != "network"}
        assert len(times) == 5
        assert all(time is not None and time < 60_000 for time in times.values())
        probes = await world.domain.controller.kill_clock.probe(thing)
        assert {probe.standing for probe in probes} <= _REFUSES
        (transition,) = [one for one in world.domain.entries(Kind.TRANSITION) if one.cause == "retired"]
        assert transition.details["wipe_receipt"] == digest(base64.urlsafe_b64decode(answer["wipe_receipt"]))
        assert {one.actor for one in world.domain.entries(Kind.REVOCATION)} == {"plane:identity", "plane:access"}
        assert set(retired.disk) == {BIRTH}
        assert retired.keys.ids() == {IDENTITY_KEY, DECRYPTION_KEY}
        assert retired.slots.active()
        assert other.is_joined
        await world.sleep(300)
        assert not retired.is_joined
        assert world.domain.record("A0001").state is LifecycleState.DECOMMISSIONED

    play(story)


@pytest.mark.requirement("R-09")
def test_what_a_retired_thing_kept_from_before_opens_nothing():
    async def story(world):
        (thing,) = await world.joined("A0001")
        kept, taken = dict(thing.disk), world.domain.controller.planes.data.accepted
        await _retire(world, thing)
        thing.crash()
        thing.disk = kept
        thing.start()
        await world.sleep(120)
        assert world.domain.controller.planes.data.accepted == taken
        assert world.domain.record("A0001").state is LifecycleState.DECOMMISSIONED

    play(story)


@pytest.mark.requirement("R-09")
def test_of_a_retired_identity_that_comes_again_and_again_nothing_is_kept_but_the_count():
    async def story(world):
        thing, other = await world.joined("A0001", "A0002")
        kept = dict(thing.disk)
        await _retire(world, thing)
        thing.crash()
        other.crash()
        await world.sleep(61)
        domain, controller = world.domain, world.domain.controller
        documents = {plane.name: dict(domain.disk.documents(plane.name)) for plane in controller.planes}
        things, entries = tuple(controller.register.things()), len(list(domain.entries()))
        thing.disk = kept
        for _ in range(12):
            thing.start()
            await world.sleep(4)
            thing.crash()
        refused = controller.resources.refused["retired"]
        assert refused >= 12
        await world.sleep(61)
        assert {plane.name: dict(domain.disk.documents(plane.name)) for plane in controller.planes} == documents
        assert tuple(controller.register.things()) == things
        assert controller.bootstrap.half_open == 0
        told = list(domain.entries())[entries:]
        assert {(one.kind, one.cause, one.thing) for one in told} == {(Kind.REFUSAL, "retired", None)}
        assert sum(one.details["count"] for one in told) == refused

    play(story)


@pytest.mark.parametrize("seed", range(4))
def test_a_lost_answer_is_given_again(seed):
    async def story(world):
        (thing,) = await world.joined("A0001")
        answer = await _retire(world, thing)
        assert answer["wipe_receipt"]

    play(story, seed=seed, loss=0.2, duplication=0.3, jitter=0.05)


def test_a_thing_that_does_not_answer_is_retired_all_the_same_and_the_record_says_so():
    async def story(world):
        (thing,) = await world.joined("A0001")
        identifier = thing.id
        thing.crash()
        answer = await world.domain.ask("thing.retire", thing=identifier)
        assert (answer["state"], answer["wipe_receipt"], answer["no_receipt"]) == ("decommissioned", "", "timeout")
        (transition,) = [one for one in world.domain.entries(Kind.TRANSITION) if one.cause == "retired"]
        assert (transition.details["wipe_receipt"], transition.details["no_receipt"]) == (None, "timeout")

    play(story)


def test_a_receipt_that_someone_else_signed_is_none():
    async def story(world):
        (thing,) = await world.joined("A0001")
        thing.keys.delete(IDENTITY_KEY)
        thing.keys.create(IDENTITY_KEY, world.makers["acme"].anchor.public.type)
        answer = await _retire(world, thing)
        assert (answer["wipe_receipt"], answer["no_receipt"]) == ("", "unauthenticated")

    play(story)


def test_a_hand_over_needs_the_receipt_unless_it_is_forced():
    async def story(world):
        (thing,) = await world.joined("A0001")
        identifier = thing.id
        thing.crash()
        refused = await world.domain.answer("thing.hand-over", thing=identifier)
        assert refused["error"]["kind"] == "PolicyError"
        assert world.domain.record("A0001").state is LifecycleState.OPERATIONAL
        forced = await world.domain.ask("thing.hand-over", thing=identifier, forced=True)
        assert (forced["state"], forced["no_receipt"]) == ("re-owned", "timeout")

    play(story)


def test_a_thing_handed_over_wipes_itself():
    async def story(world):
        (thing,) = await world.joined("A0001")
        answer = await world.domain.ask("thing.hand-over", thing=thing.id)
        assert answer["state"] == "re-owned"
        assert answer["wipe_receipt"]
        assert set(thing.disk) == {BIRTH}

    play(story)


def test_what_the_lifecycle_refuses_does_not_cost_the_thing_its_association():
    async def story(world):
        (thing,) = await world.joined("A0001")
        await _retire(world, thing)
        again = await world.domain.answer("thing.retire", thing=world.domain.record("A0001").id)
        assert again["error"]["kind"] == "TransitionError"

    play(story)


def test_nobody_but_the_domain_may_ask_for_a_wipe():
    async def story(world):
        one, other = await world.joined("A0001", "A0002")
        asked = len(world.network.sent)
        await world.domain.ask("thing.retire", thing=other.id)
        wipes = [
            datagram
            for datagram in world.network.sent[asked:]
            if datagram.source == world.domain.address and decode(datagram.data).code == 0x02
        ]
        assert wipes
        for datagram in wipes:
            world.network.inject(Datagram(world.clock.now(), datagram.source, one.address, datagram.data))
        plain = bytes.fromhex("4002a001b477697065ff48") + bytes(8)
        world.network.inject(Datagram(world.clock.now(), world.domain.address, one.address, plain))
        await world.sleep(30)
        assert one.is_joined
        assert set(one.disk) > {BIRTH}

    play(story)


@pytest.mark.parametrize("instant", range(1, 9))
def test_a_power_cut_leaves_a_thing_wiped_or_not_wiped_and_never_half(instant):
    async def story(world):
        (thing,) = await world.joined("A0001")
        before = dict(thing.disk)
        thing.fate.fatal = thing.fate.instants + instant
        await _retire(world, thing)
        thing.fate.fatal = None
        assert not thing.is_up
        thing.start()
        assert set(thing.disk) in ({BIRTH}, set(before))

    play(story)


@pytest.mark.requirement("R-09")
@pytest.mark.slow
@pytest.mark.parametrize("instant", range(1, 19, 2))
def test_a_domain_that_dies_while_it_retires_a_thing_has_it_in_whole_or_out_on_every_plane(instant):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        identifier, domain, kept = lamp.id, world.domain, dict(lamp.disk)
        domain.fate.fatal = domain.fate.instants + instant
        await domain.answer("thing.retire", thing=identifier)
        domain.fate.fatal = None
        await world.sleep(0.1)
        if not domain.is_up:
            await domain.start()
        await world.sleep(5)
        if domain.record("A0001").state is not LifecycleState.DECOMMISSIONED:
            await domain.ask("thing.retire", thing=identifier)
        await world.until(lambda: not domain.controller.register.obligations(identifier), within=120)
        probes = await domain.controller.kill_clock.probe(identifier)
        assert {probe.standing for probe in probes} <= _REFUSES
        assert sum(one.cause == "retired" for one in domain.entries(Kind.TRANSITION)) == 1
        if lamp.is_up:
            lamp.crash()
        lamp.disk = kept
        lamp.start()
        await world.sleep(60)
        assert not domain.controller.server.is_live(identifier)
        assert domain.controller.resources.refused["retired"]

    play(story)
