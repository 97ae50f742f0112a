"""What a backup holds of a living domain, and what a domain that begins again from it does."""

import asyncio

import pytest

from tests.scenarios.nonces import watched_nonces
from tests.scenarios.peers import PEERS, press
from tests.scenarios.world import POLICY, play
from thingstead.controller import backup as backup_file
from thingstead.controller import revocation
from thingstead.controller.composition import compose
from thingstead.controller.directory import KEYS
from thingstead.controller.restoration import newer_entries, take_up
from thingstead.controller.restored_directory import RENEWED
from thingstead.controller.revocation import is_revoked
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Cause
from thingstead.domain.plane import PlaneName
from thingstead.errors import AuthenticationError
from thingstead.identifier import KeyId
from thingstead.planes.groups import record as group_record
from thingstead.protocols.ace import token
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import ccs
from thingstead.simulator.virtual.memory import MemoryHeads
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

LEDGER = KeyId("ledger")


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch):
    """A virtual clock does not wait for threads: what is handed to one is done at once."""

    async def at_once(work, *arguments):
        return work(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", at_once)


async def backed_up(world, tmp_path):
    path = tmp_path / "home.backup"
    await world.domain.ask("backup", path=str(path))
    return backup_file.authenticate(path.read_bytes(), world.domain.keys.handle(LEDGER).public)


async def begun_again(world, backup, *, with_revocations=False):
    """The domain on an empty disk, under keys of its own where a restore makes new ones, filled from the backup."""
    domain = world.domain
    if domain.is_up:
        await domain.crash()
    newer, kept = newer_entries(backup, domain.heads.load()), domain.revocations.load()
    revoked = None
    if with_revocations:
        revoked = revocation.authenticate(kept, backup.signer, domain="home")
    domain.disk, domain.heads, domain.revocations = MemoryStore(), MemoryHeads(), MemoryHeads()
    for name in RENEWED:
        domain.keys.delete(KeyId(name))
        domain.keys.create(KeyId(name), KEYS[name])
    await take_up(compose(domain.foundation(), asyncio.TaskGroup()), backup, newer, revoked)
    await domain.start()


def test_no_association_of_a_living_domain_is_in_its_backup(tmp_path):
    async def story(world):
        things = await world.joined("A0001", "A0002")
        await world.domain.ask("group.create", group="lamps")
        await backed_up(world, tmp_path)
        data = (tmp_path / "home.backup").read_bytes()
        for thing in things:
            assert thing.agent.association.master_secret.reveal() not in data
        for name, document in PlaneRecords(PlaneName.GROUPS, world.domain.disk).load().items():
            if name.startswith("group/"):
                assert group_record.decode(document).master_secret.reveal() not in data
        for name in KEYS:
            assert world.domain.keys.handle(KeyId(name)).private_bytes().reveal() not in data

    play(story)


def test_things_join_a_restored_domain_by_themselves_and_no_nonce_comes_again(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        identifier, secret = lamp.id, lamp.agent.association.master_secret.reveal()
        backup = await backed_up(world, tmp_path)
        await begun_again(world, backup)
        assert not world.domain.controller.server.is_live(identifier)
        told = world.domain.controller.planes.data.accepted
        await world.until(lambda: world.domain.controller.planes.data.accepted > told, within=300)
        assert lamp.id == identifier
        assert lamp.agent.association.master_secret.reveal() != secret
        assert world.domain.record("A0001").state == "operational"

    with watched_nonces() as nonces:
        play(story)
    assert nonces.used
    assert nonces.repeated == []


@pytest.mark.requirement("R-62")
@pytest.mark.parametrize("revoked", ["before the backup", "after it"])
def test_no_token_that_was_revoked_comes_back_with_a_restore(revoked, tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        (sensor,) = await world.joined("B0001", maker=world.makers["brook"], model="TH-2")
        assert await press(world, sensor, lamp) == Code.CHANGED
        access_token = sensor.agent.peer_client._held[lamp.id].access_token
        tokens = world.domain.controller.planes.tokens
        backup = await backed_up(world, tmp_path) if revoked == "after it" else None
        await tokens.revoke(dict(tokens.of(sensor.id)))
        await world.until(lambda: token.token_hash(access_token) in lamp.agent.revocations, within=10)
        issuer = lamp.agent.association.issuer_credential
        await begun_again(world, backup or await backed_up(world, tmp_path))
        await world.until(lambda: lamp.agent.association.issuer_credential != issuer, within=300)
        await world.until(lambda: world.domain.controller.server.is_live(sensor.id), within=300)
        with pytest.raises(AuthenticationError):
            token.authenticate_shown(
                access_token,
                ccs.decode(lamp.agent.association.issuer_credential).public,
                accept=frozenset({AlgorithmId.ESP256}),
                at=world.clock.utc(),
                issuer="home",
                audience=lamp.id,
            )
        assert await press(world, sensor, lamp) == Code.CHANGED

    play(story, policy=PEERS)


@pytest.mark.parametrize("serial", ["A0001", "A0002"], ids=["known to the backup", "joined after it"])
def test_a_thing_that_was_retired_after_the_backup_does_not_come_back_by_itself(serial, tmp_path):
    async def story(world):
        await world.joined("A0001")
        backup = await backed_up(world, tmp_path)
        await world.joined("A0002")
        thing = world.things[serial]
        secrets = dict(thing.disk)
        await world.domain.ask("thing.retire", thing=thing.id)
        await world.sleep(2)
        thing.crash()
        # It wiped itself; whoever copied its memory before plays it now.
        thing.disk = secrets
        world.domain.policy = "approve_each = true\n" + POLICY
        await begun_again(world, backup)
        thing.start()
        await world.sleep(120)
        assert world.domain.record(serial).state != "operational"
        assert not world.domain.controller.server.is_live(world.domain.record(serial).id)
        assert [one.cause for one in world.domain.entries(Kind.AUTHORIZATION)][-1] == "hold"
        await world.domain.ask("thing.retire", thing=world.domain.record(serial).id)
        await world.sleep(120)
        assert world.domain.record(serial).state == "decommissioned"

    play(story)


def test_a_person_lets_in_who_waits_and_the_zone_is_the_one_of_its_rule(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        backup = await backed_up(world, tmp_path)
        world.domain.policy = "approve_each = true\n" + POLICY
        await begun_again(world, backup)
        await world.sleep(60)
        assert world.domain.record("A0001").state == "re-bootstrapping"
        await world.domain.ask("thing.admit", thing=lamp.id)
        await world.until(lambda: world.domain.record("A0001").state == "operational", within=300)
        assert world.domain.record("A0001").zone == "floor-1"

    play(story)


def test_what_was_quarantined_or_retired_before_the_backup_stays_so(tmp_path):
    async def story(world):
        first, second = await world.joined("A0001", "A0002")
        await world.domain.ask("thing.quarantine", thing=first.id)
        await world.domain.ask("thing.retire", thing=second.id)
        backup = await backed_up(world, tmp_path)
        await begun_again(world, backup)
        await world.sleep(120)
        assert (world.domain.record("A0001").restriction, world.domain.record("A0002").state) == (
            "quarantined",
            "decommissioned",
        )
        for thing in (first, second):
            assert not world.domain.controller.server.is_live(world.domain.record(thing.serial).id)
        probes = await world.domain.controller.kill_clock.probe(world.domain.record("A0002").id)
        assert {probe.standing.value for probe in probes} <= {"refused", "absent"}

    play(story)


def test_the_restored_ledger_begins_with_the_old_one_and_says_what_it_cannot_know(tmp_path):
    async def story(world):
        await world.joined("A0001")
        backup = await backed_up(world, tmp_path)
        await world.joined("A0002")
        await world.sleep(2)
        await begun_again(world, backup)
        entries = list(world.domain.entries())
        size = len(backup.backup.leaves)
        assert tuple(world.domain.disk.leaves(0, size)) == backup.backup.leaves
        assert (entries[size].cause, entries[size].details["backup"]) == ("restored", backup.digest)
        assert entries[size].details["newer"] > 0

    play(story)


@pytest.mark.requirement("R-62")
@pytest.mark.parametrize("serial", ["A0001", "A0002"], ids=["known to the backup", "joined after it"])
@pytest.mark.parametrize("operation", ["thing.retire", "thing.quarantine"])
def test_with_the_second_place_nobody_is_locked_out_and_nothing_revoked_comes_back(serial, operation, tmp_path):
    async def story(world):
        await world.joined("A0001")
        backup = await backed_up(world, tmp_path)
        await world.joined("A0002")
        other = next(one for one in world.things if one != serial)
        thing, kept = world.things[serial], dict(world.things[serial].disk)
        await world.domain.ask(operation, thing=thing.id)
        await world.sleep(2)
        thing.crash()
        # It may have wiped itself; whoever copied its memory before plays it now.
        thing.disk = kept
        await begun_again(world, backup, with_revocations=True)
        thing.start()
        await world.until(lambda: world.things[other].has_reported and _is_in(world, other), within=300)
        await world.sleep(120)
        assert not world.domain.controller.server.is_live(world.domain.record(serial).id)
        assert is_revoked(world.domain.record(serial))

    play(story)


@pytest.mark.requirement("R-62")
@pytest.mark.requirement("R-77")
def test_a_thing_at_its_end_of_life_comes_back_to_a_restored_domain_as_what_it_was(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        identifier = lamp.id
        await world.domain.controller.conductor.transition(identifier, Cause.SUPPORT_ENDED, actor="test")
        backup = await backed_up(world, tmp_path)
        await begun_again(world, backup, with_revocations=True)
        taken = world.domain.controller.planes.data.accepted
        await world.until(lambda: world.domain.controller.planes.data.accepted > taken, within=300)
        assert (lamp.id, world.domain.record("A0001").state) == (identifier, "end-of-life")

    play(story)


def _is_in(world, serial):
    things = [thing for thing in world.domain.controller.register.things() if thing.serial == serial]
    return [thing.state.value for thing in things] == ["operational"]


@pytest.mark.requirement("R-62")
@pytest.mark.parametrize("instant", range(1, 5))
def test_a_controller_that_dies_while_it_retires_loses_no_revocation_that_it_acknowledged(instant, tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        identifier = lamp.id
        lamp.crash()
        backup = await backed_up(world, tmp_path)
        world.domain.fate.fatal = world.domain.fate.instants + instant
        answer = await world.domain.answer("thing.quarantine", thing=identifier)
        world.domain.fate.fatal = None
        kept = revocation.authenticate(world.domain.revocations.load(), backup.signer, domain="home")
        revoked = {thing.id for thing in kept.revocations.things}
        if "result" in answer or any(map(is_revoked, world.domain.disk.load().things)):
            assert revoked == {identifier}
        await world.sleep(0.1)
        if not world.domain.is_up:
            await world.domain.start()
        await world.sleep(2)
        kept = revocation.authenticate(world.domain.revocations.load(), backup.signer, domain="home")
        assert kept.revocations.things == tuple(filter(is_revoked, world.domain.disk.load().things))

    play(story)
