"""A domain whose keys are with keepers lives as any other: what a controller signs is what the keepers' rules pass."""

import random
from datetime import UTC, datetime

import pytest

from tests.scenarios.apart import HOSTED, KEPT, Mortal, apart, at_once
from tests.scenarios.groups import commands, epochs, is_settled, lamps, named, record, switch, watch
from tests.scenarios.peers import PEERS, press
from tests.scenarios.test_groups import dying, revive
from tests.scenarios.test_update import Releases
from tests.scenarios.world import play
from thingstead.cli.separation import rule_of
from thingstead.controller.config import ControllerConfig
from thingstead.controller.directory import KEYS
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName, Standing
from thingstead.errors import ConfigError, ForbiddenError
from thingstead.identifier import KeyId
from thingstead.planes.software.campaigns import DOCUMENTS
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.registry import Code


@pytest.fixture(autouse=True)
def in_one_thread(monkeypatch):
    """As `apart.at_once` says."""
    at_once(monkeypatch)


@pytest.mark.slow
def test_things_join_are_grouped_command_each_other_and_leave_by_keys_that_are_elsewhere(tmp_path):
    async def story(world):
        async with apart(world, tmp_path) as parts:
            (lamp,) = await lamps(world, "A0001")
            await switch(world)
            assert lamp.lamp.is_on()
            (sensor,) = await world.joined("B0001", maker=world.makers["brook"], model="TH-2")
            assert await press(world, sensor, lamp, on=False) == Code.CHANGED
            assert await world.domain.ask("installer.list") == []
            backup = tmp_path / "home.backup"
            assert (await world.domain.ask("backup", path=str(backup)))["things"] == 2
            assert (await world.domain.ask("ledger.proof", index=1))["size"] == world.domain.controller.notary.size
            await world.domain.ask("thing.retire", thing=sensor.id)
            await world.domain.controller.notary.seal()
            assert parts.witness.size() == world.domain.controller.notary.size
            assert (await world.domain.ask("status"))["separate"] == list(KEPT)
            assert {name: keeper.refused for name, keeper in parts.keepers.items()} == dict.fromkeys(KEPT, 0)
            assert {plane: host.refused for plane, host in parts.hosts.items()} == dict.fromkeys(HOSTED, 0)

    play(story, policy=PEERS)


def test_a_ledger_that_was_cut_is_signed_no_more(tmp_path):
    async def story(world):
        async with apart(world, tmp_path) as parts:
            await world.joined("A0001")
            notary = world.domain.controller.notary
            await notary.seal()
            other = type(notary)(
                replace_leaves(world.domain.disk, 2),
                type(world.domain.heads)(),
                key=parts.keys.handle(KeyId("ledger")),
                domain="home",
                clock=world.clock,
                witness=parts.witness,
            )
            with pytest.raises(ForbiddenError, match="was signed"):
                await other.seal()
            with pytest.raises(ForbiddenError):
                other.receipt(0)
            assert parts.keepers["ledger"].refused

    play(story)


def replace_leaves(disk, count):
    """The same disk with nothing after its first entries."""

    class Cut:
        def leaves(self, start=0, stop=None):
            return iter(list(disk.leaves())[:count][start:stop])

        def listen(self, listener):
            pass

    return Cut()


@pytest.mark.parametrize("name", KEYS)
def test_every_key_of_a_domain_has_a_rule(tmp_path, name):
    rule = rule_of(name, ControllerConfig(), tmp_path)
    with pytest.raises(ForbiddenError):
        rule.check_signature(b"anything", datetime(2026, 11, 23, tzinfo=UTC))


def test_a_damaged_memory_of_what_was_signed_is_not_taken_for_none(tmp_path):
    (tmp_path / "signed").write_bytes(codec.encode(["7"]))
    with pytest.raises(ConfigError, match="does not say"):
        rule_of("ledger", ControllerConfig(), tmp_path)


