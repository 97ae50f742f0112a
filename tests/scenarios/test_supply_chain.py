"""From its maker over a re-badger and a seller to its owner: each has its own anchor, and may have its own updates."""

from datetime import timedelta

import pytest

from tests.scenarios.test_hand_over import last_verdict
from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import AT, make_maker, play
from thingstead.agent import ownership
from thingstead.domain.ledger.entry import Kind
from thingstead.errors import StateError, UntrustedError
from thingstead.phases.manufacture import Model, bear
from thingstead.planes.identity import handover
from thingstead.planes.identity.handover import Handover
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile.birth import BIRTH
from thingstead.protocols.profile.custody import Owner
from thingstead.simulator.virtual.memory import HomeLife

pytestmark = pytest.mark.requirement("R-11")
NONCE = bytes(16)


def made(world, serial):
    """A thing whose voucher names its maker: nobody has bought it yet."""
    thing, acme = world.thing(serial), world.makers["acme"]
    born = bear(
        acme,
        Model("LX-1", 2, "https://mud.example/LX-1.json", AT.date() + timedelta(days=365)),
        serial,
        thing_key=thing.keys.handle(birth_record.IDENTITY_KEY).public,
        domain_key=acme.anchor.public,
        at=AT - timedelta(days=30),
        voucher_expires=AT + timedelta(days=365),
    )
    thing.disk = {BIRTH: birth_record.encode(born)}
    return thing


def passed(thing, by, to, *, updates=False):
    """A maker, re-badger or seller gives it to another of them, or to a domain; the file for that one."""
    keys = tuple([key.public for key in to.release_keys]) if updates else ()
    next_one = Owner(to.name, to.anchor.public, release_keys=keys)
    given = ownership.hand_on(
        HomeLife(thing.disk, thing.fate),
        thing.keys,
        Owner(by.name, by.anchor.public),
        next_one,
        key=by.anchor,
        at=AT - timedelta(days=1),
        nonce=NONCE,
    )
    return handover.sign(Handover(given.serial, by.name, given.papers, NONCE, given.word), by.anchor)


class Home:
    """The first domain, as one to pass a thing to."""

    release_keys = ()

    def __init__(self, world):
        self.name, self.anchor = "home", world.domain.keys.handle("domain")


async def taken_in(world, thing, papers, folder):
    (folder / "papers").write_bytes(papers)
    told = await world.domain.ask("thing.accept", file=str(folder / "papers"))
    thing.start()
    await world.until(lambda: thing.has_reported, within=300)
    return told


@pytest.mark.slow
def test_the_re_badger_mends_what_it_re_badged_and_the_maker_the_rest(tmp_path):
    async def story(world):
        acme, releases = world.makers["acme"], Releases(world, tmp_path)
        world.makers["glow"] = glow = make_maker("glow")
        await world.domain.ask("trust.reload")
        shop, lamp = make_maker("shop"), made(world, "A0001")
        passed(lamp, acme, glow, updates=True)
        passed(lamp, glow, shop)
        told = await taken_in(world, lamp, passed(lamp, shop, Home(world)), tmp_path)
        assert (told["owners"], told["updates_by"]) == (["acme", "glow", "shop", "home"], "glow")
        assert next(world.domain.entries(Kind.AUTHENTICATION)).details["updates_by"] == "glow"
        (plain,) = await world.joined("A0002")
        assert "result" in await releases.publish(*releases.make())
        await world.until(lambda: version(plain) == "1.1.0")
        assert "result" in await releases.publish(
            *releases.make(version="5.0.0", keys=glow.release_keys, sequence_number=3)
        )
        await world.until(lambda: version(lamp) == "5.0.0")
        await world.sleep(10)
        assert version(plain) == "1.1.0"
        stranger = await releases.publish(*releases.make(version="6.0.0", keys=shop.release_keys, sequence_number=9))
        assert stranger["error"]["reason"] == "signers", "a seller with no say in updates"

    play(story)


@pytest.mark.slow
def test_a_thing_that_nobody_re_badged_goes_by_its_maker_and_the_file_is_needed(tmp_path):
    async def story(world):
        acme, shop, lamp = world.makers["acme"], make_maker("shop"), made(world, "A0001")
        passed(lamp, acme, shop)
        papers = passed(lamp, shop, Home(world))
        lamp.start()
        await world.until(lambda: list(world.domain.entries(Kind.AUTHORIZATION)), within=120)
        assert "whose papers nobody accepted" in last_verdict(world.domain)
        lamp.crash()
        told = await taken_in(world, lamp, papers, tmp_path)
        assert told["updates_by"] == "acme"
        assert world.domain.record("A0001").release_keys == frozenset()

    play(story)


def test_on_its_way_it_joins_nobody():
    async def story(world):
        lamp = made(world, "A0001")
        passed(lamp, world.makers["acme"], make_maker("shop"))
        lamp.start()
        await world.sleep(60)
        assert list(world.domain.controller.register.things()) == []

    play(story)


def test_whose_it_is_not_passes_it_to_nobody_and_no_seller_takes_over_its_updates():
    async def story(world):
        acme, shop, thief, lamp = world.makers["acme"], make_maker("shop"), make_maker("thief"), made(world, "A0001")
        with pytest.raises(UntrustedError):
            passed(lamp, thief, thief)
        passed(lamp, acme, shop)
        before = dict(lamp.disk)
        for by, to, updates in [(acme, thief, False), (thief, shop, False), (shop, shop, True), (shop, thief, True)]:
            with pytest.raises(UntrustedError):
                passed(lamp, by, to, updates=updates)
            assert lamp.disk == before

    play(story)


def test_what_is_in_a_domain_is_handed_over_by_that_domain_alone(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        lamp.crash()
        with pytest.raises(StateError):
            passed(lamp, Home(world), make_maker("fence"))

    play(story)
