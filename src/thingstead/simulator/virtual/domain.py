"""A domain through its lives, in a time that jumps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from thingstead.analysis.image_scan import Finding
from thingstead.controller import backup as backup_file
from thingstead.controller import revocation
from thingstead.controller.composition import compose
from thingstead.controller.config import CoapConfig, ControllerConfig, DomainConfig
from thingstead.controller.controller import Controller
from thingstead.controller.directory import KEYS
from thingstead.controller.foundation import Foundation
from thingstead.controller.operation_table import operations
from thingstead.controller.restoration import newer_entries, take_up, why_held
from thingstead.controller.restored_directory import RENEWED
from thingstead.controller.traffic_watch import Tap
from thingstead.crypto.key import PublicKey
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.domain.ports import Enforcement, Stranger
from thingstead.domain.thing import Thing
from thingstead.endpoint.event import Address
from thingstead.enforcement.dry_run import DryRun
from thingstead.errors import StateError
from thingstead.identifier import KeyId
from thingstead.phases.manufacture import Maker
from thingstead.planes.software.image_scan import scan
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.simulator.virtual.clock import VirtualClock
from thingstead.simulator.virtual.memory import Fate, MemoryFetcher, MemoryHeads, MemorySegment, StoreLife
from thingstead.simulator.virtual.network import Host, Killed, Network
from thingstead.storage.memory import MemoryStore
from thingstead.storage.policy_file import parse_policy
from thingstead.transport.resolver import HostsResolver

__all__ = ["Ground", "LivingDomain"]

_LEDGER = KeyId("ledger")
_DOMAIN_ADDRESS: Address = ("198.51.100.1", 5683)


class Ground(Protocol):
    """What a domain stands on.

    Attributes:
        clock: both times.
        network: what carries datagrams.
        random: whatever is left to chance.
        makers: whom it trusts, by name.
        servers: the cards of makers' servers, by the maker's name.
        mud_authorities: who signs makers' MUD files, by the maker's name.
    """

    clock: VirtualClock
    network: Network
    random: random.Random
    makers: dict[str, Maker]
    servers: dict[str, MakerServer]
    mud_authorities: dict[str, tuple[bytes, ...]]


class LivingDomain:
    """The domain through its lives: `start`, `crash`, `start` again on what was kept.

    Attributes:
        operators: who may ask beside the owner, as it is written.
        address: of its CoAP endpoint.
        fate: where it dies.
        disk: what it keeps.
        heads: signed heads, kept apart.
        revocations: what was taken away, kept apart.
        enforcement: the network's rules, on paper if nobody puts a kernel here.
        resolver: knows the names that MUD files name; nobody's, if none is put here.
        mud_files: what MUD file servers serve, by URL.
        segment: who is seen on the link.
        keys: its key store.
        stranger: who tests types of things; None where nobody does.
        open_tap: opens what a life's detectors see frames by; None where there are none to see.
        lives: how often it was started.
    """

    def __init__(self, world: Ground, policy: str) -> None:
        self._world = world
        self._task: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._host: Host | None = None
        self._controller: Controller | None = None
        self.policy = policy
        self.config = ControllerConfig(
            domain=DomainConfig(name="home"), coap=CoapConfig(host=_DOMAIN_ADDRESS[0], port=_DOMAIN_ADDRESS[1])
        )
        self.operators = ""
        self.address = _DOMAIN_ADDRESS
        self.fate = Fate()
        self.disk = MemoryStore()
        self.heads = MemoryHeads()
        self.revocations = MemoryHeads()
        self.enforcement: Enforcement = DryRun("a scenario has no kernel")
        self.resolver = HostsResolver({}, offline=True)
        self.mud_files = MemoryFetcher()
        self.segment = MemorySegment()
        self.keys = MemoryKeyStore()
        for name, key_type in KEYS.items():
            self.keys.create(KeyId(name), key_type)
        self.stranger: Stranger | None = None
        self.open_tap: Callable[[], Tap] | None = None
        self.lives = 0

    @property
    def public(self) -> PublicKey:
        """The key that vouchers for this domain name."""
        return self.keys.handle(KeyId("domain")).public

    @property
    def controller(self) -> Controller:
        """The living controller."""
        if self._controller is None:
            raise StateError("the domain is down")
        return self._controller

    @property
    def is_up(self) -> bool:
        """Whether it lives."""
        return self._controller is not None

    async def start(self) -> None:
        """Begin a life, to the point where it serves; dying on the way is no error."""
        if self.is_up:
            raise StateError("the domain is up")
        self.lives += 1
        ready = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._live(ready))
        await ready.wait()

    async def crash(self) -> None:
        """End the life as a power cut does."""
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    async def begin_again(self, data: bytes) -> str:
        """Begin on an empty disk, filled from a backup, as a restore does: under new keys for ledger and tokens.

        Returns:
            Why each thing waits for a person; empty where none does.
        """
        await self.crash()
        backup = backup_file.authenticate(data, self.keys.handle(_LEDGER).public)
        newer, kept = newer_entries(backup, self.heads.load()), self.revocations.load()
        revoked = None if kept is None else revocation.authenticate(kept, backup.signer, domain=self.config.domain.name)
        self.disk, self.heads, self.revocations = MemoryStore(), MemoryHeads(), MemoryHeads()
        for name in RENEWED:
            self.keys.delete(KeyId(name))
            self.keys.create(KeyId(name), KEYS[name])
        await take_up(compose(self.foundation(), asyncio.TaskGroup()), backup, newer, revoked)
        await self.start()
        return why_held(backup, newer, revoked)

    async def ask(self, operation: str, **arguments: Any) -> Any:
        """An operator's request; a refusal is an error."""
        answer = await self.answer(operation, **arguments)
        if "result" not in answer:
            raise StateError(f"{operation} was refused: {answer}")
        return answer["result"]

    async def answer(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """An operator's request, and what comes back as it is; empty if the domain died over it."""
        if self._tasks is None:
            raise StateError("the domain is down")
        asked = operations(self.controller).answer({"operation": operation, "arguments": arguments})
        task = self._tasks.create_task(asked)
        await asyncio.wait({task})
        return {} if task.cancelled() or task.exception() is not None else task.result()

    def record(self, serial: str) -> Thing:
        """The record of a thing by serial number."""
        (found,) = [thing for thing in self.controller.register.things() if thing.serial == serial]
        return found

    def entries(self, *kinds: Kind) -> Iterator[Entry]:
        """Ledger entries of these kinds, or all."""
        for leaf in self.disk.leaves():
            one = entry.decode(leaf)
            if not kinds or one.kind in kinds:
                yield one

    def settings_text(self) -> str:
        """What the owner wrote: nothing."""
        return ""

    def policy_text(self) -> str:
        """What the owner wrote."""
        return self.policy

    def operators_text(self) -> str:
        """Who may ask beside the owner."""
        return self.operators

    def anchors(self) -> tuple[TrustAnchor, ...]:
        """The makers that the owner trusts."""
        servers, authorities = self._world.servers, self._world.mud_authorities
        return tuple(
            replace(
                _anchor(maker),
                server=servers.get(name),
                mud_authorities=authorities.get(name, ()),
                dns_name="mud.example" if name in authorities else "",
            )
            for name, maker in self._world.makers.items()
        )

    def foundation(self) -> Foundation:
        """What the next life stands on."""
        return Foundation(
            config=self.config,
            files=self,
            policy=parse_policy(self.policy),
            anchors=self.anchors(),
            keys=self.keys,
            store=StoreLife(self.disk, self.fate),
            heads=self.heads,
            revocations=self.revocations,
            enforcement=self.enforcement,
            fetcher=self.mud_files,
            resolver=self.resolver,
            segment=self.segment,
            scan_image=_scan,
            clock=self._world.clock,
            random_bytes=self._world.random.randbytes,
            stranger=self.stranger,
            tap=None if self.open_tap is None else self.open_tap(),
        )

    async def _live(self, ready: asyncio.Event) -> None:
        foundation = self.foundation()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                tasks = self._tasks
                controller = compose(foundation, tasks)
                self._host = Host(controller.server, self.address, self._world.network)
                controller.server.flush = self._host.flush
                self._controller = controller
                await controller.resume()
                if controller.lookout.traffic is not None:
                    controller.lookout.traffic.begin()
                ready.set()
                await controller.run()
        except BaseExceptionGroup as group:
            _, other = group.split(Killed)
            if other is not None:
                raise
        except Killed:
            pass
        finally:
            self._controller = self._tasks = None
            if self._host is not None:
                self._host.stop()
            if foundation.tap is not None:
                foundation.tap.close()
            await foundation.store.close()
            ready.set()


def _anchor(maker: Maker) -> TrustAnchor:
    keys = maker.born_with or KeySet(tuple(key.public for key in maker.release_keys))
    return TrustAnchor(maker.name, maker.anchor.public, keys.keys, maker.vendor_id, signing=keys.signing)


async def _scan(image: bytes) -> list[Finding]:
    """On the loop itself: in virtual time there is no other thread to wait for."""
    return scan(image)
