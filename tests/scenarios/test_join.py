"""A thing's first day: cut off at every message and every write, listened to, tampered with, and told no."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.scenarios.world import POLICY, make_maker, play
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.identifier import KeyId
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import path
from thingstead.protocols.profile.birth import BIRTH

_THREE_DAYS = timedelta(days=3)
_MESSAGES = 4


def _causes(world, kind):
    return [one.cause for one in world.domain.entries(kind)]


def _has_no_operational_key(thing):
    return set(thing.disk) == {BIRTH} and (not thing.is_up or not thing.is_joined)


def test_three_things_join_and_report():
    async def story(world):
        things = await world.joined("A0001", "A0002", "A0003")
        assert {world.domain.record(thing.serial).state for thing in things} == {LifecycleState.OPERATIONAL}

    play(story)


@pytest.mark.parametrize("seed", range(5))
def test_a_line_that_loses_doubles_and_reorders_only_delays(seed):
    async def story(world):
        (thing,) = await world.joined("A0001")
        assert world.domain.record("A0001").id == thing.id

    play(story, seed=seed, loss=0.2, duplication=0.2, jitter=0.1)


@pytest.mark.requirement("R-04")
@pytest.mark.parametrize("passed", range(_MESSAGES))
def test_a_join_cut_at_a_message_leaves_no_operational_key_and_is_resumed_days_later(passed):
    async def story(world):
        thing = world.thing("A0001")
        world.network.on_path = lambda datagram: (datagram,) if len(world.network.sent) <= passed else ()
        thing.start()
        await world.sleep(20)
        assert _has_no_operational_key(thing)
        thing.crash()
        await world.domain.crash()
        world.clock.skew += _THREE_DAYS
        world.network.on_path = lambda datagram: (datagram,)
        await world.domain.start()
        thing.start()
        await world.until(lambda: thing.has_reported)

    play(story)


@pytest.mark.requirement("R-04")
@pytest.mark.parametrize("instant", range(1, 7))
def test_a_thing_cut_at_a_write_of_its_join_holds_all_or_nothing_and_gets_in(instant):
    async def story(world):
        thing = world.thing("A0001")
        thing.fate.fatal = instant
        thing.start()
        await world.until(lambda: not thing.is_up)
        assert thing.disk.keys() <= {BIRTH, "sequence"} or "association" in thing.disk
        thing.start()
        await world.until(lambda: thing.has_reported)

    play(story)


@pytest.mark.requirement("R-04")
@pytest.mark.parametrize("instant", range(1, 40, 2))
def test_a_domain_cut_at_a_write_of_a_join_has_not_told_the_thing_a_key_that_it_does_not_keep(instant):
    async def story(world):
        thing = world.thing("A0001")
        world.domain.fate.fatal = world.domain.fate.instants + instant
        thing.start()
        await world.until(lambda: not world.domain.is_up)
        was_told = thing.is_joined
        await world.domain.start()
        if was_told:
            assert world.domain.controller.planes.access.scope_of(thing.id) is not None
        assert _has_no_operational_key(thing) or was_told
        await world.until(lambda: thing.has_reported)
        joins = _causes(world, Kind.TRANSITION).count("joined")
        assert joins == 1 if was_told else joins >= 1

    play(story)


@pytest.mark.requirement("R-05")
def test_things_of_two_makers_with_their_own_anchors_join_one_domain_and_check_each_other_through_it():
    async def story(world):
        lamp = world.thing("A0001", maker=world.makers["acme"], model="LX-1")
        sensor = world.thing("B0001", maker=world.makers["brook"], model="TH-2")
        for thing in (lamp, sensor):
            thing.start()
        await world.until(lambda: lamp.has_reported and sensor.has_reported)
        assert world.makers["acme"].anchor.public != world.makers["brook"].anchor.public
        for asker, other in ((lamp, sensor), (sensor, lamp)):
            cti = cwt.decode(other.agent.association.thing_credential).claims.required(Claim.CTI)
            question = request(Code.FETCH, path.CREDENTIAL_STATUS, payload=codec.encode(cti))
            answer = await world.ask(asker, question)
            assert (answer.code, codec.decode(answer.payload)) == (Code.CONTENT, 1)

    play(story)


@pytest.mark.requirement("R-05")
def test_a_maker_vouches_for_its_own_things_alone():
    async def story(world):
        forger = replace(world.makers["brook"], name="acme")
        stranger = make_maker("nobody")
        things = [world.thing("A0001", maker=forger), world.thing("N0001", maker=stranger)]
        for thing in things:
            thing.start()
        await world.sleep(120)
        assert all(_has_no_operational_key(thing) for thing in things)
        assert list(world.domain.controller.register.things()) == []

    play(story)


def _flip(data, place):
    return data[:place] + bytes([data[place] ^ 0x01]) + data[place + 1 :]


@pytest.mark.requirement("R-27")
@pytest.mark.parametrize("message", range(_MESSAGES))
@pytest.mark.parametrize("place", [-1, -9, -30])
def test_whoever_changes_a_bit_of_a_join_on_the_way_gets_no_session_accepted(message, place):
    async def story(world):
        thing = world.thing("A0001")

        def tamper(datagram):
            is_thing, size = datagram.source == thing.address, len(datagram.data)
            number = (2 if size > 200 else 0) if is_thing else (3 if size > 500 else 1)
            return (
                (replace(datagram, data=_flip(datagram.data, place)),)
                if number == message and size >= -place
                else (datagram,)
            )

        world.network.on_path = tamper
        thing.start()
        await world.sleep(20)
        assert not thing.is_joined
        assert world.domain.controller.planes.data.accepted == 0

    play(story)


@pytest.mark.requirement("R-27")
def test_a_thing_lured_into_another_domain_never_says_who_it_is():
    async def story(world):
        other = generate(KeyType.P256).public
        thing = world.thing("A0001", sold_to=other)
        thing.start()
        await world.sleep(60)
        sent = b"".join(one.data for one in world.network.sent if one.source == thing.address)
        assert not thing.is_joined
        assert all(len(one.data) < 100 for one in world.network.sent if one.source == thing.address)
        assert b"A0001" not in sent

    play(story)


@pytest.mark.requirement("R-59")
def test_who_it_is_and_whether_it_may_are_two_entries_and_one_does_not_follow_from_the_other():
    async def story(world):
        known_but_unwelcome = world.thing("A0001", model="ZZ-9")
        unknown = world.thing("N0001", maker=make_maker("nobody"))
        welcome = world.thing("A0002")
        for thing in (known_but_unwelcome, unknown, welcome):
            thing.start()
        await world.until(lambda: welcome.has_reported)
        await world.sleep(5)
        serials = {one.details["serial"] for one in world.domain.entries(Kind.AUTHENTICATION)}
        verdicts = {one.details["verdict"] for one in world.domain.entries(Kind.AUTHORIZATION)}
        assert serials == {"A0001", "A0002"}
        assert verdicts == {"admit", "refuse"}
        assert [thing.is_joined for thing in (known_but_unwelcome, unknown, welcome)] == [False, False, True]

    play(story)


@pytest.mark.requirement("R-59")
def test_a_thing_that_waits_for_a_person_is_authenticated_and_may_nothing_until_then():
    async def story(world):
        thing = world.thing("A0001")
        thing.start()
        await world.sleep(10)
        held = world.domain.record("A0001")
        assert held.state is not LifecycleState.OPERATIONAL
        assert _has_no_operational_key(thing)
        await world.domain.ask("thing.admit", thing=held.id)
        await world.until(lambda: thing.has_reported)

    play(story, policy=POLICY.replace('scope = "member"\n', 'scope = "member"\nverdict = "hold"\n'))


@pytest.mark.requirement("R-61")
def test_who_listens_to_a_join_learns_nothing_that_stays_the_same():
    async def story(world):
        (thing,) = await world.joined("A0001")
        await world.sleep(10)
        heard = b"".join(datagram.data for datagram in world.network.sent)
        identity = birth_record.decode(thing.disk[BIRTH]).maker_identity
        keys = [thing.keys.handle(birth_record.IDENTITY_KEY), world.domain.keys.handle(KeyId("domain"))]
        own = ccs.decode(thing.agent.association.domain_credential)
        names = [thing.serial.encode(), b"LX-1", b"acme", thing.id.encode(), own.subject.encode() + b"\xa0"]
        for lasting in (*names, *(key.public.x for key in keys), *(key.public.y for key in keys), identity[20:60]):
            assert lasting not in heard

    play(story)


_HOLD = POLICY.replace('scope = "member"\n', 'scope = "member"\nverdict = "hold"\n')


@pytest.mark.requirement("R-28")
def test_who_waits_gets_in_by_itself_after_a_person_compared_its_key_also_over_a_restart():
    async def story(world):
        thing = world.thing("A0001")
        thing.start()
        await world.sleep(10)
        (waiting,) = await world.domain.ask("thing.waiting")
        label = cose_key.thumbprint(thing.keys.handle(birth_record.IDENTITY_KEY).public).hex()
        assert label.startswith(waiting["key"].replace("-", ""))
        await world.domain.ask("thing.admit", thing=waiting["thing"], key=label)
        await world.domain.crash()
        await world.domain.start()
        assert [one["approved_by"] for one in await world.domain.ask("thing.waiting")] == ["owner"]
        await world.until(lambda: thing.has_reported, within=120)
        assert await world.domain.ask("thing.waiting") == []

    play(story, policy=_HOLD)


@pytest.mark.requirement("R-28")
def test_by_default_whom_no_rule_names_waits_and_a_thing_without_a_trusted_maker_does_not_even_wait():
    async def story(world):
        stranger = world.thing("N0001", maker=make_maker("nobody"))
        unlisted = world.thing("A0001", model="ZZ-9")
        for thing in (stranger, unlisted):
            thing.start()
        await world.sleep(60)
        assert [one["serial"] for one in await world.domain.ask("thing.waiting")] == ["A0001"]
        assert _has_no_operational_key(stranger)
        assert _has_no_operational_key(unlisted)

    play(story, policy=POLICY.replace("building", "home"))
