"""One domain and its things in one process, without a socket, a disk or a second of waiting.

Everything is the product's own: planes, conductor, server, agent. Only the network, the disk and the clock are not. A
scenario gets a `World` whose domain is up::

    lamp = world.thing("A0001")
    lamp.start()
    await world.until(lambda: lamp.is_joined)
    await world.domain.ask("thing.retire", thing=lamp.id)
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from ipaddress import IPv4Address
from typing import Any

from thingstead.agent.story import Request, Story
from thingstead.crypto.key import KeyType, PublicKey, generate
from thingstead.phases.manufacture import Maker, Model
from thingstead.protocols.coap.message import Message
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.simulator.virtual.clock import VirtualClock, VirtualLoop
from thingstead.simulator.virtual.domain import LivingDomain
from thingstead.simulator.virtual.network import Network
from thingstead.simulator.virtual.thing import LivingThing

__all__ = ["AT", "SUPPORT_END", "World", "make_maker"]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

SUPPORT_END = date(2031, 1, 1)

_FIRST_ADDRESS = IPv4Address("192.0.2.0")
_STEP = 0.02


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
        mud_authorities: who signs makers' MUD files, by the maker's name.
        domain: the domain.
        domains: it, and whoever else was started here.
        things: by serial number.
    """

    def __init__(self, loop: VirtualLoop, *, seed: int, policy: str, **line: float) -> None:
        self.random = random.Random(seed)  # noqa: S311  the same seed, the same world
        self._loop = loop
        self.clock = VirtualClock(loop, AT)
        self.network = Network(loop, seed=seed, **line)
        self.makers = {name: make_maker(name) for name in ("acme", "brook")}
        self.servers: dict[str, MakerServer] = {}
        self.mud_authorities: dict[str, tuple[bytes, ...]] = {}
        self.domain = LivingDomain(self, policy)
        self.domains = [self.domain]
        self.things: dict[str, LivingThing] = {}

    def thing(
        self,
        serial: str,
        *,
        maker: Maker | None = None,
        model: str = "LX-1",
        sold_to: PublicKey | MakerServer | None = None,
        support_end: date = SUPPORT_END,
        **config: Any,
    ) -> LivingThing:
        """Bear a thing that is not switched on yet.

        Args:
            serial: unique per maker.
            maker: Acme if none is given.
            model: its type.
            sold_to: key of the domain that its voucher names, ours if none is given; or the server that it asks.
            support_end: last day on which its maker mends it.
            config: settings of its `AgentConfig`.
        """
        number = len(self.things) + 1
        thing = LivingThing(
            self,
            serial,
            address=(str(_FIRST_ADDRESS + number), 5683),
            maker=maker or self.makers["acme"],
            model=Model(model, 2, f"https://mud.example/{model}.json", support_end),
            sold_to=sold_to or self.domain.public,
            config=config,
        )
        self.things[serial] = thing
        return thing

    async def until(self, condition: Callable[[], object], *, within: float = 60.0, step: float = _STEP) -> None:
        """Let time pass until `condition` holds, looking every `step`; an error when it does not `within` so long."""
        end = self.clock.now() + within
        while not condition():
            if self.clock.now() >= end:
                raise TimeoutError(f"did not happen within {within} s")
            await asyncio.sleep(step)

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def jump(self, seconds: float) -> None:
        """Let time pass with nothing in between: what was due meanwhile is due once."""
        self._loop.jump(self.clock.now() + seconds)

    def clock_of_its_own(self) -> VirtualClock:
        """A clock that goes right, until somebody sets its skew."""
        return VirtualClock(self._loop, self.clock.start)

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
        for domain in self.domains:
            await domain.crash()
