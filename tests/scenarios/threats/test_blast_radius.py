"""Who holds a part of the domain, and what falls with it: each test holds what was stolen, and tries it everywhere.

Beside what each tries by itself, `believed` makes with a stolen key everything that any key of the domain makes, and
has it verified by whoever relies on it.
"""

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.scenarios.apart import HOSTED, KEPT, apart, at_once
from tests.scenarios.groups import captured, command, epochs, kept_keys, lamps, record, send
from tests.scenarios.peers import press
from tests.scenarios.test_installers import _HOLD as HOLD
from tests.scenarios.test_installers import Installer
from tests.scenarios.test_peers import _held as held_token
from tests.scenarios.threats.forgery import believed, identity_shown
from tests.scenarios.threats.ground import target_of
from tests.scenarios.threats.stolen import stolen
from tests.scenarios.world import POLICY, make_maker, play
from thingstead.agent.association import decode as decode_association
from thingstead.agent.outbox import DOMAIN
from thingstead.controller.engines import remote_engine
from thingstead.controller.groups_engine import SeatKey
from thingstead.controller.operation_table import operations
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger import head
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.ledger.head import TreeHead
from thingstead.domain.ledger.tree import MerkleTree
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.network import NetworkChange
from thingstead.domain.peer_policy import PeerDecision
from thingstead.domain.role import Operator, Right, Role
from thingstead.errors import AuthenticationError, ForbiddenError, StorageError
from thingstead.identifier import KeyId
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.token_endpoint import TokenRequest
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.group_oscore.context import GroupContext, OwnIdentity
from thingstead.protocols.group_oscore.protection import protect_group_request
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import path
from thingstead.simulator.attack.member import take_up, telemetry
from thingstead.simulator.attack.station import Station

CONTROLLER = "controller"
KEEPER = f"{CONTROLLER}; with `--separate` its keeper \\*"


def key(world, name):
    return world.domain.keys.handle(KeyId(name))


def with_owner_key(world):
    """The owner's key is made with the first delegation."""
    if KeyId("owner") not in world.domain.keys.ids():
        world.domain.keys.create(KeyId("owner"), KeyType.P256)


async def goes_on(world):
    """Whoever is in still reports."""
    told = world.domain.controller.planes.data.accepted
    await world.until(lambda: world.domain.controller.planes.data.accepted > told)


@stolen(
    "key `domain`",
    holder=KEEPER,
    key="domain",
    falls="handshakes as the domain can be answered: joining things show who they are, and talk to the thief",
    stays="live associations; tokens, credentials, group keys, the ledger: it signs none of them",
)
def test_the_key_of_the_handshake_opens_newcomers_and_nothing_that_is_in():
    async def story(world):
        with_owner_key(world)
        await world.joined("A0001")
        thief = key(world, "domain")
        assert believed(world, thief) == {"handshake"}
        assert identity_shown(world, thief).startswith("NEW-")
        assert [thing.serial for thing in world.domain.controller.register.things()] == ["A0001"]
        await goes_on(world)

    play(story)


@stolen(
    "key `identity`",
    holder=f"{CONTROLLER}; with `--separate` the identity plane's process \\*",
    key="identity",
    falls="credentials for any key can be made; peers believe them until the key is replaced",
    stays="access: a thing takes no command under it; handshakes, groups, the ledger",
)
def test_the_key_of_credentials_commands_nobody():
    async def story(world):
        with_owner_key(world)
        sensor, lamp = await world.joined("A0001", "A0002")
        thief = key(world, "identity")
        assert believed(world, thief) == {"credential"}
        sensor.agent.peer_client._held[lamp.id] = held_token(world, sensor, lamp, signer=thief)
        assert await press(world, sensor, lamp) == "refused"
        assert not lamp.lamp.is_on()

    play(story)


@stolen(
    "key `access`",
    holder=f"{CONTROLLER}; with `--separate` the access plane's process \\*",
    key="access",
    falls="tokens with any scope can be made, for any key: whoever reaches a thing commands what things may ask of "
    "each other, and no list revokes what was never issued, until the key is replaced",
    stays="the domain itself, which takes tokens of its own records only; what is the domain's alone at a thing; "
    "credentials, handshakes, groups, the ledger; the kernel's rules",
)
def test_the_key_of_tokens_commands_things_and_not_the_domain():
    async def story(world):
        with_owner_key(world)
        sensor, lamp = await world.joined("A0001", "A0002")
        thief = key(world, "access")
        assert believed(world, thief) == {"token"}
        forged = held_token(world, sensor, lamp, signer=thief)
        sensor.agent.peer_client._held[lamp.id] = forged
        assert await press(world, sensor, lamp) == Code.CHANGED
        assert lamp.lamp.is_on()
        asked = codec.encode({11: forged.access_token})
        told = codec.decode(world.domain.controller.planes.issuer.introspect(lamp.id, asked))
        assert told == {10: False}
        await world.domain.ask("thing.quarantine", thing=sensor.id)
        assert not world.domain.controller.server.is_live(sensor.id)

    play(story)


