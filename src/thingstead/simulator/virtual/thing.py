"""A thing through its lives, in a time that jumps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from thingstead.agent.config import AgentConfig
from thingstead.agent.core import Agent
from thingstead.agent.lamp import SimulatedLamp
from thingstead.agent.parts import Hardware
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.endpoint.event import Address
from thingstead.errors import StateError
from thingstead.identifier import ThingId
from thingstead.phases.manufacture import Maker, Model, bear, bear_unsold
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile.birth import BIRTH
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.simulator.virtual.domain import Ground, LivingDomain
from thingstead.simulator.virtual.memory import CountingSensor, Fate, HomeLife, MemorySlots
from thingstead.simulator.virtual.network import Host, Killed

__all__ = ["LivingThing", "Site"]

_SHELVED, _VOUCHER = timedelta(days=30), timedelta(days=365)


class Site(Ground, Protocol):
    """Where a thing lives.

    Attributes:
        domain: whose it is first.
    """

    domain: LivingDomain


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
        make: what its program is.
    """

    def __init__(
        self,
        world: Site,
        serial: str,
        *,
        address: Address,
        maker: Maker,
        model: Model,
        sold_to: PublicKey | MakerServer,
        config: dict[str, Any],
        born_at: datetime | None = None,
    ) -> None:
        self._world = world
        self._agent: Agent | None = None
        self._host: Host | None = None
        self.serial = serial
        self.address = address
        self.maker = maker
        self.make = Agent
        self.clock = world.clock
        self.fate = Fate()
        self.keys = MemoryKeyStore()
        self.slots = MemorySlots(firmware.encode(Firmware("1.0.0")))
        self.sensor = CountingSensor()
        self.lamp = SimulatedLamp()
        host, port = world.domain.address
        self.config = replace(AgentConfig(home=Path(serial), controller_host=host, controller_port=port), **config)
        key = self.keys.create(birth_record.IDENTITY_KEY, KeyType.P256)
        self.keys.create(birth_record.DECRYPTION_KEY, KeyType.P256)
        made = (born_at or world.clock.start) - _SHELVED
        if isinstance(sold_to, MakerServer):
            born = bear_unsold(maker, model, serial, thing_key=key.public, server=sold_to, at=made)
        else:
            until = made + _SHELVED + _VOUCHER
            born = bear(maker, model, serial, thing_key=key.public, domain_key=sold_to, at=made, voucher_expires=until)
        self.disk = {BIRTH: birth_record.encode(born)}

    @property
    def agent(self) -> Agent:
        """The living agent."""
        if self._agent is None:
            raise StateError(f"{self.serial} is off")
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
        if self._agent is not None:
            raise StateError(f"{self.serial} lives")
        hardware = Hardware(
            home=HomeLife(self.disk, self.fate),
            slots=self.slots,
            keys=self.keys,
            sensor=self.sensor,
            actuator=self.lamp,
        )
        agent = self.make(hardware, self.config, clock=self.clock, random_bytes=self._world.random.randbytes)
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

    def sleep(self) -> None:
        """Stand still with its memory kept, as a thing does between two contacts that are months apart."""
        if self._host is not None:
            self._host.stop()

    def wake(self) -> None:
        """Go on after `sleep`."""
        if self._agent is None or self._host is None:
            raise StateError(f"{self.serial} is off")
        self._host.wake()

    def _begin_anew(self, agent: Agent) -> None:
        """What its program does by order; not within the story that the order is."""

        def begin() -> None:
            if self._agent is agent:
                self.crash()
                self.start()

        asyncio.get_running_loop().call_soon(begin)

    def flush(self) -> None:
        """Send what the agent was given to send from outside."""
        if self._host is None:
            raise StateError(f"{self.serial} is off")
        self._host.flush()

    def _fall(self) -> None:
        self._agent = None
