"""Who holds a part that is not the domain's own, and what falls with it: makers, things, groups, people."""

from dataclasses import replace

from tests.scenarios.groups import captured, command, commands, kept_keys, lamps, send, switch
from tests.scenarios.makers import LivingMasa
from tests.scenarios.test_hand_over import a_buyer, carried_to, is_in
from tests.scenarios.test_install_code import LABELLED, code_state, stranger, tell
from tests.scenarios.test_installers import _HOLD as HOLD
from tests.scenarios.test_installers import Installer
from tests.scenarios.test_update import Releases
from tests.scenarios.test_vouching import made as with_a_server
from tests.scenarios.threats.stolen import stolen
from tests.scenarios.threats.test_blast_radius import as_the_domain
from tests.scenarios.world import make_maker, play
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.identifier import KeyId
from thingstead.protocols.coap.message import decode
from thingstead.protocols.group_oscore.protection import protect_group_request, unprotect_group_request
from thingstead.storage.operator_file import key_word


@stolen(
    "a maker's identity key",
    holder="the maker",
    falls="things of that maker can be invented, and vouchers that give its things to another domain",
    stays="other makers' things; policy still names who may join",
)
def test_a_maker_s_identity_key_invents_things_of_that_maker_alone():
    async def story(world):
        acme, brook = world.makers["acme"], world.makers["brook"]
        thief = replace(make_maker("acme"), anchor=acme.anchor)
        await world.joined("INVENTED", maker=thief)
        as_brook = world.thing("B0001", maker=replace(brook, anchor=acme.anchor), model="TH-2")
        unplanned = world.thing("A0009", maker=thief, model="ZZ-1")
        for thing in (as_brook, unplanned):
            thing.start()
        await world.sleep(60)
        assert not as_brook.is_joined
        assert not unplanned.is_joined

    play(story)


@stolen(
    "the voucher key of a maker's server",
    holder="the maker's server",
    falls="things of that maker that were in no domain yet go where its holder says",
    stays="things that have an owner; identities and releases, which other keys sign; policy still names who may join",
)
def test_the_key_of_a_maker_s_server_gives_away_what_nobody_has_yet(tmp_path):
    async def story(world):
        masa, lamp = await with_a_server(world)
        rogue = LivingMasa(world, voucher=masa.voucher_key, address=("203.0.113.66", 5683))
        thief, _ = await a_buyer(world, tmp_path)
        unsold = world.thing("A0002", sold_to=masa.card)
        for thing in (lamp, unsold):
            rogue.sell(thing, thief)
            carried_to(thing, thief)
        await world.until(lambda: is_in(thief, "A0002") and unsold.is_joined)
        await world.sleep(60)
        assert not is_in(thief, "A0001")
        assert lamp.agent.ownership.owner == world.domain.public
        unplanned = world.thing("A0009", sold_to=masa.card, model="ZZ-1")
        rogue.sell(unplanned, thief)
        carried_to(unplanned, thief)
        await world.sleep(60)
        assert not unplanned.is_joined

    play(story)