def keys_message(keys):
    """What hands a member keys of a group."""
    return request(Code.PUT, path.GROUP_KEYS, payload=keys.encode(), content_format=ContentFormat.ACE_GROUPCOMM_CBOR)


def as_the_domain(keys, member, signer, *, secret=None):
    """The domain's place in a group, with a thief's key in it."""
    domain = keys.members[0]
    members = captured(member).members
    own = OwnIdentity(domain.sender_id, members[domain.sender_id].credential, signer, SequenceNumbers(5000))
    return GroupContext(
        keys.gid,
        master_secret=secret or keys.master_secret,
        master_salt=keys.master_salt,
        gm_credential=keys.gm_credential,
        algorithms=captured(member).algorithms,
        own=own,
    )


@stolen(
    "key `groups`",
    holder=f"{CONTROLLER}; with `--separate` the groups plane's process \\*",
    key="groups",
    falls="answers as the group manager; together with a group's key: commands to the group as the domain",
    stays="groups whose key the thief has not got; single things, tokens, credentials, the ledger",
)
def test_the_key_of_the_group_manager_says_nothing_without_the_group_s_own():
    async def story(world):
        with_owner_key(world)
        one, other = await lamps(world, "A0001", "A0002")
        thief = key(world, "groups")
        assert believed(world, thief) == {"proof of the group manager"}
        outside = as_the_domain(kept_keys(one), other, thief, secret=replace_secret(kept_keys(one).master_secret))
        send(world, protect_group_request(command(), context=outside)[0], other)
        await world.sleep(5)
        assert not one.lamp.is_on()
        inside = as_the_domain(kept_keys(one), other, thief)
        send(world, protect_group_request(command(), context=inside)[0], other)
        await world.until(one.lamp.is_on)

    play(story)


def replace_secret(secret):
    return type(secret)(bytes(byte ^ 1 for byte in secret.reveal()))


@stolen(
    "key `ledger`",
    holder=KEEPER,
    key="ledger",
    falls="heads, receipts and backups over an invented ledger can be signed, and lists of what was revoked",
    stays="the domain sees that such a head is not of its ledger; heads kept elsewhere contradict it; every plane",
)
def test_the_key_of_the_ledger_signs_inventions_that_do_not_fit():
    async def story(world):
        with_owner_key(world)
        await world.joined("A0001")
        thief, domain = key(world, "ledger"), world.domain
        assert believed(world, thief) == {"head", "revocations"}
        await domain.controller.notary.seal()
        genuine = head.authenticate(domain.heads.head, thief.public, domain="home").head
        for size in (genuine.size - 1, genuine.size, genuine.size + 1):
            domain.heads.head = head.sign(TreeHead(size, bytes(32), world.clock.utc(), "home"), thief)
            with pytest.raises(StorageError):
                domain.controller.notary.newest_head()

    play(story)


@stolen(
    "key `owner`, made with the first delegation",
    holder=CONTROLLER,
    key="owner",
    falls="delegations can be signed, which whoever checks one elsewhere believes",
    stays="the domain: an installer is who stands in its records; every plane",
)
def test_the_key_of_delegations_lets_nobody_in():
    async def story(world):
        lamp = world.thing("A0001")
        lamp.start()
        await world.until(lambda: list(world.domain.controller.admission.waiting()))
        await Installer(world).delegate()
        assert believed(world, key(world, "owner")) == {"delegation"}
        mallory = Installer(world)
        assert (await mallory.admit(lamp))["error"]["reason"] == "operator"
        await world.sleep(30)
        assert not lamp.is_joined

    play(story, policy=HOLD)


