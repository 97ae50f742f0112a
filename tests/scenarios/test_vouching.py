"""A thing that was made before it was sold: its maker's server says whose it is, and nobody else does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.scenarios.makers import ADDRESS, LivingMasa
from tests.scenarios.test_hand_over import a_buyer, carried_to, is_in, last_verdict, sold
from tests.scenarios.world import play
from thingstead.agent import ownership
from thingstead.agent.membership import ASSOCIATION
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import custody, maker_server
from thingstead.protocols.profile.birth import BIRTH, IDENTITY_KEY
from thingstead.protocols.profile.custody import CUSTODY
from thingstead.simulator.virtual.memory import HomeLife

pytestmark = pytest.mark.requirement("R-59")

INTERNAL = "198.18.0.66"
"""Where a stranger would like to have the domain go."""


async def supplied(world, *, card=None):
    """A maker's server, and a domain that was given its card, or another."""
    masa = LivingMasa(world)
    if card is not None:
        world.servers["acme"] = card(masa.card)
    await world.domain.crash()
    await world.domain.start()
    return masa


def asking(world, masa, serial="A0001", *domains, card=None):
    """A thing that was sold to these, switched on."""
    thing = world.thing(serial, sold_to=card or masa.card, retry_interval=0.5)
    if domains:
        masa.sell(thing, *domains)
    thing.start()
    return thing


async def made(world):
    """All of it, and a thing that is in."""
    masa = await supplied(world)
    lamp = asking(world, masa, "A0001", world.domain)
    await world.until(lambda: lamp.is_joined and lamp.has_reported)
    return masa, lamp


async def counted(world):
    return (await world.domain.ask("status"))["makers"].get("acme", {})


def is_outside(thing):
    """It has kept nothing of any domain."""
    return not thing.is_joined and not {ASSOCIATION, CUSTODY} & set(thing.disk)


# --- joining


@pytest.mark.parametrize("line", [{}, {"loss": 0.2}, {"duplication": 0.5, "jitter": 0.02}], ids=json.dumps)
def test_a_thing_joins_whoever_its_maker_s_server_says_it_was_sold_to(line):
    async def story(world):
        masa = await supplied(world)
        lamp = asking(world, masa, "A0001", world.domain)
        await world.until(lambda: lamp.is_joined and lamp.has_reported, within=600)
        assert (await counted(world))["vouched"] >= 1
        (proved,) = {one.thing for one in world.domain.entries(Kind.AUTHENTICATION)} - {None}
        assert proved == lamp.id
        (name,) = [one.owner.name for one in [lamp.agent.ownership._custody()]]
        assert name == "home"

    play(story, **line)


def test_many_things_come_at_once_and_one_session_serves_them():
    async def story(world):
        masa = await supplied(world)
        things = [asking(world, masa, f"A{number:04}", world.domain) for number in range(40)]
        await world.until(lambda: all(thing.is_joined for thing in things), within=600)
        assert len(masa.server._sessions) == 1
        assert masa.server.vouched == (await counted(world))["vouched"] == 40

    play(story)


@pytest.mark.parametrize("sold_at_all", [True, False])
def test_a_thing_that_was_not_sold_to_us_is_refused_and_both_sides_keep_nothing(sold_at_all):
    async def story(world):
        masa = await supplied(world)
        other = asking(world, masa, "A0002", world.domain)
        lamp = asking(world, masa)
        if sold_at_all:
            masa.sell(lamp)
        await world.until(lambda: other.is_joined)
        await world.sleep(20)
        assert is_outside(lamp)
        reason = "not sold" if sold_at_all else "unknown thing"
        assert (await counted(world))[reason] >= 2
        assert last_verdict(world.domain).endswith(f"its maker's server does not vouch for us: {reason}")
        assert [one.serial for one in world.domain.controller.register.things()] == ["A0002"]
        masa.sell(lamp, world.domain)
        await world.until(lambda: lamp.is_joined, within=120)

    play(story)