@stolen(
    "a maker's release keys",
    holder="the maker, or several people",
    falls="with as many as must sign: any software for its things, and the keys that follow; with one of two: nothing",
    stays="other makers' things",
)
def test_one_of_two_release_keys_is_worth_nothing_and_both_one_maker_s_things(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        (lamp,) = await world.joined("A0001")
        classic, lattice = world.makers["acme"].release_keys
        for keys in [(classic,), (lattice,), (classic, generate(KeyType.ML_DSA_44))]:
            assert "error" in await releases.publish(*releases.make(keys=keys))
        foreign = releases.make("TH-2", "2.0.0", maker="brook", keys=(classic, lattice))
        assert "error" in await releases.publish(*foreign)
        assert "result" in await releases.publish(*releases.make(keys=(classic, lattice)))
        await world.until(lambda: lamp.agent.status()["version"] == "1.1.0")

    play(story)


@stolen(
    "a thing's keys",
    holder="the thing",
    falls="that thing can be played elsewhere, until both are found and cut off, or it is retired",
    stays="every other thing",
)
def test_a_thing_s_keys_play_that_thing_until_it_is_retired():
    async def story(world):
        lamp, other = await world.joined("A0001", "A0002")
        identifier = lamp.id
        copy = world.thing("A0001-copy")
        copy.disk, copy.keys = dict(lamp.disk), lamp.keys
        lamp.crash()
        copy.start()
        told = world.domain.controller.planes.data.latest(identifier)
        await world.until(lambda: world.domain.controller.planes.data.latest(identifier) != told)
        await world.domain.ask("thing.retire", thing=identifier)
        told = world.domain.controller.planes.data.latest(identifier)
        await world.sleep(60)
        assert world.domain.controller.planes.data.latest(identifier) == told
        assert not world.domain.controller.server.is_live(identifier)
        assert other.is_joined

    play(story)


@stolen(
    "a group's key",
    holder="each member",
    falls="the member reads the group, until it is put out",
    stays="outsiders stay out; it cannot sign as another member (RFC 10021), and asks no more than its right",
)
def test_a_group_s_key_reads_and_does_not_speak_for_others():
    async def story(world):
        one, thief = await lamps(world, "A0001", "A0002")
        await switch(world)
        stolen_context = captured(thief)
        message, _ = unprotect_group_request(decode(commands(world)[-1].data), context=stolen_context)
        assert message.payload
        await switch(world, "off")
        posing = as_the_domain(kept_keys(thief), one, thief.keys.handle(KeyId("group-lamps")))
        send(world, protect_group_request(command(), context=posing)[0], thief)
        await world.sleep(5)
        assert not one.lamp.is_on()

    play(story)


@stolen(
    "an install code",
    holder="whoever reads the label",
    falls="one thing comes in under it, if it is the first",
    stays="a second one, another serial number, and what policy does not let in",
)
def test_an_install_code_lets_one_thing_in():
    async def story(world):
        await tell(world)
        thief = stranger(world)
        thief.start()
        await world.until(lambda: thief.is_joined)
        assert await code_state(world) == ("used", 1)
        genuine = stranger(world, "Z0002")
        genuine.start()
        await world.sleep(120)
        assert not genuine.is_joined

    play(story, policy=LABELLED)


@stolen(
    "an installer's key",
    holder="who was delegated to",
    falls="things of its zones and classes are approved, until it is revoked or ends",
    stays="other zones and classes, and everything that is no approval; who approved what is on the ledger",
)
def test_an_installer_s_key_approves_within_its_bounds():
    async def story(world):
        lamp = world.thing("A0001")
        sensor = world.thing("B0001", maker=world.makers["brook"], model="TH-2")
        for thing in (lamp, sensor):
            thing.start()
        await world.until(lambda: len(list(world.domain.controller.admission.waiting())) == 2)
        thief = Installer(world)
        await thief.delegate()
        assert (await thief.admit(sensor))["error"]["reason"] == "delegation"
        assert (await thief.ask("thing.retire"))["error"]["kind"] == "RoleError"
        assert "result" in await thief.admit(lamp)
        await world.until(lambda: lamp.has_reported)
        await world.domain.ask("installer.revoke", name="ben")
        assert (await thief.ask("thing.list"))["error"]["reason"] == "operator"

    play(story, policy=HOLD)


@stolen(
    "a key that `operators` names",
    holder="its person",
    falls="what the role of its line may: a maintainer's quarantines things",
    stays="the rights of the other roles, approving and owning; the ledger says under whose name it was done",
)
def test_a_key_of_the_operators_file_is_its_role_and_no_more():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        thief = Installer(world)
        world.domain.operators = f"maintainer {key_word(thief.key.public)} max\n"
        assert "result" in await thief.ask("thing.quarantine", thing=lamp.id)
        for operation in ("thing.retire", "policy.reload", "installer.add", "thing.admit", "data.export"):
            assert (await thief.ask(operation))["error"]["kind"] == "RoleError"
        (said,) = world.domain.entries(Kind.RESTRICTION)
        assert said.actor == "maintainer:max"
        world.domain.operators = ""
        assert (await thief.ask("thing.restore", thing=lamp.id))["error"]["reason"] == "operator"

    play(story)
