"""A thing that no known maker vouches for comes in by the code on its label, once; without the code nobody does."""

import random
from datetime import timedelta

import pytest

from tests.scenarios.world import POLICY, make_maker, play
from thingstead.agent.introduction import INSTALL_CODE
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.protocols.coap.message import decode
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.shared_key import METHOD_PSK
from thingstead.protocols.profile.install_code import key_of, make_code, render_code
from thingstead.simulator.virtual.network import Datagram
from thingstead.storage.records import PlaneRecords

pytestmark = [pytest.mark.requirement("R-28"), pytest.mark.spec("draft-ietf-lake-edhoc-psk-08")]
LABELLED = (
    POLICY
    + """
[[rule]]
name = "things with a label"
makers = ["install code"]
models = ["*"]
zone = "floor-3"
scope = "member"
"""
)
CODE, OTHER = (make_code(random.Random(seed).randbytes) for seed in (7, 8))


def stranger(world, serial="Z0001", *, code=CODE):
    """A thing of a maker that the domain does not know, sold to somebody else."""
    thing = world.thing(serial, maker=make_maker("nobody"), sold_to=generate(KeyType.P256).public)
    if code is not None:
        thing.disk[INSTALL_CODE] = code.secret.reveal()
    return thing


async def tell(world, code=CODE, serial="Z0001", **more):
    return await world.domain.ask("install-code.add", serial=serial, code=render_code(code), **more)


async def code_state(world):
    (told,) = await world.domain.ask("install-code.list")
    return told["state"], told["tries"]


def introductions(world):
    """The first messages of the method with a shared key."""
    for one in world.network.sent:
        message = decode(one.data)
        # What is encrypted begins like one, too, once in 65,536 times.
        if message.option(OptionNumber.OSCORE) is None and message.payload[:2] == bytes([0xF5, METHOD_PSK]):
            yield one


def test_a_thing_comes_in_by_its_code_and_ends_with_the_same_credential_as_any():
    async def story(world):
        await tell(world)
        thing = stranger(world)
        thing.start()
        (usual,) = await world.joined("A0001")
        await world.until(lambda: thing.is_joined and thing.has_reported)
        record = world.domain.record("Z0001")
        assert (record.maker, record.zone, record.state) == (
            "install code",
            "floor-3",
            world.domain.record("A0001").state,
        )
        assert await code_state(world) == ("used", 1)
        assert len(list(introductions(world))) == 1
        assert INSTALL_CODE not in thing.disk
        ours, theirs = (one.agent.association for one in (thing, usual))
        assert ours.issuer_credential == theirs.issuer_credential
        assert len(ours.thing_credential) == len(theirs.thing_credential)

    play(story, policy=LABELLED)


def test_it_comes_back_without_a_code_after_both_have_died():
    async def story(world):
        await tell(world)
        thing = stranger(world)
        thing.start()
        await world.until(lambda: thing.is_joined)
        identifier = thing.id
        thing.crash()
        await world.domain.crash()
        await world.domain.start()
        del thing.disk["association"]
        thing.start()
        await world.until(lambda: thing.is_joined)
        assert thing.id == identifier
        assert len(list(introductions(world))) == 1

    play(story, policy=LABELLED)


@pytest.mark.requirement("R-62")
def test_it_comes_back_to_a_domain_that_has_no_code_of_it_any_more_as_after_a_restore():
    async def story(world):
        await tell(world)
        thing = stranger(world)
        thing.start()
        await world.until(lambda: thing.is_joined)
        identifier = thing.id
        thing.crash()
        await world.domain.crash()
        codes = PlaneRecords(PlaneName.IDENTITY, world.domain.disk, prefix="code/")
        await codes.write(dict.fromkeys(codes.load()))
        await world.domain.start()
        assert await world.domain.ask("install-code.list") == []
        del thing.disk["association"]
        impostor = stranger(world, code=None)
        impostor.disk["introduced-to"] = thing.disk["introduced-to"]
        impostor.start()
        await world.sleep(60)
        assert not impostor.is_joined
        thing.start()
        await world.until(lambda: thing.is_joined)
        assert thing.id == identifier

    play(story, policy=LABELLED)