@pytest.mark.slow
def test_the_network_plane_elsewhere_rules_things_and_bars_who_leaves(tmp_path):
    async def story(world):
        (before,) = await world.joined("A0001")
        async with apart(world, tmp_path, PlaneName.NETWORK) as parts:
            # Where it was came along with the plane's documents.
            assert (await world.domain.enforcement.standing(before.id)).admitted
            (lamp,) = await world.joined("A0002")
            assert (await world.domain.enforcement.standing(lamp.id)).admitted
            assert len(world.domain.controller.planes.whereabouts.places()) == 2
            parts.again(PlaneName.NETWORK)
            await world.domain.ask("thing.retire", thing=lamp.id)
            assert (await world.domain.enforcement.standing(lamp.id)).barred
            assert world.domain.controller.register.obligations() == ()
            assert (await world.domain.ask("status"))["planes"][4]["mode"] == "DRY_RUN: NOT ENFORCED"
            assert world.domain.controller.planes.network.snapshot() == {}

    play(story)


@pytest.mark.slow
def test_while_the_network_plane_is_gone_nothing_is_admitted_there_and_what_is_owed_is_done_afterwards(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        async with apart(world, tmp_path, PlaneName.NETWORK) as parts:
            parts.kill(PlaneName.NETWORK)
            await world.domain.ask("thing.quarantine", thing=lamp.id)
            (owed,) = world.domain.controller.register.obligations()
            assert owed.plane is PlaneName.NETWORK
            assert (await world.domain.ask("status"))["planes"][4]["mode"].startswith("NOT ANSWERING")
            parts.begin(PlaneName.NETWORK)
            await world.until(lambda: not world.domain.controller.register.obligations())
            assert (await world.domain.enforcement.standing(lamp.id)).barred

    play(story)


@pytest.mark.slow
def test_the_data_plane_elsewhere_keeps_what_the_controller_lets_in_and_the_controller_keeps_none(tmp_path):
    async def story(world):
        (before,) = await world.joined("A0001")
        async with apart(world, tmp_path, PlaneName.DATA) as parts:
            data = world.domain.controller.planes.data
            (lamp,) = await world.joined("A0002")
            await world.until(lambda: lamp.has_reported and data.accepted > 4)
            parts.again(PlaneName.DATA)
            taken = data.accepted
            await world.until(lambda: data.accepted > taken + 4)
            await data.flush()
            listed = await world.domain.ask("data.list")
            assert {row["thing"] for row in listed} == {before.id, lamp.id}
            page = await world.domain.ask("data.export", thing=lamp.id)
            assert page["values"] > 1
            assert (await world.domain.ask("data.erase", thing=lamp.id))["values"] == page["values"]
            assert {entry.kind for entry in world.domain.entries(Kind.DISCLOSURE, Kind.ERASURE)} == {
                Kind.DISCLOSURE,
                Kind.ERASURE,
            }
            await world.domain.ask("thing.retire", thing=before.id)
            assert world.domain.controller.register.obligations() == ()
            assert (await data.probe(world.domain.record("A0001"))).standing is Standing.REFUSED
            left = [key for key, _ in world.domain.disk.documents(PlaneName.DATA)]
            assert left == ["~taken"]

    play(story)


@pytest.mark.slow
def test_the_software_plane_elsewhere_verifies_what_is_published_and_the_controller_hands_it_out(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        (lamp,) = await world.joined("A0001")
        async with apart(world, tmp_path, PlaneName.SOFTWARE) as parts:
            software = world.domain.controller.planes.software
            assert "result" in await releases.publish(*releases.make())
            await world.until(lambda: software.runs(lamp.id).version == "1.1.0")
            parts.again(PlaneName.SOFTWARE)
            (campaign,) = await world.domain.ask("release.list")
            assert (campaign["offered"], campaign["fetched"], campaign["installed"]) == (1, 1, 1)
            assert software.runs(lamp.id).version == "1.1.0"
            assert "error" in await releases.publish(*releases.make(version="1.2.0", sequence_number=3, keys=()))
            kinds = [one.kind for one in world.domain.entries(Kind.RELEASE, Kind.INSTALLATION, Kind.REFUSAL)]
            assert kinds.count(Kind.RELEASE) == 1
            assert Kind.INSTALLATION in kinds
            assert (await world.domain.ask("release.show", model="LX-1"))["things"][0]["version"] == "1.1.0"
            del world.makers["acme"]
            await world.domain.ask("trust.reload")
            with pytest.raises(ForbiddenError, match="has no anchor here"):
                software.poll(lamp.id)
            await world.domain.ask("thing.retire", thing=lamp.id)
            with pytest.raises(ForbiddenError, match="no updates now"):
                software.poll(lamp.id)
            assert world.domain.controller.register.obligations() == ()
            kept = [key for key, _ in world.domain.disk.documents(PlaneName.SOFTWARE)]
            assert [key for key in kept if not key.startswith(DOCUMENTS)] == ["~taken"]

    play(story)


@pytest.mark.slow
@pytest.mark.requirement("R-63")
def test_the_groups_plane_elsewhere_makes_epochs_and_the_controller_hands_them_round(tmp_path):
    async def story(world):
        first, second = await lamps(world, "A0001", "A0002")
        before = record(world)
        async with apart(world, tmp_path, PlaneName.GROUPS) as parts:
            # Who was in stays in, under the keys that it has.
            assert (record(world).gid, record(world).members) == (before.gid, before.members)
            assert len((await switch(world))["answers"]) == 2
            parts.again(PlaneName.GROUPS)
            (third,) = await lamps(world, "A0003")
            await world.domain.ask("group.evict", group="lamps", thing=second.id)
            assert epochs(first, third) == [record(world).num] * 2
            assert sorted((await switch(world, "off"))["answers"]) == sorted([first.id, third.id])
            await world.domain.ask("thing.retire", thing=first.id)
            assert world.domain.controller.register.obligations() == ()
            assert [member.thing for member in record(world).members] == [third.id]
            assert {entry.actor for entry in world.domain.entries(Kind.GROUP)} == {"plane:groups"}
            # The controller's disk has none of its documents.
            assert [key for key, _ in world.domain.disk.documents(PlaneName.GROUPS)] == ["~taken"]
            assert "group/lamps" in dict(parts.stores[PlaneName.GROUPS].documents(PlaneName.GROUPS))

    play(story)


@pytest.mark.slow
@pytest.mark.requirement("R-09")
def test_while_the_groups_plane_is_gone_a_leaver_is_owed_there_and_no_other_plane_waits(tmp_path):
    async def story(world):
        first, second = await lamps(world, "A0001", "A0002")
        async with apart(world, tmp_path, PlaneName.GROUPS) as parts:
            parts.kill(PlaneName.GROUPS)
            await world.domain.ask("thing.quarantine", thing=second.id)
            (owed,) = world.domain.controller.register.obligations()
            assert owed.plane is PlaneName.GROUPS
            assert not world.domain.controller.server.is_live(second.id)
            assert (await world.domain.ask("status"))["planes"][2]["mode"].startswith("NOT ANSWERING")
            parts.begin(PlaneName.GROUPS)
            await world.until(lambda: not world.domain.controller.register.obligations())
            await world.until(lambda: is_settled(world, [first]))
            assert epochs(first) == [record(world).num]

    play(story)


SEEDS = [0, *[pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 40)]]


@pytest.mark.slow
@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("plane", HOSTED)
@pytest.mark.parametrize("seed", SEEDS)
def test_kill_9_of_an_engine_brings_nobody_back_and_leaves_nothing_owed(tmp_path, plane, seed):
    """It dies over some question, before or after it was done; things join, report and leave all the same."""
    chance = random.Random(f"{plane} {seed}")

    async def story(world):
        async with apart(world, tmp_path) as parts:
            mortal: list[Mortal] = []

            def make():
                mortal.append(Mortal(lambda: parts.make(plane), chance.randrange(1, 7), is_done=chance.random() < 0.5))
                return mortal[0]

            parts.again(plane, make)
            things = [world.thing(f"A000{number}") for number in range(3)]
            for thing in things:
                thing.start()
            await world.until(lambda: all(thing.is_joined for thing in things), within=300)
            gone, held, kept = (world.domain.record(thing.serial) for thing in things)
            await world.domain.ask("thing.retire", thing=gone.id)
            await world.domain.ask("thing.quarantine", thing=held.id)
            await world.until(lambda: not world.domain.controller.register.obligations(), within=300)
            await world.sleep(5)
            standings = {
                thing.id: {one.plane: one.standing for one in await world.domain.controller.kill_clock.probe(thing.id)}
                for thing in (gone, held, kept)
            }
            assert mortal[0].has_died
            for thing in (gone, held):
                assert Standing.ACCEPTED not in standings[thing.id].values(), standings[thing.id]
            assert set(standings[kept.id].values()) <= {Standing.ACCEPTED, Standing.ABSENT}, standings[kept.id]
            entries = [entry for entry in world.domain.entries(Kind.ISSUE) if entry.actor == "plane:identity"]
            assert len({entry.details["cti"] for entry in entries}) == len(entries)
            await goes_on(world)

    play(story, seed=seed)


@pytest.mark.slow
@pytest.mark.requirement("R-63")
@pytest.mark.parametrize("is_controller_killed", [False, True], ids=["plane", "plane and controller"])
@pytest.mark.parametrize("seed", SEEDS)
def test_kill_9_of_the_groups_plane_or_of_who_asks_it_leaves_one_epoch_and_nobody_on_an_old_one(
    tmp_path, is_controller_killed, seed
):
    """No Gid has two secrets, no number is used twice under one, and who was put out stays out."""
    chance = random.Random(f"groups {is_controller_killed} {seed}")

    async def story(world):
        secrets: dict[bytes, bytes] = {}
        first, second, third = await lamps(world, "A0001", "A0002", "A0003", group_interval=1.0)
        identifiers = {thing: thing.id for thing in (second, third)}
        async with apart(world, tmp_path, PlaneName.GROUPS) as parts:
            parts.stores[PlaneName.GROUPS].listen(lambda committed: watch(committed, secrets))

            def mortal():
                calls, is_done = chance.randrange(1, 16), chance.random() < 0.5
                return Mortal(lambda: parts.make(PlaneName.GROUPS), calls, is_done=is_done)

            for operation, thing in (("group.evict", second), ("group.rekey", None), ("thing.retire", third)):
                # One of the two, for a controller that finds a plane gone at its start is not started.
                parts.again(PlaneName.GROUPS, None if is_controller_killed else mortal)
                if is_controller_killed:
                    world.domain.fate.fatal = world.domain.fate.instants + chance.randrange(1, 4)
                named_by = {"group": "lamps"} if operation.startswith("group") else {}
                asked = named_by | ({} if thing is None else {"thing": identifiers[thing]})
                for _ in range(2):
                    await dying(world, operation, **asked)
                await world.sleep(chance.random() * 4)
                world.domain.fate.fatal = None
                await revive(world)
            await world.until(lambda: not world.domain.controller.register.obligations(), within=300)
            await world.until(lambda: is_settled(world, [first]), within=300)
            await world.until(lambda: epochs(first) == [record(world).num], within=300)
            # The first that it is asked by a controller that has not told it how things stand is a signature.
            parts.again(PlaneName.GROUPS)
            await switch(world)
            assert first.lamp.is_on()
            used = [named(one) for one in commands(world)]
            assert len(set(used)) == len(used)
            assert len(set(secrets.values())) == len(secrets)
            assert identifiers[second] in record(world).barred

    play(story, seed=seed)


async def goes_on(world):
    """Whoever is in still reports, and it is kept."""
    data = world.domain.controller.planes.data
    told = data.accepted
    await world.until(lambda: data.accepted > told, within=300)
    await data.flush()
