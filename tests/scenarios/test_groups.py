"""Lamps in a group: one message for all, somebody put out, keys that follow, and who may say what."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.scenarios.groups import (
    POLICY_WITH_SWITCH,
    captured,
    command,
    commanded,
    commands,
    context_of,
    epochs,
    is_settled,
    kept_keys,
    lamps,
    named,
    record,
    relabelled,
    send,
    switch,
    watch,
)
from tests.scenarios.world import AT, play
from thingstead.crypto.key import KeyType
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.domain.plane import PlaneName, Standing
from thingstead.errors import AuthenticationError, UntrustedError
from thingstead.identifier import KeyId
from thingstead.protocols.coap.message import decode
from thingstead.protocols.group_oscore.context import GroupContext, OwnIdentity
from thingstead.protocols.group_oscore.protection import protect_group_request, unprotect_group_request
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.simulator.virtual.clock import VirtualClock

SERIALS = ("A0001", "A0002", "A0003")


def on(*things):
    return [thing.lamp.is_on() for thing in things]


@pytest.mark.spec("RFC 10021 7.1")
def test_one_message_switches_three_lamps_and_each_answers_for_itself():
    async def story(world):
        things = await lamps(world, *SERIALS)
        sent = len(world.network.sent)
        report = await switch(world)
        assert report == {"group": "lamps", "answers": {thing.id: "2.04" for thing in things}, "silent": ()}
        assert on(*things) == [True, True, True]
        assert len(commands(world, sent)) == 1

    play(story)


@pytest.mark.requirement("R-63")
@pytest.mark.spec("RFC 10021 12.2")
def test_an_evicted_lamp_reads_no_later_command():
    async def story(world):
        first, second, evicted = await lamps(world, *SERIALS)
        stolen, before = captured(evicted), record(world).num
        await world.domain.ask("group.evict", group="lamps", thing=evicted.id)
        assert record(world).num == before + 1
        assert epochs(first, second) == [before + 1, before + 1]
        report = await switch(world)
        assert sorted(report["answers"]) == sorted([first.id, second.id])
        assert on(first, second, evicted) == [True, True, False]
        message = decode(commands(world)[-1].data)
        with pytest.raises(UntrustedError):
            unprotect_group_request(message, context=stolen)
        with pytest.raises(AuthenticationError):
            unprotect_group_request(relabelled(message, stolen.gid), context=stolen)

    play(story)


@pytest.mark.requirement("R-63")
@pytest.mark.spec("RFC 10021 12.2")
def test_an_evicted_switch_commands_nobody_any_more():
    async def story(world):
        things = await lamps(world, *SERIALS)
        (wall,) = await lamps(world, "S0001", model="SW-1")
        stolen = captured(wall)
        send(world, commanded(stolen), wall)
        await world.until(lambda: on(*things) == [True, True, True])
        await world.domain.ask("group.evict", group="lamps", thing=wall.id)
        send(world, commanded(stolen, to=False), wall)
        send(world, relabelled(commanded(stolen, to=False), record(world).gid), wall)
        await world.sleep(5)
        assert on(*things) == [True, True, True]

    play(story, policy=POLICY_WITH_SWITCH)


@pytest.mark.requirement("R-63")
@pytest.mark.spec("RFC 10021 12.2")
def test_a_late_joiner_cannot_read_what_it_recorded_before():
    async def story(world):
        await lamps(world, *SERIALS[:2])
        await switch(world)
        recorded = decode(commands(world)[-1].data)
        (late,) = await lamps(world, SERIALS[2])
        context = captured(late)
        with pytest.raises(UntrustedError):
            unprotect_group_request(recorded, context=context)
        with pytest.raises(AuthenticationError):
            unprotect_group_request(relabelled(recorded, context.gid), context=context)

    play(story)


@pytest.mark.requirement("R-63")
def test_an_evicted_lamp_is_not_let_in_again_until_it_is_readmitted():
    async def story(world):
        first, evicted = await lamps(world, *SERIALS[:2], group_interval=1.0)
        await world.domain.ask("group.evict", group="lamps", thing=evicted.id)
        await world.sleep(20)
        assert epochs(evicted) == [0]
        assert [member.thing for member in record(world).members] == [first.id]
        await world.domain.ask("group.readmit", group="lamps", thing=evicted.id)
        await world.until(lambda: is_settled(world, [first, evicted]))

    play(story)


@pytest.mark.requirement("R-65")
@pytest.mark.spec("RFC 10021 7.2")
def test_a_captured_lamp_that_poses_as_the_domain_is_refused_by_all():
    async def story(world):
        first, second, thief = await lamps(world, *SERIALS)
        keys = kept_keys(thief)
        domain = keys.members[0]
        forged = GroupContext(
            keys.gid,
            master_secret=keys.master_secret,
            master_salt=keys.master_salt,
            gm_credential=keys.gm_credential,
            algorithms=captured(thief).algorithms,
            own=OwnIdentity(
                domain.sender_id,
                captured(first).members[domain.sender_id].credential,
                thief.keys.handle(KeyId("group-lamps")),
                SequenceNumbers(5000),
            ),
        )
        message, _ = protect_group_request(command(), context=forged)
        send(world, message, thief)
        await world.sleep(5)
        assert on(first, second) == [False, False]
        assert all(lamp.agent.endpoint.counters["unauthenticated"] == 1 for lamp in (first, second))

    play(story)


@pytest.mark.requirement("R-65")
@pytest.mark.spec("RFC 9237 2")
def test_a_member_that_speaks_for_itself_gets_no_further_than_its_right():
    async def story(world):
        first, second, captive = await lamps(world, *SERIALS)
        send(world, commanded(captured(captive)), captive)
        await world.sleep(5)
        assert on(first, second) == [False, False]
        assert all(lamp.agent.resources.refused["forbidden"] == 1 for lamp in (first, second))

    play(story)


@pytest.mark.requirement("R-65")
def test_no_group_message_hands_out_keys_whatever_a_scope_says():
    async def story(world):
        (lamp,) = await lamps(world, SERIALS[0])
        (wall,) = await lamps(world, "S0001", model="SW-1")
        keys = replace(kept_keys(lamp), num=kept_keys(lamp).num + 1)
        offered = replace(command(), options=[(11, b"group-keys")], payload=keys.encode())
        message, _ = protect_group_request(offered, context=captured(wall))
        before = epochs(lamp)
        send(world, message, wall)
        await world.sleep(5)
        assert epochs(lamp) == before
        assert lamp.agent.resources.refused["forbidden"] == 1

    play(story, policy=POLICY_WITH_SWITCH)


@pytest.mark.requirement("R-63")
def test_a_silent_member_parks_no_rekey_and_catches_up_when_it_is_back():
    async def story(world):
        first, sleeper, evicted = await lamps(world, *SERIALS)
        sleeper.crash()
        asked = world.clock.now()
        await world.domain.ask("group.evict", group="lamps", thing=evicted.id)
        assert world.clock.now() - asked < 3
        assert epochs(first) == [record(world).num]
        assert list((await switch(world))["answers"]) == [first.id]
        sleeper.start()
        await world.until(lambda: is_settled(world, [first, sleeper]))
        assert sorted((await switch(world, "off"))["answers"]) == sorted([first.id, sleeper.id])

    play(story)


@pytest.mark.requirement("R-63")
def test_keys_that_nobody_renews_are_used_by_nobody_for_ever():
    async def story(world):
        clock = VirtualClock(world.clock._loop, AT)
        lamp = world.thing(SERIALS[0], multicast_group="239.83.0.1", multicast_port=5684)
        lamp.clock = clock
        lamp.start()
        await world.until(lambda: lamp.has_reported and is_settled(world, [lamp]))
        (wall,) = await lamps(world, "S0001", model="SW-1")
        stolen = captured(wall)
        await world.domain.crash()
        clock.skew = timedelta(days=15)
        send(world, commanded(stolen), wall)
        await world.sleep(5)
        assert on(lamp) == [False]

    play(story, policy=POLICY_WITH_SWITCH)


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 B.1.2")
def test_a_restarted_lamp_acts_on_no_replayed_command():
    async def story(world):
        (lamp,) = await lamps(world, SERIALS[0])
        await switch(world)
        recorded = commands(world)[-1]
        await switch(world, "off")
        lamp.crash()
        lamp.start()
        await world.sleep(1)
        world.network.inject(recorded)
        await world.sleep(10)
        assert on(lamp) == [False]
        assert lamp.agent.endpoint.counters["freshness"] == 1
        assert list((await switch(world))["answers"]) == [lamp.id]
        assert on(lamp) == [True]

    play(story)


@pytest.mark.requirement("R-15")
def test_a_replayed_command_switches_nothing():
    async def story(world):
        (lamp,) = await lamps(world, SERIALS[0])
        await switch(world)
        await switch(world, "off")
        world.network.inject(commands(world)[0])
        await world.sleep(300)
        world.network.inject(commands(world)[0])
        await world.sleep(5)
        assert on(lamp) == [False]

    play(story)


@pytest.mark.requirement("R-09")
def test_after_retirement_every_member_says_that_it_refuses_the_thing():
    async def story(world):
        first, second, retired = await lamps(world, *SERIALS)
        await switch(world)
        thing, plane = world.domain.record(retired.serial), world.domain.controller.planes.groups
        assert (await plane.probe(thing)).standing is Standing.ACCEPTED
        report = await world.domain.ask("thing.retire", thing=retired.id)
        (groups,) = [one for one in report["planes"] if one["plane"] == PlaneName.GROUPS]
        assert groups["milliseconds"] == 0
        assert groups["relying_party"] == "2 members and the domain"
        assert groups["detail"] == "lamps: 3 refuse"
        assert epochs(first, second) == [record(world).num] * 2

    play(story)


@pytest.mark.requirement("R-09")
def test_the_kill_clock_tells_when_a_member_last_accepted_the_thing():
    async def story(world):
        await lamps(world, *SERIALS[:2])
        (wall,) = await lamps(world, "S0001", model="SW-1")
        send(world, commanded(captured(wall)), wall)
        await world.sleep(1)
        sent = world.clock.utc() - timedelta(seconds=1)
        await world.domain.ask("thing.quarantine", thing=wall.id)
        probe = await world.domain.controller.planes.groups.probe(world.domain.record("S0001"))
        assert probe.standing is Standing.REFUSED
        assert timedelta(0) <= probe.last_acceptance - sent < timedelta(seconds=0.1)

    play(story, policy=POLICY_WITH_SWITCH)


@pytest.mark.requirement("R-63")
@pytest.mark.parametrize("instant", range(1, 17))
def test_a_domain_that_dies_while_it_retires_a_lamp_leaves_nobody_on_the_old_keys(instant):
    async def story(world):
        secrets: dict[bytes, bytes] = {}
        world.domain.disk.listen(lambda committed: watch(committed, secrets))
        first, second, retired = await lamps(world, *SERIALS, group_interval=1.0)
        old, identifier = record(world).num, retired.id
        world.domain.fate.fatal = world.domain.fate.instants + instant
        answer = await dying(world, "thing.retire", thing=identifier)
        if world.domain.record(retired.serial).state != "decommissioned":
            assert not answer
            return
        await world.until(lambda: is_settled(world, [first, second]))
        assert record(world).num > old
        assert epochs(first, second) == [record(world).num] * 2
        assert sorted((await switch(world))["answers"]) == sorted([first.id, second.id])
        assert len(set(secrets.values())) == len(secrets)

    play(story)


@pytest.mark.parametrize("instant", range(1, 9))
def test_a_domain_that_dies_while_it_commands_spends_no_number_twice(instant):
    async def story(world):
        (lamp,) = await lamps(world, SERIALS[0])
        world.domain.fate.fatal = world.domain.fate.instants + instant
        for _ in range(2):
            await dying(world, "group.command", group="lamps", value="on")
            await world.sleep(2)
            await revive(world)
        await world.until(lambda: is_settled(world, [lamp]))
        assert list((await switch(world, "off"))["answers"]) == [lamp.id]
        used = [named(datagram) for datagram in commands(world)]
        assert len(set(used)) == len(used)

    play(story)


@pytest.mark.parametrize("instant", range(1, 13))
def test_a_lamp_that_dies_at_any_write_is_in_the_group_again(instant):
    async def story(world):
        lamp = world.thing(SERIALS[0], multicast_group="239.83.0.1", multicast_port=5684)
        lamp.fate.fatal = instant
        lamp.start()
        for _ in range(3):
            await world.sleep(5)
            if not lamp.is_up:
                lamp.crash()
                lamp.start()
        await world.until(lambda: lamp.has_reported and is_settled(world, [lamp]))
        assert list((await switch(world))["answers"]) == [lamp.id]

    play(story)


def test_a_stranger_to_the_group_has_no_context_of_another_key_store():
    store = MemoryKeyStore()
    store.create(KeyId("group-lamps"), KeyType.P256)

    async def story(world):
        (lamp,) = await lamps(world, SERIALS[0])
        with pytest.raises(Exception, match="our own credential"):
            context_of(kept_keys(lamp), store)

    play(story)


async def dying(world, operation, **arguments):
    """An operator's request to a domain that dies at its hour and is started again; empty if the request died, too."""
    answer = await world.domain.answer(operation, **arguments)
    if not answer:
        await world.domain.crash()
    await revive(world)
    return answer


async def revive(world):
    """Start the domain again if it has died."""
    if not world.domain.is_up:
        await world.domain.start()
