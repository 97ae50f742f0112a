"""A domain whose keys are with keepers lives as any other: what a controller signs is what the keepers' rules pass."""

import asyncio
import os
import socket
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.scenarios.groups import lamps, switch
from tests.scenarios.peers import PEERS, press
from tests.scenarios.world import play
from thingstead.cli.separation import rule_of
from thingstead.controller.config import ControllerConfig
from thingstead.controller.directory import KEYS
from thingstead.errors import ConfigError, ForbiddenError
from thingstead.identifier import KeyId
from thingstead.keeper.server import Keeper, serve
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.registry import Code
from thingstead.transport.key_socket import RemoteKeyStore, RemoteWitness


@pytest.fixture(autouse=True)
def in_one_thread(monkeypatch):
    """A thread that a story waits for takes no time that its clock knows."""

    async def at_once(function, *arguments):
        return function(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", at_once)


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