@stolen(
    "the controller's process, with `--separate`",
    holder="its user",
    falls="what it decides, while it is held: who joins and is admitted on each plane, tokens within the rule of "
    "their key, handshakes, commands to groups, lists of what was revoked; OSCORE contexts are read, and of each group "
    "the keys of every epoch meanwhile: the domain is a member, and hands them round; members take from it also keys "
    "that no plane made, until they join anew",
    stays="the keys, which it uses and cannot take; what has no near end is not signed, nor a ledger that contradicts "
    "what was signed; what a plane has on its disk; whom a plane in a process of its own withdrew it admits no more; "
    "the kernel's rules, but by admitting; of series that nobody declared nothing is kept",
)
def test_whoever_holds_the_controller_uses_keys_within_their_rules_and_rewrites_no_ledger(tmp_path, monkeypatch):
    at_once(monkeypatch)

    async def story(world):
        with_owner_key(world)
        async with apart(world, tmp_path) as parts:
            sensor, lamp = await lamps(world, "A0001", "A0002")
            await world.domain.controller.notary.seal()
            expected = {
                "domain": {"handshake"},
                # No head: the keeper was shown another tree.
                "ledger": {"revocations"},
            }
            assert {name: believed(world, key(world, name)) for name in KEPT} == expected
            await world.domain.ask("thing.retire", thing=lamp.id)
            gone = world.domain.record("A0002")
            back = replace(gone, state=LifecycleState.OPERATIONAL, version=gone.version + 1)
            for plane in world.domain.controller.planes:
                if plane.name in HOSTED:
                    with pytest.raises(ForbiddenError, match="withdrawn"):
                        await plane.admit(back, cause="a thief", transition_id=back.transition_id)
            row = (sensor.id, "whereabouts", world.clock.utc().timestamp(), 1.0)
            data = world.domain.controller.planes.data
            await data.ask(tuple[Any, ...], "flush", data._number + 1, [row])
            assert "whereabouts" not in data.latest(sensor.id)
            # Nobody is asked to sign by a key that is with its plane.
            for name in ("identity", "access", "groups"):
                assert believed(world, key(world, name)) == set()
            # What it says in a group is signed, and nothing that the Group Manager says.
            groups: Any = remote_engine(world.domain.controller.planes.groups)
            assert believed(world, SeatKey(key(world, "groups").public, lambda: groups)) == set()
            keys = replace(kept_keys(sensor), num=kept_keys(sensor).num + 1, gid=b"invented")
            await world.domain.controller.server.request(sensor.id, keys_message(keys))
            assert (epochs(sensor), record(world).num) == ([keys.num], keys.num - 1)
            # It can ask for tokens of things for each other, which end; for longer than the rule says it cannot.
            issuer, asked = world.domain.controller.planes.issuer, TokenRequest(sensor.id)
            ordered = PeerDecision("a thief", Scope({"/light": Permission.PUT}), timedelta(days=30))
            for lifetime, is_refused in ((timedelta(days=30), False), (timedelta(days=31), True)):
                with pytest.raises(ForbiddenError) if is_refused else nullcontext():
                    await issuer.issue(sensor.id, sensor.id, asked, replace(ordered, lifetime=lifetime))
            size = parts.witness.size()
            for forged in (size - 1, size, size + 1):
                with pytest.raises(ForbiddenError, match="refuses"):
                    parts.witness.extend(forged, bytes(32), ())

    play(story)


@stolen(
    "OSCORE contexts in `thingstead.db`",
    holder=CONTROLLER,
    falls="traffic with every thing can be read and forged, from its join on",
    stays="what it was before, and what it is after the next join: each handshake's keys are its own",
)
def test_a_stolen_association_ends_with_the_next_join():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        target = target_of(world, genuine="A0001")
        copied, identity = decode_association(lamp.disk["association"]), lamp.keys.handle(birth_record.IDENTITY_KEY)
        born = birth_record.decode(lamp.disk["birth"])
        lamp.crash()
        station = Station(target)
        thief = take_up(station, born, identity, copied, sequence=100_000)
        assert (await station.ask(telemetry(target, 1.0), association=DOMAIN)).is_success
        del lamp.disk["association"]
        lamp.start()
        await world.until(lambda: lamp.is_joined and lamp.has_reported)
        late = take_up(station, born, identity, copied, sequence=200_000)
        assert thief.thing == late.thing
        assert not (await station.ask(telemetry(target, 2.0), association=DOMAIN)).is_success
        station.close()

    play(story)


