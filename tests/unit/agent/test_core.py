"""A thing from its first start on: what it keeps and cannot use is a reason to join again, never to stop."""

from dataclasses import replace

import pytest

from tests.scenarios.world import play
from thingstead.agent import association
from thingstead.agent.core import Agent
from thingstead.agent.membership import ASSOCIATION
from thingstead.agent.outbox import DOMAIN
from thingstead.endpoint.event import ExchangeId, RequestReceived, SequenceNeeded
from thingstead.endpoint.resource import Call
from thingstead.errors import StateError, StorageError
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import path, wipe
from thingstead.protocols.profile.birth import BIRTH


async def restarted(world, thing, change):
    """The thing after a crash in which `change` was done to what it keeps."""
    thing.crash()
    change(thing.disk)
    thing.start()
    return thing


def without_a_readable_scope(disk):
    kept = association.decode(disk[ASSOCIATION])
    disk[ASSOCIATION] = association.encode(replace(kept, access_token=kept.thing_credential))


def with_a_damaged_association(disk):
    disk[ASSOCIATION] = b"\x80"


def with_another_s_grant(disk):
    kept = association.decode(disk[ASSOCIATION])
    disk[ASSOCIATION] = association.encode(replace(kept, granted_token=kept.access_token))


def without_its_number(disk):
    del disk["sequence"]


@pytest.mark.requirement("R-04")
@pytest.mark.parametrize(
    "change", [without_a_readable_scope, with_a_damaged_association, with_another_s_grant, without_its_number]
)
def test_a_membership_that_cannot_be_used_is_a_reason_to_join_again(change):
    async def story(world):
        (thing,) = await world.joined("A0001")
        await restarted(world, thing, change)
        assert thing.agent.association is None
        assert "the saved association cannot be used" in str(thing.agent.status()["last_error"])
        await world.until(lambda: thing.is_joined)
        assert thing.agent.status()["joins"] == 1

    play(story)


def test_a_thing_that_was_never_born_does_not_start():
    async def story(world):
        thing = world.thing("A0001")
        del thing.disk[BIRTH]
        with pytest.raises(StorageError, match="found no birth record"):
            thing.start()

    play(story)


def test_a_membership_that_is_whole_is_taken_up_without_a_join():
    async def story(world):
        (thing,) = await world.joined("A0001")
        await restarted(world, thing, lambda _disk: None)
        assert thing.is_joined
        assert thing.agent.status()["joins"] == 0

    play(story)


def test_a_status_tells_no_secret():
    async def story(world):
        (thing,) = await world.joined("A0001")
        told = repr(thing.agent.answer({}))
        assert thing.agent.association.master_secret.reveal().hex() not in told
        assert isinstance(thing.agent, Agent)

    play(story)


@pytest.mark.requirement("R-09")
def test_a_wipe_forgets_the_domain_before_it_says_so_and_a_retired_thing_stays_out():
    async def story(world):
        (thing,) = await world.joined("A0001")
        retired = await world.domain.ask("thing.retire", thing=thing.id)
        assert retired["wipe_receipt"]
        assert set(thing.disk) == {BIRTH}
        assert thing.agent.association is None
        await world.sleep(70)
        assert not thing.is_joined

    play(story)


def test_a_thing_in_no_domain_is_not_wiped():
    async def story(world):
        thing = world.thing("A0001")
        world.network.on_path = lambda _datagram: ()
        thing.start()
        nonce = request(Code.POST, path.WIPE, payload=wipe.encode_request(bytes(16)))
        event = RequestReceived(ExchangeId(1), nonce, ("192.0.2.9", 5683), None, None, None, None, True, False)
        with pytest.raises(StateError, match="in no domain"):
            thing.agent.on_wipe(Call(nonce, event, "domain", 0.0))

    play(story)


def test_a_disk_that_takes_no_numbers_keeps_the_thing_silent_until_it_does():
    async def story(world):
        (thing,) = await world.joined("A0001")
        agent, full = thing.agent, [True]
        reserve = agent._membership.reserve

        def refuse(upto):
            if full:
                raise StorageError("no space left")
            reserve(upto)

        agent._membership.reserve = refuse
        agent.stories.start("reserve", agent._reserve(SequenceNeeded(DOMAIN, 4096)), world.clock.now())
        assert agent.status()["last_error"] == "no space left"
        full.clear()
        await world.sleep(5)
        assert int.from_bytes(thing.disk["sequence"], "big") == 4096

    play(story)


@pytest.mark.requirement("R-25")
def test_a_thing_renews_its_keys_before_they_are_used_up():
    async def story(world):
        (thing,) = await world.joined("A0001")
        agent = thing.agent
        first = agent.association.master_secret
        agent.endpoint.association(DOMAIN).context.sender.sequence.bound(16)
        await world.until(lambda: agent.status()["joins"] == 2)
        accepted = agent.status()["accepted"]
        await world.sleep(5)
        assert agent.association.master_secret.reveal() != first.reveal()
        assert agent.status()["accepted"] > accepted
        assert agent.status()["joins"] == 2

    play(story)


@pytest.mark.requirement("R-25")
def test_a_thing_renews_its_rights_before_they_expire():
    async def story(world):
        (thing,) = await world.joined("A0001")
        agent, member = thing.agent, thing.agent.member
        life = member.expires - agent.utc()
        assert life * 0.87 < member.renewal - agent.utc() < life * 0.88
        await world.sleep(2)
        agent.member = replace(member, renewal=agent.utc())
        agent.stories.wake("doubt", world.clock.now())
        await world.until(lambda: agent.status()["joins"] == 2)
        assert agent.member.expires > member.expires

    play(story)