@pytest.mark.requirement("R-28")
def test_without_a_code_of_the_owner_nobody_is_asked_for_one():
    async def story(world):
        thing = stranger(world)
        thing.start()
        await world.sleep(120)
        assert list(introductions(world))
        assert not thing.is_joined
        assert not any(_is_message_3(one, world.domain) for one in world.network.sent)
        assert await world.domain.ask("install-code.list") == []

    play(story, policy=LABELLED)


@pytest.mark.requirement("R-27")
def test_a_thing_with_another_code_stays_out_and_uses_nothing_up():
    async def story(world):
        await tell(world)
        thing = stranger(world, code=OTHER)
        thing.start()
        await world.sleep(120)
        assert not thing.is_joined
        assert await code_state(world) == ("open", 0)

    play(story, policy=LABELLED)


@pytest.mark.requirement("R-34")
def test_a_thing_of_another_serial_number_does_not_come_in_by_the_code():
    async def story(world):
        await tell(world)
        thing = stranger(world, "Z0002")
        thing.start()
        await world.sleep(120)
        assert not thing.is_joined
        state, tries = await code_state(world)
        assert state in {"open", "locked"}
        assert tries

    play(story, policy=LABELLED)


def _spoilt(datagram, number):
    """message_3 with its proof changed: what names the code is left as it is."""
    at = len(datagram.data) - 1
    return Datagram(
        datagram.at, datagram.source, datagram.destination, datagram.data[:at] + bytes([datagram.data[at] ^ number])
    )


def _is_message_3(datagram, domain):
    message = decode(datagram.data)
    if datagram.destination != domain.address or not message.payload or message.code != 2:
        return False
    c_r, behind = coap_carriage.parse_request(message.payload)
    return c_r is not None and behind[0] >= 0x40


@pytest.mark.requirement("R-27")
def test_tries_are_counted_across_a_crash_and_then_the_code_is_locked():
    async def story(world):
        await tell(world)
        world.network.on_path = lambda one: (_spoilt(one, 1),) if _is_message_3(one, world.domain) else (one,)
        thing = stranger(world)
        thing.start()
        await world.until(lambda: any(one.cause == "install-code-tried" for one in world.domain.entries()))
        _, before = await code_state(world)
        await world.domain.crash()
        await world.domain.start()
        assert (await code_state(world))[1] == before
        await world.until(
            lambda: any(one.cause == "install-code-locked" for one in world.domain.entries()), within=3600
        )
        world.network.on_path = lambda one: (one,)
        await world.sleep(600)
        assert await code_state(world) == ("locked", 5)
        assert not thing.is_joined
        answer = await world.domain.answer("install-code.add", serial="Z0001", code=render_code(CODE))
        assert "was locked" in answer["error"]["message"]

    play(story, policy=LABELLED)


def _is_message_4(datagram, world):
    """The answer of the domain to message_3 under a code: no other handshake has begun yet."""
    message = decode(datagram.data)
    used = any(one.cause == "install-code-used" for one in world.domain.entries())
    return used and datagram.source == world.domain.address and message.code >> 5 == 2


@pytest.mark.requirement("R-27")
@pytest.mark.parametrize("crashes", [False, True])
def test_a_thing_whose_message_4_was_lost_for_good_comes_in_without_a_person(crashes):
    async def story(world):
        await tell(world)
        world.network.on_path = lambda one: () if _is_message_4(one, world) else (one,)
        thing = stranger(world)
        thing.start()
        await world.until(lambda: any(one.cause == "install-code-used" for one in world.domain.entries()))
        await world.sleep(100)
        assert INSTALL_CODE in thing.disk
        assert (await code_state(world))[0] == "bound"
        if crashes:
            thing.crash()
            await world.domain.crash()
            await world.domain.start()
            thing.start()
        # Meanwhile somebody who copied the label tries: the code is the thing's by now.
        impostor = stranger(world)
        impostor.address = ("192.0.2.99", 5683)
        impostor.start()
        await world.sleep(5)
        assert not impostor.is_joined
        impostor.crash()
        world.network.on_path = lambda one: (one,)
        await world.until(lambda: thing.is_joined, within=600)
        assert (await code_state(world))[0] == "used"
        assert INSTALL_CODE not in thing.disk
        assert [one.cause for one in world.domain.entries()].count("install-code-used") == 1

    play(story, policy=LABELLED)