@stolen(
    "control socket, as the owner",
    holder="the user the controller runs as",
    falls="everything an owner may do",
    stays="the ledger says what was done, and what it said before stays as it was",
)
def test_whoever_asks_as_the_owner_leaves_a_trace():
    async def story(world):
        lamp, _ = await world.joined("A0001", "A0002")
        before = list(world.domain.disk.leaves())
        await world.domain.ask("thing.retire", thing=lamp.id)
        after = list(world.domain.disk.leaves())
        assert not world.domain.controller.server.is_live(lamp.id)
        assert after[: len(before)] == before
        assert any(one.thing == lamp.id for one in list(world.domain.entries(Kind.TRANSITION))[-2:])

    play(story)


@stolen(
    "socket for observers, if `[observe]` names a group",
    holder="that group",
    falls="states, newest telemetry and the ledger are read",
    stays="everything else, but for users that `operators` names; what is tried beyond is refused and counted",
)
@stolen(
    "live page",
    holder="loopback, read only",
    falls="names and states of things are seen",
    stays="everything else: it asks as an auditor, and no command exists on it",
)
def test_who_may_only_look_changes_nothing():
    async def story(world):
        table = operations(world.domain.controller)
        beyond = [row.name for row in table.rows() if row.right not in (Right.SEE, Right.AUDIT)]
        before = list(world.domain.disk.leaves())
        for name in beyond:
            answer = await table.answer({"operation": name}, operator=Operator(Role.AUDITOR))
            assert answer["error"]["kind"] == "RoleError", name
        assert len(beyond) >= 20
        assert list(world.domain.disk.leaves()) == before
        assert "result" in await table.answer({"operation": "thing.list"}, operator=Operator(Role.AUDITOR))

    play(story)


@stolen(
    "`policy.toml`, `trust/`",
    holder="the user the controller runs as",
    falls="who may join, with what scope",
    stays="what was taken from a thing before; what has joined keeps its keys",
)
def test_whoever_writes_the_policy_lets_newcomers_in_and_gives_nobody_back():
    async def story(world):
        (gone,) = await world.joined("A0001")
        await world.domain.ask("thing.quarantine", thing=gone.id)
        await world.domain.crash()
        world.makers["mallory"] = make_maker("mallory")
        world.domain.policy = POLICY.replace('makers = ["acme"]', 'makers = ["acme", "mallory"]')
        await world.domain.start()
        await world.joined("M0001", maker=world.makers["mallory"])
        assert not world.domain.controller.server.is_live(world.domain.record("A0001").id)

    play(story)


@stolen(
    "heads directory",
    holder="that user, at another place",
    falls="a cut tail is noticed no more",
    stays="no head can be made there; changed entries under heads kept by others show",
)
def test_whoever_writes_the_second_place_can_put_back_an_older_head_and_make_none():
    async def story(world):
        domain = world.domain
        await world.joined("A0001")
        await domain.controller.notary.seal()
        older = domain.heads.head
        await world.joined("A0002")
        await domain.controller.notary.seal()
        public, newest = key(world, "ledger").public, domain.heads.head
        domain.heads.head = older
        assert domain.controller.notary.newest_head() is not None
        domain.heads.head = head.sign(TreeHead(1, bytes(32), world.clock.utc(), "home"), generate(KeyType.P256))
        with pytest.raises(AuthenticationError):
            domain.controller.notary.newest_head()
        kept = head.authenticate(newest, public, domain="home").head
        leaves = list(domain.disk.leaves())[: kept.size]
        assert tree_of(leaves).root() == kept.root
        assert tree_of([*leaves[:-1], b"another"]).root() != kept.root

    play(story)


def tree_of(leaves):
    tree = MerkleTree(lambda start, stop: leaves[start:stop])
    for leaf in leaves:
        tree.append(leaf)
    return tree


@stolen(
    "right to change the kernel's rules",
    holder=f"{CONTROLLER}; with `--separate` the enforcer, which has no key and obeys the network plane's process",
    falls="every MUD rule",
    stays="cryptography of all planes: who was cut off there stays so, whatever packets pass",
)
def test_whoever_changes_the_kernel_s_rules_gives_nobody_access():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        await world.domain.ask("thing.quarantine", thing=lamp.id)
        assert (await world.domain.enforcement.standing(lamp.id)).barred
        change = NetworkChange(lamp.id, (), frozenset())
        await world.domain.enforcement.apply(replace(change, barred=False))
        assert (await world.domain.enforcement.standing(lamp.id)).admitted
        told = world.domain.controller.planes.data.accepted
        await world.sleep(300)
        assert world.domain.controller.planes.data.accepted == told

    play(story)
