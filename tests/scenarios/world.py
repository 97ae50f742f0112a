"""One domain and its things in one process, without a socket, a disk or a second of waiting.

A scenario is a coroutine that gets a `World`; `play` runs it::

    async def story(world):
        lamp = world.thing("A0001")
        lamp.start()
        await world.until(lambda: lamp.is_joined)
        await world.domain.ask("thing.retire", thing=lamp.id)

    play(story, loss=0.2, seed=7)

Everything is the product's own: planes, conductor, server, agent. Only the network, the disk and the clock are not.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from tests.scenarios.memory import (
    CountingSensor,
    Fate,
    HomeLife,
    MemoryFetcher,
    MemoryHeads,
    MemorySegment,
    MemorySlots,
    StoreLife,
)
from tests.scenarios.network import Host, Killed, Network
from tests.scenarios.virtual_time import VirtualClock, VirtualLoop, run
from thingstead.agent.config import AgentConfig
from thingstead.agent.core import Agent, Hardware
from thingstead.agent.lamp import SimulatedLamp
from thingstead.agent.story import Request, Story
from thingstead.analysis.image_scan import Finding
from thingstead.controller.composition import compose
from thingstead.controller.config import CoapConfig, ControllerConfig, DomainConfig
from thingstead.controller.controller import Controller
from thingstead.controller.directory import KEYS
from thingstead.controller.foundation import Foundation
from thingstead.controller.operation_table import operations
from thingstead.crypto.key import KeyType, PublicKey, generate
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.domain.thing import Thing
from thingstead.endpoint.event import Address
from thingstead.enforcement.dry_run import DryRun
from thingstead.identifier import KeyId, ThingId
from thingstead.phases.manufacture import Maker, Model, bear, bear_unsold
from thingstead.planes.software.image_scan import scan
from thingstead.protocols.coap.message import Message
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile.birth import BIRTH
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.storage.memory import MemoryStore
from thingstead.storage.policy_file import parse_policy
from thingstead.transport.resolver import HostsResolver

__all__ = ["AT", "POLICY", "LivingDomain", "LivingThing", "World", "make_maker", "play"]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

POLICY = """
profile = "building"

[scope.member]
"/senml" = ["POST"]
"/credential" = ["FETCH"]
"/update" = ["GET"]
"/update/image" = ["GET"]
"/update/report" = ["POST"]
"/ace-group/lamps" = ["GET", "POST", "FETCH"]

[[rule]]
name = "lamps of Acme"
makers = ["acme"]
models = ["LX-*"]
zone = "floor-1"
scope = "member"

[[rule]]
name = "sensors of Brook"
makers = ["brook"]
models = ["TH-*"]
zone = "floor-2"
scope = "member"

[granted]
"/light" = ["GET", "PUT"]
"/group-keys" = ["PUT"]
"/standing" = ["FETCH"]
"/wipe" = ["POST"]
"/custody" = ["GET", "PUT"]