def test_an_expired_code_lets_nobody_in():
    async def story(world):
        await tell(world, days=1)
        world.clock.skew += timedelta(days=2)
        thing = stranger(world)
        thing.start()
        await world.sleep(120)
        assert not thing.is_joined
        assert await code_state(world) == ("expired", 0)

    play(story, policy=LABELLED)


def test_a_used_code_is_never_taken_again_and_a_removed_one_neither():
    async def story(world):
        await tell(world)
        first = stranger(world)
        first.start()
        await world.until(lambda: first.is_joined)
        again = await world.domain.answer("install-code.add", serial="Z0009", code=render_code(CODE))
        assert "was used" in again["error"]["message"]
        await tell(world, OTHER, "Z0002")
        await world.domain.ask("install-code.remove", serial="Z0002")
        second = stranger(world, "Z0002", code=OTHER)
        second.start()
        await world.sleep(60)
        assert not second.is_joined

    play(story, policy=LABELLED)


def test_policy_still_decides_and_refuses_where_no_rule_names_install_codes():
    async def story(world):
        await tell(world)
        thing = stranger(world)
        thing.start()
        await world.until(lambda: any(one.cause == "install-code-used" for one in world.domain.entries()))
        await world.sleep(60)
        assert not thing.is_joined
        assert any(one.kind is Kind.AUTHORIZATION for one in world.domain.entries())

    play(story)


@pytest.mark.requirement("R-24")
def test_neither_the_code_nor_its_key_is_on_the_wire_or_in_the_ledger_or_kept_after_use():
    async def story(world):
        await tell(world)
        secrets = (CODE.secret.reveal(), key_of(CODE).reveal(), render_code(CODE).encode())
        thing = stranger(world)
        thing.start()
        await world.until(lambda: thing.is_joined and thing.has_reported)
        seen = b"|".join(one.data for one in world.network.sent)
        kept = b"|".join([*world.domain.disk.leaves(), *dict(world.domain.disk.documents(PlaneName.IDENTITY)).values()])
        assert not any(secret in seen or secret in kept for secret in secrets)
        assert not any(secret in b"|".join(thing.disk.values()) for secret in secrets)

    play(story, policy=LABELLED)


async def renewed(world, thing, seconds=300):
    """It lost what it had, and joins again if it may."""
    thing.crash()
    del thing.disk["association"]
    thing.start()
    await world.sleep(seconds)


@pytest.mark.requirement("R-62")
def test_who_came_by_a_code_stays_who_it_is_when_its_maker_is_trusted_later():
    async def story(world):
        await tell(world)
        thing = stranger(world)
        thing.start()
        await world.until(lambda: thing.is_joined)
        identifier = thing.id
        world.makers["nobody"] = thing.maker
        assert "nobody" in (await world.domain.ask("trust.reload"))["added"]
        await renewed(world, thing)
        assert thing.is_joined
        assert thing.id == identifier
        assert len([one for one in world.domain.controller.register.things() if one.serial == "Z0001"]) == 1

    play(story, policy=LABELLED)


def test_who_came_by_a_code_gets_no_releases_and_is_told_why(caplog):
    async def story(world):
        await tell(world)
        thing = stranger(world)
        thing.start()
        await world.until(lambda: thing.is_joined)
        await world.sleep(60)
        receipts = [
            one.details["detail"]
            for one in world.domain.entries(Kind.RECEIPT)
            if one.thing == thing.id and one.actor == "plane:software"
        ]
        assert "no releases: its maker has no anchor here" in receipts[-1]
        assert world.domain.controller.resources.refused["maker"]
        assert thing.agent.updating.refused.total() == 0

    play(story, policy=LABELLED)
