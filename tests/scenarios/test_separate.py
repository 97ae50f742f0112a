"""A domain whose keys are with keepers lives as any other: what a controller signs is what the keepers' rules pass."""

import asyncio
import os
import socket
import threading
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.hosting import hosted
from tests.scenarios.groups import lamps, switch
from tests.scenarios.peers import PEERS, press
from tests.scenarios.test_update import Releases
from tests.scenarios.world import play
from thingstead.cli.hosting import data_host, network_host, software_host
from thingstead.cli.separation import rule_of
from thingstead.controller.config import ControllerConfig
from thingstead.controller.directory import KEYS
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName, Standing
from thingstead.errors import ConfigError, ForbiddenError
from thingstead.identifier import KeyId
from thingstead.keeper.server import Keeper, serve
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.registry import Code
from thingstead.storage.memory import MemoryStore
from thingstead.storage.policy_file import parse_policy
from thingstead.storage.records import move
from thingstead.transport import engine_socket
from thingstead.transport.engine_socket import EngineSocket
from thingstead.transport.key_socket import RemoteKeyStore, RemoteWitness
from thingstead.transport.resolver import HostsResolver


@pytest.fixture(autouse=True)
def in_one_thread(monkeypatch):
    """A thread that a story waits for takes no time that its clock knows."""

    async def at_once(function, *arguments):
        return function(*arguments)

    async def in_line(_lane, call):
        return call()

    monkeypatch.setattr(asyncio, "to_thread", at_once)
    monkeypatch.setattr(engine_socket, "in_thread", in_line)


async def given_away(world, folder):
    """Start the domain again with each of its keys at a keeper."""
    domain = world.domain
    await domain.crash()
    own, doors, keepers = domain.keys, {}, {}
    for name in KEYS:
        doors[name] = folder / f"{name}.socket"
        (folder / name).mkdir()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(doors[name]))
        listener.listen()
        rule = rule_of(name, domain.config, folder / name)
        keepers[name] = Keeper(name, own.handle(KeyId(name)), rule, utc=world.clock.utc)
        arguments = (keepers[name], listener)
        threading.Thread(target=serve, args=arguments, kwargs={"user": os.geteuid()}, daemon=True).start()
    domain.keys, witness, before = RemoteKeyStore(doors, own), RemoteWitness(doors["ledger"]), domain.foundation
    domain.foundation = lambda: replace(before(), witness=witness, separate=tuple(doors))
    await domain.start()
    return keepers, domain.keys, witness


@asynccontextmanager
async def engines_apart(world, folder, *planes):
    """Start the domain again with the engines of these planes elsewhere; gives what ends one as kill -9 does, and
    starts another in its place.
    """
    domain = world.domain
    stores: dict[PlaneName, MemoryStore] = {}
    living: dict[PlaneName, ExitStack] = {}
    await domain.crash()

    def begin(plane):
        store = stores.setdefault(plane, MemoryStore())
        living[plane] = ExitStack()
        living[plane].enter_context(hosted(lambda: HOSTS[plane](world, store), folder / f"{plane}.socket"))

    def again(plane):
        living[plane].close()
        begin(plane)

    for plane in planes:
        await move(plane, domain.disk, stores.setdefault(plane, MemoryStore()))
        begin(plane)
    engines, before = {plane: EngineSocket(folder / f"{plane}.socket") for plane in planes}, domain.foundation
    domain.foundation = lambda: replace(before(), engines=engines)
    await domain.start()
    try:
        yield again
    finally:
        for engine in engines.values():
            engine.close()
        for stack in living.values():
            stack.close()


def network(world, store):
    domain = world.domain
    return network_host(
        store,
        config=domain.config,
        keeper=domain.enforcement,
        files=domain.mud_files,
        resolve=HostsResolver({}, offline=True),
        mac_of=domain.segment.mac_of,
        clock=world.clock,
    )


def data(world, store):
    return data_host(store, purposes=parse_policy(world.domain.policy).purposes, clock=world.clock)


async def found_nothing(_image):
    return []