[[series]]
name = "readings"
purpose = "to see that it lives"
retention_days = 30
"""

_DOMAIN_ADDRESS: Address = ("198.51.100.1", 5683)
_STEP = 0.02
R = TypeVar("R")


def play(story: Callable[[World], Awaitable[R]], *, seed: int = 1, policy: str = POLICY, **line: float) -> R:
    """Run a scenario in a fresh world whose domain is up; `line` goes to `Network`."""
    loop = VirtualLoop()

    async def whole() -> R:
        world = World(loop, seed=seed, policy=policy, **line)
        await world.domain.start()
        try:
            return await story(world)
        finally:
            await world.close()

    return run(loop, whole())


def make_maker(name: str) -> Maker:
    """A maker with keys of its own."""
    return Maker(name, f"{name}.example", generate(KeyType.P256), (generate(KeyType.P256), generate(KeyType.ML_DSA_44)))


class World:
    """A domain, its network and its makers; things are added by `thing`.

    Attributes:
        clock: what the domain and, unless it is changed, every thing reads.
        network: what carries their datagrams.
        makers: ``acme`` of model LX-1 and ``brook`` of model TH-2, each with an anchor of its own, both trusted.
        servers: the card of a maker's server, by the maker's name; every domain is given it with the anchor.
        domain: the domain.
        things: by serial number.
    """

    def __init__(self, loop: VirtualLoop, *, seed: int, policy: str, **line: float) -> None:
        self.random = random.Random(seed)
        self.clock = VirtualClock(loop, AT)
        self.network = Network(loop, seed=seed, **line)
        self.makers = {name: make_maker(name) for name in ("acme", "brook")}
        self.servers: dict[str, MakerServer] = {}
        self.domain = LivingDomain(self, policy)
        self.things: dict[str, LivingThing] = {}

    def thing(
        self,
        serial: str,
        *,
        maker: Maker | None = None,
        model: str = "LX-1",
        sold_to: PublicKey | MakerServer | None = None,
        **config: Any,
    ) -> LivingThing:
        """Bear a thing that is not switched on yet.

        Args:
            serial: unique per maker.
            maker: Acme if none is given.
            model: its type.
            sold_to: key of the domain that its voucher names, ours if none is given; or the server that it asks.
            config: settings of its `AgentConfig`.
        """
        number = len(self.things) + 1
        thing = LivingThing(
            self,
            serial,
            address=(f"192.0.2.{number}", 5683),
            maker=maker or self.makers["acme"],
            model=Model(model, 2, f"https://mud.example/{model}.json", date(2031, 1, 1)),
            sold_to=sold_to or self.domain.public,
            config=config,
        )
        self.things[serial] = thing
        return thing

    async def until(self, condition: Callable[[], object], *, within: float = 60.0) -> None:
        """Let time pass until `condition` holds; fails when it does not within so many seconds."""
        end = self.clock.now() + within
        while not condition():
            assert self.clock.now() < end, f"did not happen within {within} s"
            await asyncio.sleep(_STEP)

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def joined(self, *serials: str, **born: Any) -> list[LivingThing]:
        """Bear things (as `thing` does), switch them on, and wait until all are in and have told a reading."""
        things = [self.thing(serial, **born) for serial in serials]
        for thing in things:
            thing.start()
        await self.until(lambda: all(thing.is_joined and thing.has_reported for thing in things))
        return things

    async def ask(self, thing: LivingThing, message: Message, *, protected: bool = True) -> Message:
        """Let a thing send a request of the test's to the domain, and give the domain's response."""
        answers: list[Message] = []

        def story() -> Story:
            answers.append((yield Request(message, protected=protected)))

        thing.agent.stories.start("test", story(), self.clock.now())
        thing.flush()
        await self.until(lambda: answers)
        return answers[0]

    async def close(self) -> None:
        """Switch everything off."""
        for thing in self.things.values():
            thing.crash()
        await self.domain.crash()


class LivingDomain:
    """The domain through its lives: `start`, `crash`, `start` again on what was kept.

    Attributes:
        operators: who may ask beside the owner, as it is written.
        address: of its CoAP endpoint.
        fate: where it dies.
        disk: what it keeps.
        heads: signed heads, kept apart.
        revocations: what was taken away, kept apart.
        enforcement: the network's rules, on paper.
        mud_files: what MUD file servers serve, by URL.
        segment: who is seen on the link.
        keys: its key store.
        lives: how often it was started.
    """

    def __init__(self, world: World, policy: str) -> None:
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
        self.enforcement = DryRun("a scenario has no kernel")
        self.mud_files = MemoryFetcher()
        self.segment = MemorySegment()
        self.keys = MemoryKeyStore()
        for name, key_type in KEYS.items():
            self.keys.create(KeyId(name), key_type)
        self.lives = 0

    @property
    def public(self) -> PublicKey:
        """The key that vouchers for this domain name."""
        return self.keys.handle(KeyId("domain")).public

    @property
    def controller(self) -> Controller:
        """The living controller."""
        assert self._controller is not None, "the domain is down"
        return self._controller

    @property
    def is_up(self) -> bool:
        """Whether it lives."""
        return self._controller is not None

    async def start(self) -> None:
        """Begin a life, to the point where it serves; dying on the way is no error."""
        assert not self.is_up
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

    async def ask(self, operation: str, **arguments: Any) -> Any:
        """An operator's request; fails the test if it is refused."""
        answer = await self.answer(operation, **arguments)
        assert "result" in answer, answer
        return answer["result"]

    async def answer(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """An operator's request, and what comes back as it is; empty if the domain died over it."""
        assert self._tasks is not None, "the domain is down"
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
        servers = self._world.servers
        return tuple(replace(_anchor(maker), server=servers.get(name)) for name, maker in self._world.makers.items())

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
            resolver=HostsResolver({}, offline=True),
            segment=self.segment,
            scan_image=_scan,
            clock=self._world.clock,
            random_bytes=self._world.random.randbytes,
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
            await foundation.store.close()
            ready.set()


class LivingThing:
    """One thing through its lives.

    Attributes:
        serial: the maker's number.
        address: its own.
        clock: its own; skew it to test what a wrong clock does.
        fate: where it dies.
        disk: what it keeps beside keys and slots.
        hardware_keys: its key store.
        slots: its firmware.
        sensor: what it measures.
        lamp: what it moves.
        config: its settings.
    """

    def __init__(
        self,
        world: World,
        serial: str,
        *,
        address: Address,
        maker: Maker,
        model: Model,
        sold_to: PublicKey | MakerServer,
        config: dict[str, Any],
    ) -> None:
        self._world = world
        self._agent: Agent | None = None
        self._host: Host | None = None
        self.serial = serial
        self.address = address
        self.maker = maker
        self.clock = world.clock
        self.fate = Fate()
        self.keys = MemoryKeyStore()
        self.slots = MemorySlots(firmware.encode(Firmware("1.0.0")))
        self.sensor = CountingSensor()
        self.lamp = SimulatedLamp()
        host, port = world.domain.address
        self.config = replace(AgentConfig(home=Path(serial), controller_host=host, controller_port=port), **config)
        key = self.keys.create(birth_record.IDENTITY_KEY, KeyType.P256)
        at = AT - timedelta(days=30)
        if isinstance(sold_to, MakerServer):
            born = bear_unsold(maker, model, serial, thing_key=key.public, server=sold_to, at=at)
        else:
            until = AT + timedelta(days=365)
            born = bear(maker, model, serial, thing_key=key.public, domain_key=sold_to, at=at, voucher_expires=until)
        self.disk = {BIRTH: birth_record.encode(born)}

    @property
    def agent(self) -> Agent:
        """The living agent."""
        assert self._agent is not None, f"{self.serial} is off"
        return self._agent

    @property
    def is_up(self) -> bool:
        """Whether it lives."""
        return self._agent is not None

    @property
    def is_joined(self) -> bool:
        """Whether it lives, and believes itself a member of the domain."""
        return self._agent is not None and self._agent.association is not None

    @property
    def has_reported(self) -> bool:
        """Whether the domain has a reading of it."""
        domain = self._world.domain
        return self.is_joined and domain.is_up and bool(domain.controller.planes.data.latest(self.id))

    @property
    def id(self) -> ThingId:
        """Its id in the domain."""
        return ThingId(self.agent.thing_id)

    def start(self) -> None:
        """Switch it on, on what it kept; dying on the way is no error."""
        assert self._agent is None
        hardware = Hardware(
            home=HomeLife(self.disk, self.fate),
            slots=self.slots,
            keys=self.keys,
            sensor=self.sensor,
            actuator=self.lamp,
        )
        agent = Agent(hardware, self.config, clock=self.clock, random_bytes=self._world.random.randbytes)
        groups = [(self.config.multicast_group, self.config.multicast_port)] if self.config.multicast_group else []
        agent.on_restart = lambda: self._begin_anew(agent)
        self._host = Host(agent, self.address, self._world.network, on_killed=self._fall, groups=groups)
        self._agent = agent
        try:
            agent.start(self._world.clock.now())
        except Killed:
            self.crash()
        else:
            self._host.flush()

    def crash(self) -> None:
        """Switch it off as a power cut does."""
        if self._host is not None:
            self._host.stop()
        self._fall()

    def _begin_anew(self, agent: Agent) -> None:
        """What its program does by order; not within the story that the order is."""

        def begin() -> None:
            if self._agent is agent:
                self.crash()
                self.start()

        asyncio.get_running_loop().call_soon(begin)

    def flush(self) -> None:
        """Send what the agent was given to send from outside."""
        assert self._host is not None
        self._host.flush()

    def _fall(self) -> None:
        self._agent = None


def _anchor(maker: Maker) -> TrustAnchor:
    return TrustAnchor(
        maker.name, maker.anchor.public, tuple(key.public for key in maker.release_keys), maker.vendor_id
    )


async def _scan(image: bytes) -> list[Finding]:
    """On the loop itself: in virtual time there is no other thread to wait for."""
    return scan(image)
