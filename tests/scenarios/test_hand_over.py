"""A thing changes owners: with papers it comes by itself, without them somebody has to have it in hand."""

import base64
from dataclasses import replace

import pytest

from tests.scenarios.world import POLICY, LivingDomain, play
from thingstead.agent import ownership
from thingstead.controller.config import CoapConfig, DomainConfig
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile.birth import BIRTH
from thingstead.protocols.profile.custody import CLAIM, CUSTODY
from thingstead.simulator.virtual.memory import HomeLife


async def a_buyer(world, tmp_path, number=2):
    """Another domain, up, and the file with its credential."""
    buyer = LivingDomain(world, POLICY)
    buyer.address = (f"198.51.100.{number}", 5683)
    name = f"buyer-{number}"
    buyer.config = replace(
        buyer.config, domain=DomainConfig(name=name), coap=CoapConfig(host=buyer.address[0], port=5683)
    )
    await buyer.start()
    (tmp_path / f"{name}.credential").write_bytes(ccs.encode(buyer.public, subject=name))
    return buyer, str(tmp_path / f"{name}.credential")


async def sold(seller, thing, credential, tmp_path):
    """The thing is handed over; gives the file for the buyer."""
    told = await seller.ask("thing.hand-over", thing=thing.id, to=credential)
    path = tmp_path / "lamp.handover"
    path.write_bytes(base64.urlsafe_b64decode(told["handover"]))
    return path


def carried_to(thing, buyer):
    """The thing is switched on where the buyer is."""
    thing.crash()
    thing.config = replace(thing.config, controller_host=buyer.address[0])
    thing.start()


def is_in(domain, serial):
    return [one.state.value for one in domain.controller.register.things() if one.serial == serial] == ["operational"]


def last_verdict(domain):
    return [one.details["rule"] for one in domain.entries(Kind.AUTHORIZATION)][-1]