def test_it_was_sold_to_another_domain_and_ours_gets_it_neither_first_nor_later(tmp_path):
    async def story(world):
        masa = await supplied(world)
        theirs, _ = await a_buyer(world, tmp_path)
        masa.sell(world.thing("A0009", sold_to=masa.card), world.domain)
        lamp = world.thing("A0001", sold_to=masa.card, retry_interval=0.5)
        masa.sell(lamp, theirs)
        lamp.start()
        await world.sleep(20)
        assert is_outside(lamp)
        carried_to(lamp, theirs)
        await world.until(lambda: is_in(theirs, "A0001") and lamp.is_joined, within=120)
        # Also when the maker changes its mind: whose it is says the owner from now on.
        masa.sell(lamp, world.domain)
        carried_to(lamp, world.domain)
        await world.sleep(60)
        assert not [one for one in world.domain.controller.register.things() if one.serial == "A0001"]

    play(story)


def test_the_policy_decides_before_anybody_is_asked():
    async def story(world):
        masa = await supplied(world)
        lamp = world.thing("A0001", sold_to=masa.card, model="ZZ-1", retry_interval=0.5)
        masa.sell(lamp, world.domain)
        lamp.start()
        await world.sleep(10)
        assert is_outside(lamp)
        assert await counted(world) == {}
        assert not [one for one in world.network.sent if one.destination == ADDRESS]

    play(story)


# --- where the server is, or is not


def test_the_domain_goes_where_its_owner_said_whatever_a_thing_says():
    async def story(world):
        masa = await supplied(world)
        card = replace(masa.card, location=f"coap://{INTERNAL}:5683")
        lamp = asking(world, masa, "A0001", world.domain, card=card)
        await world.until(lambda: lamp.is_joined)
        assert INTERNAL not in {one.destination[0] for one in world.network.sent}

    play(story)


def test_without_a_server_of_the_owner_s_the_thing_waits_and_nobody_is_asked():
    async def story(world):
        masa = LivingMasa(world)
        world.servers.clear()
        await world.domain.crash()
        await world.domain.start()
        lamp = asking(world, masa, "A0001", world.domain)
        await world.until(world.domain.controller.admission.waiting)
        (row,) = await world.domain.ask("thing.waiting")
        assert row["rule"].endswith("its maker's server could not be asked: no server")
        assert row["next"].startswith("thingstead trust add")
        assert not [one for one in world.network.sent if one.destination == ADDRESS]
        world.servers["acme"] = masa.card
        await world.domain.ask("trust.reload")
        await world.until(lambda: lamp.is_joined, within=120)

    play(story)


def test_while_the_server_is_away_a_thing_waits_and_then_comes_in_by_itself():
    async def story(world):
        masa = await supplied(world)
        masa.crash()
        lamp = asking(world, masa, "A0001", world.domain)
        await world.until(world.domain.controller.admission.waiting)
        (row,) = await world.domain.ask("thing.waiting")
        assert row["rule"].endswith("could not be asked: timeout")
        assert row["next"] == "thingstead agent claim THING --for DOMAIN.credential"
        refused = await world.domain.answer("thing.admit", thing=row["thing"])
        assert refused["error"]["reason"] == "no voucher"
        assert is_outside(lamp)
        masa.start()
        await world.until(lambda: lamp.is_joined, within=300)
        assert await world.domain.ask("thing.waiting") == []

    play(story)


def test_a_server_that_is_gone_for_good_is_replaced_by_having_the_thing_in_hand():
    async def story(world):
        masa = await supplied(world)
        masa.crash()
        lamp = asking(world, masa, "A0001", world.domain)
        await world.until(world.domain.controller.admission.waiting)
        lamp.crash()
        ownership.claim(HomeLife(lamp.disk, lamp.fate), lamp.keys, world.domain.public)
        key = lamp.keys.handle(IDENTITY_KEY).public
        lamp.start()
        await world.until(lambda: "in hand" in last_verdict(world.domain), within=300)
        (row,) = await world.domain.ask("thing.waiting")
        await world.domain.ask("thing.admit", thing=row["thing"], key=cose_key.thumbprint(key).hex())
        await world.until(lambda: lamp.is_joined, within=300)

    play(story)


