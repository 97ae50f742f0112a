"""A world's domain whose parts are apart: keys with their keepers, engines behind sockets, as processes have them."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.hosting import hosted
from thingstead.cli import hosting
from thingstead.cli.separation import DOCUMENTS, rule_of
from thingstead.controller.directory import KEYS
from thingstead.controller.group import group_settings
from thingstead.controller.issuing import Issuing
from thingstead.crypto.keystore import KeyStore
from thingstead.domain.plane import PlaneName
from thingstead.domain.policy import PROFILES
from thingstead.identifier import KeyId
from thingstead.keeper.host import Host
from thingstead.keeper.rule import GroupRule, RuledKey
from thingstead.keeper.server import Keeper, serve
from thingstead.storage.memory import MemoryStore
from thingstead.storage.policy_file import parse_policy
from thingstead.storage.records import OF_HOST, move
from thingstead.transport import engine_socket
from thingstead.transport.engine_socket import EngineSocket
from thingstead.transport.key_socket import RemoteKeyStore, RemoteWitness
from thingstead.transport.resolver import HostsResolver

__all__ = ["HOSTED", "KEPT", "Mortal", "Parts", "apart", "at_once"]

HOSTED = tuple(DOCUMENTS)
"""Planes whose engines are elsewhere."""
KEPT = tuple(name for name in KEYS if name not in HOSTED)
"""Keys with keepers."""


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that a story waits for takes no time that its clock knows."""

    async def now(function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    async def in_line(_lane: Any, call: Callable[[], Any]) -> Any:
        return call()

    monkeypatch.setattr(asyncio, "to_thread", now)
    monkeypatch.setattr(engine_socket, "in_thread", in_line)


@dataclass
class Parts:
    """What is elsewhere.

    Attributes:
        keepers: by the name of their key.
        keys: as the controller reaches them.
        witness: the keeper of the ledger's key.
        stores: each plane's own.
        hosts: of the engines, as they live now.
        doors: where each engine is asked.
    """

    keepers: dict[str, Keeper]
    keys: RemoteKeyStore
    witness: RemoteWitness
    stores: dict[PlaneName, MemoryStore]
    hosts: dict[PlaneName, Host]
    doors: dict[PlaneName, Path]
    living: dict[PlaneName, ExitStack]
    make: Callable[[PlaneName], Host]

    def kill(self, plane: PlaneName) -> None:
        """End its process as kill -9 does."""
        self.living.pop(plane).close()

    def begin(self, plane: PlaneName, make: Callable[[], Any] | None = None) -> None:
        """Start one in its place; `make` is a thief's."""

        def made() -> Any:
            self.hosts[plane] = self.make(plane) if make is None else make()
            return self.hosts[plane]

        self.living[plane] = ExitStack()
        self.living[plane].enter_context(hosted(made, self.doors[plane]))

    def again(self, plane: PlaneName, make: Callable[[], Any] | None = None) -> None:
        """Both."""
        self.kill(plane)
        self.begin(plane, make)


class Mortal:
    """A host that dies once, over its `calls`-th question, and is followed by another on the same disk.

    Args:
        make: the next one.
        calls: which question.
        is_done: whether what was asked was done then, and only the answer lost.
    """

    def __init__(self, make: Callable[[], Host], calls: int, *, is_done: bool) -> None:
        self._make = make
        self._host = make()
        self._left = calls
        self._is_done = is_done

    async def answer(self, message: list[Any]) -> list[Any]:
        """As a host, but once."""
        self._left -= 1
        if self._left == 0:
            if self._is_done:
                await self._host.answer(message)
            self._host = self._make()
            raise ConnectionResetError
        return await self._host.answer(message)

    @property
    def has_died(self) -> bool:
        """Whether it was asked so often."""
        return self._left <= 0


@asynccontextmanager
async def apart(world: Any, folder: Path, *planes: PlaneName) -> AsyncIterator[Parts]:
    """Start the domain again, its keys at keepers, and the engines of `planes` elsewhere: of all if none is named."""
    domain = world.domain
    await domain.crash()
    own, before, chosen = domain.keys, domain.foundation, planes or HOSTED
    keepers, doors = _kept(world, folder, own)
    shown = {name: own.handle(KeyId(name)).public for name in KEYS if name not in KEPT}
    unhosted = {name for name in shown if name not in chosen}
    keys = RemoteKeyStore(doors, own, shown={name: shown[name] for name in shown.keys() - unhosted})
    with ExitStack() as stack, closing(keys), closing(RemoteWitness(doors["ledger"])) as witness:
        stores = {plane: MemoryStore() for plane in chosen}
        parts = Parts(
            keepers,
            keys,
            witness,
            stores,
            {},
            {plane: folder / f"{plane}.engine" for plane in chosen},
            {},
            lambda plane: _HOSTS[plane](world, stores[plane], own),
        )
        for plane in chosen:
            await move(plane, domain.disk, stores[plane], prefixes=(*DOCUMENTS[plane], OF_HOST))
            parts.begin(plane)
        engines = {plane: stack.enter_context(closing(EngineSocket(parts.doors[plane]))) for plane in chosen}
        domain.keys = keys
        domain.foundation = lambda: replace(before(), witness=witness, engines=engines, separate=tuple(doors))
        await domain.start()
        try:
            yield parts
        finally:
            await domain.crash()
            for living in parts.living.values():
                living.close()


def _kept(world: Any, folder: Path, own: KeyStore) -> tuple[dict[str, Keeper], dict[str, Path]]:
    doors, keepers = {}, {}
    for name in KEPT:
        doors[name] = folder / f"{name}.socket"
        (folder / name).mkdir()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(doors[name]))
        listener.listen()
        rule = rule_of(name, world.domain.config, folder / name)
        keepers[name] = Keeper(name, own.handle(KeyId(name)), rule, utc=world.clock.utc)
        arguments = (keepers[name], listener)
        threading.Thread(target=serve, args=arguments, kwargs={"user": os.geteuid()}, daemon=True).start()
    return keepers, doors


