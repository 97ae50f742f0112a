"""What keeps the software of things known and mended, put together: no file and no socket is opened here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from thingstead.clock import Clock
from thingstead.controller.attesting import Attesting
from thingstead.controller.behaviour_watch import BehaviourWatch
from thingstead.controller.conductor import Conductor
from thingstead.controller.engines import Planes
from thingstead.controller.foundation import Foundation
from thingstead.controller.owner import Owner, Trusted
from thingstead.controller.rejoining import Rejoining
from thingstead.controller.release_network import ReleaseNetwork
from thingstead.controller.second_place import SecondPlace
from thingstead.controller.server import DomainServer
from thingstead.controller.type_watch import DOCUMENTS as TYPES
from thingstead.controller.type_watch import TypeWatch
from thingstead.controller.type_ways import ways
from thingstead.controller.vulnerability_watch import DOCUMENTS as TICKETS
from thingstead.controller.vulnerability_watch import VulnerabilityWatch
from thingstead.domain.attestation_policy import AttestationPolicy, Waits
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.identifier import ThingId
from thingstead.planes.software.migration import Migrations
from thingstead.planes.software.reference import Reference
from thingstead.planes.software.release import ClassKey
from thingstead.planes.software.verifier import Verifier
from thingstead.protocols.coap.message import Message
from thingstead.protocols.suit.identifier import class_identifier
from thingstead.storage.records import PlaneRecords

__all__ = [
    "compose_attesting",
    "compose_behaviours",
    "compose_migrations",
    "compose_release_watches",
    "compose_types",
]


def compose_migrations(
    foundation: Foundation,
    store: SecondPlace,
    register: Register,
    heard: Callable[[ThingId], tuple[datetime | None, timedelta | None]],
) -> Migrations:
    """Who moves things from update keys to others; `heard` says when one was heard last, and how often it speaks."""
    # Not with the software plane's own: those move where that plane lives in another process, and polls come in here.
    records = PlaneRecords(PlaneName.IDENTITY, store, prefix="update-keys/")
    crypto, clock = foundation.policy.crypto, foundation.clock
    return Migrations(records, things=register.things, heard=heard, crypto=crypto, clock=clock)


def compose_attesting(
    foundation: Foundation,
    register: Register,
    server: DomainServer,
    planes: Planes,
    trusted: Trusted,
    policy: Callable[[], AttestationPolicy],
) -> Attesting:
    """Who asks things what runs on them, and has updates and groups wait for the answer where the policy says so."""
    software = planes.software

    async def ask(thing: ThingId, message: Message, within: float) -> Message:
        return await server.request(thing, message, within=within)

    def references(thing: ThingId) -> tuple[Reference, ...]:
        known = register.thing(thing)
        vendors = {anchor.maker: anchor.vendor_id for anchor in trusted.anchors}
        vendor = vendors.get(known.maker, b"")
        target = ClassKey(vendor, class_identifier(vendor, known.model)) if vendor else None
        return tuple([one for one in software.references() if one.target == target and one.source in vendors])

    # As migrations: not with the software plane's own, which move with it.
    verifier = Verifier(
        PlaneRecords(PlaneName.IDENTITY, foundation.store, prefix="attestation/"),
        references=references,
        reported=lambda thing: software.runs(thing).sequence_number,
        clock=foundation.clock,
        random_bytes=foundation.random_bytes,
        is_aborted=planes.campaigns.is_aborted,
    )
    attesting = Attesting(
        verifier,
        register,
        policy=policy,
        ask=ask,
        holder=planes.access.holder_of,
        accepts=software.accepts,
        installed_at=lambda thing: software.runs(thing).installed_at,
        leave_behind=lambda thing: planes.groups.leave_behind(thing, cause="attestation"),
        clock=foundation.clock,
    )
    software.on_install.append(attesting.note)
    software.on_offer.append(attesting.published)
    software.gates.append(lambda thing: attesting.objection(thing, Waits.UPDATES))
    planes.groups.withholds = lambda thing: bool(attesting.objection(thing, Waits.GROUPS))
    return attesting


def compose_behaviours(
    planes: Planes, register: Register, store: SecondPlace, clock: Clock, rejoining: Rejoining
) -> BehaviourWatch:
    """Who looks at what things do after an update."""
    software = planes.software
    behaviours = BehaviourWatch(planes.network.watch, register, runs=software.runs, store=store, clock=clock)
    software.on_install += [rejoining.note, behaviours.note]
    return behaviours


def compose_release_watches(
    foundation: Foundation, planes: Planes, register: Register, conductor: Conductor, owner: Owner
) -> tuple[ReleaseNetwork, VulnerabilityWatch]:
    """Who has things go by what their release says of the network, and who acts on what it suffers from."""
    network = ReleaseNetwork(planes.software, planes.network, register)
    planes.software.on_install.append(network.note)
    vulnerabilities = VulnerabilityWatch(
        planes.software.exposures,
        conductor,
        records=PlaneRecords(PlaneName.SOFTWARE, foundation.store, prefix=TICKETS),
        policy=lambda: owner.policy.vulnerability,
        clock=foundation.clock,
    )
    return network, vulnerabilities


def compose_types(
    foundation: Foundation, server: DomainServer, planes: Planes, register: Register, trusted: Trusted
) -> TypeWatch:
    """Who tests each new type of thing as it comes in."""
    return TypeWatch(
        ways(foundation, server, planes.software, register, anchors=lambda: trusted.anchors),
        register,
        records=PlaneRecords(PlaneName.SOFTWARE, foundation.store, prefix=TYPES),
        clock=foundation.clock,
    )