def test_another_server_at_that_place_is_told_nothing_and_decides_nothing():
    async def story(world):
        masa = await supplied(world, card=lambda card: replace(card, session_key=generate(KeyType.P256).public))
        lamp = asking(world, masa, "A0001", world.domain)
        await world.until(world.domain.controller.admission.waiting)
        assert last_verdict(world.domain).endswith("could not be asked: server")
        assert masa.server._sessions == {}
        assert is_outside(lamp)

    play(story)


def test_a_server_without_the_maker_s_voucher_key_convinces_no_thing():
    async def story(world):
        masa = await supplied(world)
        genuine = replace(masa.card, voucher_key=generate(KeyType.P256).public)
        lamp = asking(world, masa, "A0001", card=genuine)
        masa.sell(lamp, world.domain)
        await world.until(lambda: masa.server.vouched >= 2, within=120)
        assert is_outside(lamp)
        assert lamp.agent.status()["joins"] == 0

    play(story)


# --- after the join


def test_from_then_on_it_needs_its_maker_no_more():
    async def story(world):
        masa, lamp = await made(world)
        masa.crash()
        for name in [name for name in lamp.disk if name not in {BIRTH, CUSTODY}]:
            del lamp.disk[name]
        lamp.crash()
        lamp.start()
        await world.until(lambda: lamp.is_joined, within=120)
        await world.domain.crash()
        await world.domain.start()
        lamp.crash()
        lamp.start()
        await world.until(lambda: lamp.has_reported, within=120)
        assert await counted(world) == {}

    play(story)


def test_the_server_and_the_domain_begin_anew_after_each_was_restarted():
    async def story(world):
        masa, _ = await made(world)
        masa.crash()
        masa.start()
        second = asking(world, masa, "A0002", world.domain)
        await world.until(lambda: second.is_joined)
        await world.domain.crash()
        await world.domain.start()
        third = asking(world, masa, "A0003", world.domain)
        await world.until(lambda: third.is_joined)

    play(story)


@pytest.mark.requirement("R-10")
@pytest.mark.requirement("R-11")
@pytest.mark.slow
def test_it_is_handed_on_with_papers_and_its_maker_is_not_asked_again(tmp_path):
    async def story(world):
        masa, lamp = await made(world)
        masa.crash()
        seller = world.domain
        for number in (2, 3):
            buyer, credential = await a_buyer(world, tmp_path, number)
            papers = await sold(seller, lamp, credential, tmp_path)
            accepted = await buyer.ask("thing.accept", file=str(papers))
            assert accepted["owners"] == ["acme", "home", "buyer-2", "buyer-3"][: number + 1]
            carried_to(lamp, buyer)
            await world.until(lambda: is_in(buyer, "A0001") and lamp.is_joined, within=300)  # noqa: B023
            assert world.domain.record("A0001").state == "re-owned"
            seller = buyer

    play(story)


@pytest.mark.requirement("R-11")
@pytest.mark.parametrize("known", ["nothing", "another"])
def test_a_buyer_who_does_not_know_the_maker_s_server_takes_no_papers_that_begin_with_it(tmp_path, known):
    async def story(world):
        _, lamp = await made(world)
        world.servers.clear()
        if known == "another":
            LivingMasa(world).crash()
        buyer, credential = await a_buyer(world, tmp_path)
        papers = await sold(world.domain, lamp, credential, tmp_path)
        refused = await buyer.answer("thing.accept", file=str(papers))
        assert refused["error"]["reason"] == "custody"
        carried_to(lamp, buyer)
        await world.until(lambda: list(buyer.entries(Kind.AUTHORIZATION)), within=300)
        assert "papers nobody accepted" in last_verdict(buyer)

    play(story)