def software(world, store):
    return software_host(store, scan=found_nothing, clock=world.clock)


HOSTS = {PlaneName.NETWORK: network, PlaneName.DATA: data, PlaneName.SOFTWARE: software}
"""An engine as its process makes it."""


@pytest.mark.slow
def test_things_join_are_grouped_command_each_other_and_leave_by_keys_that_are_elsewhere(tmp_path):
    async def story(world):
        keepers, keys, witness = await given_away(world, tmp_path)
        with closing(keys), closing(witness):
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
            assert witness.size() == world.domain.controller.notary.size
            assert (await world.domain.ask("status"))["separate"] == list(KEYS)
            assert {name: keeper.refused for name, keeper in keepers.items()} == dict.fromkeys(KEYS, 0)

    play(story, policy=PEERS)


def test_a_ledger_that_was_cut_is_signed_no_more(tmp_path):
    async def story(world):
        keepers, keys, witness = await given_away(world, tmp_path)
        with closing(keys), closing(witness):
            await world.joined("A0001")
            notary = world.domain.controller.notary
            await notary.seal()
            other = type(notary)(
                replace_leaves(world.domain.disk, 2),
                type(world.domain.heads)(),
                key=keys.handle(KeyId("ledger")),
                domain="home",
                clock=world.clock,
                witness=witness,
            )
            with pytest.raises(ForbiddenError, match="was signed"):
                await other.seal()
            with pytest.raises(ForbiddenError):
                other.receipt(0)
            assert keepers["ledger"].refused

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
        async with engines_apart(world, tmp_path, PlaneName.NETWORK) as again:
            # Where it was came along with the plane's documents.
            assert (await world.domain.enforcement.standing(before.id)).admitted
            (lamp,) = await world.joined("A0002")
            assert (await world.domain.enforcement.standing(lamp.id)).admitted
            assert len(world.domain.controller.planes.whereabouts.places()) == 2
            again(PlaneName.NETWORK)
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
        async with engines_apart(world, tmp_path, PlaneName.NETWORK) as again:
            network = world.domain.controller.planes.network
            path, network._engine._path = network._engine._path, tmp_path / "gone"
            for connection in network._engine._idle:
                connection.close()
                connection._path = tmp_path / "gone"
            await world.domain.ask("thing.quarantine", thing=lamp.id)
            (owed,) = world.domain.controller.register.obligations()
            assert owed.plane is PlaneName.NETWORK
            assert (await world.domain.ask("status"))["planes"][4]["mode"].startswith("NOT ANSWERING")
            network._engine._path = path
            network._engine._idle.clear()
            again(PlaneName.NETWORK)
            await world.until(lambda: not world.domain.controller.register.obligations())
            assert (await world.domain.enforcement.standing(lamp.id)).barred

    play(story)


@pytest.mark.slow
def test_the_data_plane_elsewhere_keeps_what_the_controller_lets_in_and_the_controller_keeps_none(tmp_path):
    async def story(world):
        (before,) = await world.joined("A0001")
        async with engines_apart(world, tmp_path, PlaneName.DATA) as again:
            data = world.domain.controller.planes.data
            (lamp,) = await world.joined("A0002")
            await world.until(lambda: lamp.has_reported and data.accepted > 4)
            again(PlaneName.DATA)
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
        async with engines_apart(world, tmp_path, PlaneName.SOFTWARE) as again:
            software = world.domain.controller.planes.software
            assert "result" in await releases.publish(*releases.make())
            await world.until(lambda: software.runs(lamp.id).version == "1.1.0")
            again(PlaneName.SOFTWARE)
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
            with pytest.raises(ForbiddenError, match="nobody whose anchor"):
                software.poll(lamp.id)
            await world.domain.ask("thing.retire", thing=lamp.id)
            with pytest.raises(ForbiddenError, match="no updates now"):
                software.poll(lamp.id)
            assert world.domain.controller.register.obligations() == ()
            assert [key for key, _ in world.domain.disk.documents(PlaneName.SOFTWARE)] == ["~taken"]

    play(story)