def _ruled(world: Any, own: KeyStore, name: str) -> RuledKey:
    return RuledKey(own.handle(KeyId(name)), rule_of(name, world.domain.config, Path()), utc=world.clock.utc)


def _network(world: Any, store: MemoryStore, _own: KeyStore) -> Host:
    domain = world.domain
    return hosting.network_host(
        store,
        config=domain.config,
        keeper=domain.enforcement,
        files=domain.mud_files,
        resolve=HostsResolver({}, offline=True),
        mac_of=domain.segment.mac_of,
        clock=world.clock,
    )


def _data(world: Any, store: MemoryStore, _own: KeyStore) -> Host:
    return hosting.data_host(store, purposes=parse_policy(world.domain.policy).purposes, clock=world.clock)


async def _found_nothing(_image: bytes) -> list[Any]:
    return []


def _software(world: Any, store: MemoryStore, _own: KeyStore) -> Host:
    return hosting.software_host(store, scan=_found_nothing, clock=world.clock)


def _identity(world: Any, store: MemoryStore, own: KeyStore) -> Host:
    return hosting.identity_host(
        store,
        key=_ruled(world, own, "identity"),
        config=world.domain.config,
        clock=world.clock,
        random_bytes=world.random.randbytes,
    )


def _access(world: Any, store: MemoryStore, own: KeyStore) -> Host:
    domain = world.domain
    return hosting.access_host(
        store,
        issuing=Issuing(domain.config.domain.name, _ruled(world, own, "access"), world.clock, world.random.randbytes),
        holder=own.handle(KeyId("domain")).public,
        validity=PROFILES[parse_policy(domain.policy).join.profile].token_lifetime,
    )


def _groups(world: Any, store: MemoryStore, own: KeyStore) -> Host:
    domain, key = world.domain, own.handle(KeyId("groups"))
    return hosting.groups_host(
        store,
        key=RuledKey(key, GroupRule(), utc=world.clock.utc),
        member=RuledKey(key, GroupRule(proves=False), utc=world.clock.utc),
        settings=group_settings(domain.config, parse_policy(domain.policy)),
        clock=world.clock,
        random_bytes=world.random.randbytes,
    )


_HOSTS: dict[PlaneName, Callable[[Any, MemoryStore, KeyStore], Host]] = {
    PlaneName.IDENTITY: _identity,
    PlaneName.ACCESS: _access,
    PlaneName.GROUPS: _groups,
    PlaneName.SOFTWARE: _software,
    PlaneName.NETWORK: _network,
    PlaneName.DATA: _data,
}
"""An engine as its process makes it."""