@pytest.mark.requirement("R-10")
def test_whose_it_was_gets_it_back_from_its_maker_no_more(tmp_path):
    async def story(world):
        masa, lamp = await made(world)
        buyer, credential = await a_buyer(world, tmp_path)
        papers = await sold(world.domain, lamp, credential, tmp_path)
        await buyer.ask("thing.accept", file=str(papers))
        masa.sell(lamp, world.domain)
        carried_to(lamp, world.domain)
        await world.sleep(60)
        assert not lamp.is_joined
        assert masa.server.vouched == 1
        assert custody.names(custody.decode_links(lamp.disk[CUSTODY]), buyer.public)

    play(story)


def test_a_card_travels_with_the_anchor_and_is_what_was_given():
    async def story(world):
        masa = await supplied(world)
        (anchor,) = [one for one in world.domain.anchors() if one.maker == "acme"]
        assert maker_server.encode(anchor.server) == maker_server.encode(masa.card)

    play(story)


# --- on the path


def _harm(datagram, place):
    """One byte changed, or all behind it taken away."""
    data = datagram.data
    if place < 0:
        return replace(datagram, data=data[: len(data) * -place // 4])
    place %= len(data)
    return replace(datagram, data=data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])


@pytest.mark.requirement("R-27")
@pytest.mark.slow
@pytest.mark.parametrize("link", ["thing", "server"])
@pytest.mark.parametrize("place", [5, 9, 14, 20, 60, 100, -1, -2, -3])
def test_whatever_is_changed_on_the_path_no_thing_is_in_without_its_maker_s_word(link, place):
    async def story(world):
        masa = await supplied(world)
        lamp = world.thing("A0001", sold_to=masa.card, retry_interval=0.5)
        masa.sell(lamp, world.domain)
        ends = {lamp.address} if link == "thing" else {ADDRESS}
        seen = []

        def attack(datagram):
            if not ends & {datagram.source, datagram.destination} or len(datagram.data) < 24:
                return (datagram,)
            seen.append(datagram)
            assert CUSTODY in lamp.disk or ASSOCIATION not in lamp.disk
            # Each in its turn, and each other one whole: so every message of an exchange is met.
            return (datagram, _harm(datagram, place)) if len(seen) % 3 else (_harm(datagram, place),)

        world.network.on_path = attack
        lamp.start()
        await world.sleep(60)
        assert len(seen) >= 4
        assert (CUSTODY in lamp.disk) >= (ASSOCIATION in lamp.disk)
        world.network.on_path = lambda datagram: (datagram,)
        await world.until(lambda: lamp.is_joined and lamp.has_reported, within=300)
        chain = lamp.agent.ownership._custody()
        assert chain is not None
        assert chain.owner.key == world.domain.public

    play(story)


@pytest.mark.requirement("R-27")
def test_what_was_recorded_of_one_join_opens_no_other():
    async def story(world):
        masa, lamp = await made(world)
        recorded = [one for one in world.network.sent if {one.source, one.destination} & {lamp.address, ADDRESS}]
        other = world.thing("A0002", sold_to=masa.card, retry_interval=0.5)
        vouched = masa.server.vouched

        def replay(datagram):
            if datagram.source == world.domain.address and datagram.destination == other.address:
                theirs = [one for one in recorded if one.source == datagram.source]
                return tuple([replace(one, destination=other.address) for one in theirs])
            return (datagram,)

        world.network.on_path = replay
        other.start()
        for one in recorded:
            if one.destination == ADDRESS:
                world.network.inject(one)
        await world.sleep(20)
        assert is_outside(other)
        assert masa.server.vouched == vouched

    play(story)


def test_a_maker_s_server_may_ask_nothing_of_a_domain():
    async def story(world):
        masa, lamp = await made(world)
        (home,) = masa.server._sessions
        refused = sum((await world.domain.ask("status"))["refused"].values())
        served = ["/rd-lookup/ep", "/senml", "/credential", "/grant"]
        for path in served:
            masa.send(request(Code.GET, path), home)
        await world.sleep(5)
        told = await world.domain.ask("status")
        assert sum(told["refused"].values()) == refused + len(served)
        assert [one.id for one in world.domain.controller.register.things()] == [lamp.id]

    play(story)