@pytest.mark.requirement("R-10")
@pytest.mark.slow
def test_a_thing_that_was_handed_over_joins_its_next_owner_by_itself_and_the_next_one_too(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        seller = world.domain
        for number in (2, 3):
            buyer, credential = await a_buyer(world, tmp_path, number)
            papers = await sold(seller, lamp, credential, tmp_path)
            accepted = await buyer.ask("thing.accept", file=str(papers))
            assert accepted["owners"] == ["home", "buyer-2", "buyer-3"][:number]
            assert "association" in accepted["erased"]
            carried_to(lamp, buyer)
            await world.until(lambda: is_in(buyer, "A0001"), within=300)  # noqa: B023
            assert set(lamp.disk) > {BIRTH, CUSTODY}
            seller = buyer

    play(story)


@pytest.mark.requirement("R-10")
def test_the_old_owner_s_keys_tokens_and_data_access_fail_and_the_buyer_gets_none_of_them(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        identifier, association = lamp.id, lamp.agent.association
        kept = [
            association.master_secret.reveal(),
            association.access_token,
            association.granted_token,
            association.thing_credential,
        ]
        readings = world.domain.controller.planes.data.accepted
        buyer, credential = await a_buyer(world, tmp_path)
        papers = await sold(world.domain, lamp, credential, tmp_path)
        await buyer.ask("thing.accept", file=str(papers))
        sent = len(world.network.sent)
        carried_to(lamp, buyer)
        await world.until(lambda: is_in(buyer, "A0001"), within=300)
        await world.sleep(60)
        # History stays with the seller, secrets with nobody: in the thing, the file, the buyer's storage, on the wire.
        wire = b"".join(one.data for one in world.network.sent[sent:])
        theirs = b"".join([*buyer.disk.leaves(), *_documents(buyer)])
        for secret in kept:
            for place in (papers.read_bytes(), b"".join(lamp.disk.values()), theirs, wire):
                assert secret not in place
        assert kept[0] not in b"".join(_documents(world.domain))
        assert world.domain.record("A0001").state == "re-owned"
        assert world.domain.controller.planes.data.accepted == readings
        assert not world.domain.controller.server.is_live(identifier)
        assert (await world.domain.answer("thing.admit", thing=identifier))["error"]["reason"] == "retired"

    play(story)


def _documents(domain):
    for plane in domain.controller.planes:
        yield from (document for _, document in domain.disk.documents(plane.name))


@pytest.mark.requirement("R-10")
def test_without_the_seller_s_file_it_waits_for_whoever_has_it_in_hand(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        buyer, credential = await a_buyer(world, tmp_path)
        papers = await sold(world.domain, lamp, credential, tmp_path)
        carried_to(lamp, buyer)
        await world.until(lambda: list(buyer.entries(Kind.AUTHORIZATION)), within=120)
        assert "whose papers nobody accepted" in last_verdict(buyer)
        waiting = buyer.record("A0001").id
        refused = await buyer.answer("thing.admit", thing=waiting)
        assert refused["error"]["reason"] == "in-hand"
        await buyer.ask("thing.accept", file=str(papers))
        await world.until(lambda: is_in(buyer, "A0001"), within=300)

    play(story)


@pytest.mark.requirement("R-10")
def test_one_that_was_never_handed_over_stays_silent_until_it_is_reset_by_hand_and_its_key_compared(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        buyer, _ = await a_buyer(world, tmp_path)
        lamp.crash()
        forced = await world.domain.ask("thing.hand-over", thing=world.domain.record("A0001").id, forced=True)
        assert forced["handover"] == ""
        lamp.disk = {BIRTH: lamp.disk[BIRTH]}
        lamp.config = replace(lamp.config, controller_host=buyer.address[0])
        lamp.start()
        await world.sleep(60)
        assert list(buyer.controller.register.things()) == []
        lamp.crash()
        ownership.claim(HomeLife(lamp.disk, lamp.fate), lamp.keys, buyer.public)
        lamp.start()
        await world.until(lambda: list(buyer.entries(Kind.AUTHORIZATION)), within=120)
        assert "reset by hand" in last_verdict(buyer)
        waiting = buyer.record("A0001").id
        assert (await buyer.answer("thing.admit", thing=waiting))["error"]["reason"] == "in-hand"
        other = cose_key.thumbprint(world.domain.public).hex()
        assert (await buyer.answer("thing.admit", thing=waiting, key=other))["error"]["reason"] == "key"
        key = cose_key.thumbprint(lamp.keys.handle("identity").public).hex()
        await buyer.ask("thing.admit", thing=waiting, key=key[:16])
        await world.until(lambda: is_in(buyer, "A0001"), within=300)
        lamp.crash()
        lamp.disk = {name: lamp.disk[name] for name in (BIRTH, CLAIM)}
        lamp.start()
        await world.until(lambda: lamp.is_joined, within=300)

    play(story)


@pytest.mark.parametrize("instant", range(1, 8))
def test_a_power_cut_while_it_is_handed_over_leaves_it_to_be_asked_again(instant, tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        identifier = lamp.id
        buyer, credential = await a_buyer(world, tmp_path)
        lamp.fate.fatal = lamp.fate.instants + instant
        answer = await world.domain.answer("thing.hand-over", thing=identifier, to=credential)
        lamp.fate.fatal = None
        if not lamp.is_up:
            lamp.start()
        if "error" in answer and lamp.is_joined:
            await world.sleep(5)
            answer = await world.domain.answer("thing.hand-over", thing=identifier, to=credential)
            assert "result" in answer
        if "result" in answer:
            path = tmp_path / "lamp.handover"
            path.write_bytes(base64.urlsafe_b64decode(answer["result"]["handover"]))
            await buyer.ask("thing.accept", file=str(path))

    play(story)


@pytest.mark.requirement("R-10")
@pytest.mark.slow
def test_the_file_that_brought_a_thing_brings_it_back_no_more_once_it_was_sold_on(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        buyer, credential = await a_buyer(world, tmp_path, 2)
        papers = (await sold(world.domain, lamp, credential, tmp_path)).rename(tmp_path / "first.handover")
        await buyer.ask("thing.accept", file=str(papers))
        carried_to(lamp, buyer)
        await world.until(lambda: is_in(buyer, "A0001"), within=300)
        _, credential = await a_buyer(world, tmp_path, 3)
        await sold(buyer, lamp, credential, tmp_path)
        refused = await buyer.answer("thing.accept", file=str(papers))
        assert refused["error"]["message"] == "these papers are of before A0001 left us"
        (record,) = [one for one in buyer.controller.register.things() if one.serial == "A0001"]
        assert record.state is LifecycleState.RE_OWNED

    play(story)


async def taken_in_hand(world, lamp, buyer):
    """It comes without papers that anybody accepted, and somebody compares the key that stands on it."""
    carried_to(lamp, buyer)
    await world.until(lambda: list(buyer.entries(Kind.AUTHORIZATION)), within=120)
    key = cose_key.thumbprint(lamp.keys.handle("identity").public).hex()
    await buyer.ask("thing.admit", thing=buyer.record("A0001").id, key=key[:16])
    await world.until(lambda: is_in(buyer, "A0001"), within=300)


@pytest.mark.requirement("R-10")
@pytest.mark.slow
@pytest.mark.parametrize("instant", range(1, 16))
def test_a_seller_that_dies_while_it_hands_over_has_the_file_at_the_next_try_or_the_thing_still(instant, tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        identifier = lamp.id
        buyer, credential = await a_buyer(world, tmp_path)
        domain = world.domain
        domain.fate.fatal = domain.fate.instants + instant
        await domain.answer("thing.hand-over", thing=identifier, to=credential)
        domain.fate.fatal = None
        await world.sleep(0.1)
        if not domain.is_up:
            await domain.start()
        await world.sleep(5)
        again = await domain.answer("thing.hand-over", thing=identifier, to=credential)
        if "error" in again:
            # It died with the thing's word in hand, before that was on disk: nobody can give the word again.
            assert (instant, again["error"]["reason"]) == (1, "wipe")
            await domain.ask("thing.hand-over", thing=identifier, to=credential, forced=True)
            await taken_in_hand(world, lamp, buyer)
            return
        path = tmp_path / "lamp.handover"
        path.write_bytes(base64.urlsafe_b64decode(again["result"]["handover"]))
        assert domain.record("A0001").state == "re-owned"
        assert not domain.controller.server.is_live(identifier)
        assert sum(one.cause == "handed-over" for one in domain.entries(Kind.TRANSITION)) == 1
        await buyer.ask("thing.accept", file=str(path))
        carried_to(lamp, buyer)
        await world.until(lambda: is_in(buyer, "A0001"), within=300)

    play(story)
