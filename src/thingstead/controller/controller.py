"""A controller's life: it takes up what stood before, goes on by itself, and writes what waits at its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from thingstead.controller.admission import Admission
from thingstead.controller.attesting import Attesting
from thingstead.controller.clone_watch import CloneWatch
from thingstead.controller.conductor import Conductor
from thingstead.controller.ddi import DdiDoor, DdiRegistry
from thingstead.controller.engines import Planes
from thingstead.controller.foundation import Foundation
from thingstead.controller.group_resource import GroupResources
from thingstead.controller.housekeeping import every
from thingstead.controller.kill_clock import KillClock
from thingstead.controller.lookout import Lookout
from thingstead.controller.maintenance import Maintenance
from thingstead.controller.notary import Notary
from thingstead.controller.overview import Overview
from thingstead.controller.owner import Owner
from thingstead.controller.people import People
from thingstead.controller.release_network import ReleaseNetwork
from thingstead.controller.second_place import SecondPlace
from thingstead.controller.server import DomainServer
from thingstead.controller.type_watch import TypeWatch
from thingstead.controller.vulnerability_watch import VulnerabilityWatch
from thingstead.domain.ledger.refusal import RefusalCounter
from thingstead.domain.plane import OBLIGATIONS, Demand, PlaneName
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.endpoint.resource import Resources
from thingstead.errors import ThingsteadError
from thingstead.phases.bootstrap import Bootstrap
from thingstead.phases.decommission import Decommission
from thingstead.planes.identity.ownership import Ownership
from thingstead.planes.software.migration import Migrations

__all__ = ["Controller"]

_LOGGER = logging.getLogger(__name__)
_GATHER = 1.0
"""Seconds in which joins that come together are handed keys round together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """A composed domain; made by `compose`.

    Attributes:
        foundation: what it stands on.
        second_place: its store, of which a part stands elsewhere too.
        register: the things, in memory.
        notary: the ledger's tree and heads.
        conductor: transitions.
        kill_clock: how long they take to be felt.
        server: the CoAP endpoint.
        resources: what it serves.
        admission: the join decision.
        ownership: whose things were handed over to us.
        people: who may ask beside the owner.
        bootstrap: handshakes under way.
        decommission: how a thing is parted from.
        maintenance: orders to things.
        migrations: things on their way to other update keys.
        attesting: has things say what they run.
        planes: the six engines.
        ddi: the door for devices that speak hawkBit's API.
        devices: makes such devices known.
        overview: all of it at one instant.
        owner: takes up anew what the owner writes.
        release_network: has things go by the MUD file of the release that they run.
        vulnerabilities: acts on what becomes known of software that things run.
        lookout: looks at what things do on the network.
        group_resources: the paths of groups.
        refusals: what was refused, counted for the ledger.
        clones: looks for identities that live twice.
        types: tests new types of things.
        chores: work that comes round, each with its seconds.
        joined: somebody has joined a group, and the others have not got its keys yet.
    """

    foundation: Foundation
    second_place: SecondPlace
    register: Register
    notary: Notary
    conductor: Conductor
    kill_clock: KillClock
    server: DomainServer
    resources: Resources
    admission: Admission
    ownership: Ownership
    people: People
    bootstrap: Bootstrap
    decommission: Decommission
    maintenance: Maintenance
    migrations: Migrations
    attesting: Attesting
    planes: Planes
    ddi: DdiDoor
    devices: DdiRegistry
    overview: Overview
    owner: Owner
    release_network: ReleaseNetwork
    vulnerabilities: VulnerabilityWatch
    lookout: Lookout
    group_resources: GroupResources
    refusals: RefusalCounter
    clones: CloneWatch
    types: TypeWatch
    chores: tuple[tuple[float, Callable[[], Awaitable[object]]], ...]
    joined: asyncio.Event

    async def resume(self) -> None:
        """Take up what stood before a restart: associations, admissions, and what planes still owe."""
        await self.second_place.settle()
        await self.planes.begin()
        self.planes.access.resume(thing.id for thing in _admitted(self.register, PlaneName.ACCESS))
        await self.planes.groups.resume()
        await self.group_resources.make(self.foundation.policy)
        self.remember()
        await self.planes.data.resume(thing.id for thing in _admitted(self.register, PlaneName.DATA))
        await self.planes.network.resume(self.register.things())
        await self.conductor.resume()

    def remember(self) -> None:
        """Take up what is only read; enough for a domain that nobody serves."""
        self.planes.software.resume(_admitted(self.register, PlaneName.SOFTWARE))

    async def run(self) -> None:
        """Housekeeping for as long as the controller lives: batches, ledger heads, what is still owed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.notary.run())
            tasks.create_task(self.conductor.run())
            tasks.create_task(self.clones.run())
            for seconds, work in self.chores:
                tasks.create_task(every(seconds, work))
            tasks.create_task(self._keep_groups())

    async def close(self) -> None:
        """Write what waits, and seal the ledger; the store is closed by whoever opened it."""
        await self.planes.data.flush()
        await self.notary.close()

    async def _keep_groups(self) -> None:
        """Hand keys round apart from the rest, for silent members take time; joins that come together go round once."""
        told = ""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GATHER):
                    await self.joined.wait()
            self.joined.clear()
            try:
                await self.planes.groups.tidy()
            except ThingsteadError as error:
                if str(error) != told:
                    told = str(error)
                    _LOGGER.warning("the groups could not be tidied; it is tried again: %s", told)
            else:
                told = ""


def _admitted(register: Register, plane: PlaneName) -> Iterator[Thing]:
    """Things that a plane is to accept, as the table of obligations says."""
    for thing in register.things():
        if OBLIGATIONS[thing.state, thing.restriction][plane] is Demand.ADMIT:
            yield thing
