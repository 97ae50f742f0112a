"""How a controller is put together, from what it stands on to what it serves: no file and no socket is opened here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from thingstead.controller.attention import Attention
from thingstead.controller.brownfield import adopted_and_present
from thingstead.controller.clone_watch import CloneWatch
from thingstead.controller.conductor import Conductor
from thingstead.controller.config import ControllerConfig
from thingstead.controller.controller import Controller
from thingstead.controller.crypto_assets import own_assets
from thingstead.controller.crypto_watch import CryptoWatch
from thingstead.controller.ddi import DdiDoor, DdiRegistry
from thingstead.controller.engines import Planes, compose_planes, seat_key
from thingstead.controller.entrance import Entrance, compose_entrance
from thingstead.controller.expiry_watch import ExpiryWatch
from thingstead.controller.foundation import Foundation
from thingstead.controller.group_member import DomainMember, group_of
from thingstead.controller.group_resource import GroupResources
from thingstead.controller.kill_clock import KillClock
from thingstead.controller.lookout import compose_lookout
from thingstead.controller.maintenance import Maintenance
from thingstead.controller.maker_servers import is_maker
from thingstead.controller.migration_watch import MigrationWatch
from thingstead.controller.notary import Notary
from thingstead.controller.operator_watch import OperatorWatch
from thingstead.controller.overview import Overview
from thingstead.controller.owner import Owner, Trusted
from thingstead.controller.people import compose_people
from thingstead.controller.rejoining import Rejoining
from thingstead.controller.remote_access import RemoteAccess
from thingstead.controller.second_place import SecondPlace, second_place
from thingstead.controller.server import DomainServer
from thingstead.controller.service import serve
from thingstead.controller.upkeep import (
    compose_attesting,
    compose_behaviours,
    compose_migrations,
    compose_release_watches,
    compose_types,
)
from thingstead.crypto.keystore import KeyStore
from thingstead.domain.attestation_policy import Waits
from thingstead.domain.crypto_policy import suites_of_joins
from thingstead.domain.ledger.refusal import RefusalCounter
from thingstead.domain.plane import Expiry, PlaneName
from thingstead.domain.register import Register
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, GroupId, RequestReceived
from thingstead.endpoint.resource import Resources
from thingstead.identifier import KeyId, ThingId
from thingstead.phases.decommission import Decommission
from thingstead.planes.access.authorization_server import AuthorizationServer
from thingstead.planes.software.migration import Migrations
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.message import Message
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.credential import Credential, kccs_reference
from thingstead.protocols.profile import join, path
from thingstead.storage.records import PlaneRecords

__all__ = ["compose", "domain_credential"]

_SECOND, _MINUTE = 1.0, 60.0


def compose(foundation: Foundation, tasks: asyncio.TaskGroup) -> Controller:
    """Put a controller together; `tasks` is where deferred work runs.

    Raises:
        StorageError: a key is missing, or the ledger is not what its head says.
    """
    clock, random_bytes = foundation.clock, foundation.random_bytes
    register = Register(foundation.store.load())
    store = second_place(foundation, register)
    store.listen(register.follow)
    migrations = compose_migrations(
        foundation, store, register, lambda one: (server.last_acceptance(one), planes.data.interval(one))
    )
    foundation = replace(foundation, store=store, anchors=migrations.resume(foundation.anchors))
    refusals, own = RefusalCounter(), domain_credential(foundation.keys, foundation.config)
    resources = Resources(lambda event: _grant(event, planes.access, clones))
    endpoint = Endpoint(_endpoint_config(foundation), random_bytes=random_bytes, permits=resources.permits)
    server = DomainServer(
        endpoint, resources, clock=clock, tasks=tasks, reserve=lambda owner, upto: _reserve(owner, upto, planes, server)
    )
    member = DomainMember(endpoint, seat_key(foundation, lambda: planes))
    trusted = Trusted(foundation.anchors)
    planes = compose_planes(foundation, own.public, member, trusted, register=register, server=server)
    conductor = Conductor(planes, register, store=store, clock=clock)
    clones = CloneWatch(conductor, store=store, receives_at=server.receives_at, clock=clock)
    attesting = compose_attesting(foundation, register, server, planes, trusted, lambda: admission.attestation)
    doors = compose_entrance(foundation, own, trusted, server, conductor, register, planes, attesting)
    admission = doors.admission
    notary = _notary(foundation, refusals)
    rejoining = Rejoining(lambda: admission.policy, register, conductor=conductor, runs=planes.software.runs)
    behaviours = compose_behaviours(planes, register, store, clock, rejoining)
    groups = GroupResources(resources, server, planes.groups, lambda thing: attesting.require(thing, Waits.GROUPS))
    door, devices = _ddi(foundation, register, planes, conductor, trusted, refusals)
    attention = _attention(foundation, register, server=server, door=door, planes=planes)
    known, dates = (planes, register, notary, trusted), (migrations.expiries, door.expiries)
    overview = _overview(foundation, known, server, attention, doors, door, dates, lambda: lookout.responder.cut_off)
    expiring = ExpiryWatch(overview.expiries, register, conductor=conductor, store=store, clock=clock)
    owner = _owner(foundation, trusted, register, planes=planes, migrations=migrations, doors=doors, groups=groups)
    release_network, vulnerabilities = compose_release_watches(foundation, planes, register, conductor, owner)
    types = compose_types(foundation, server, planes, register, trusted)
    lookout = compose_lookout(foundation, planes, store, register, conductor, owner)
    aging = _aging(doors, overview, register, conductor, migrations)
    often = (expiring, rejoining, attesting, behaviours, release_network, types, *aging)
    chores = _chores(foundation, planes, store, [one.look for one in often], attention.watch, vulnerabilities.look)
    controller = Controller(
        foundation=foundation,
        second_place=store,
        register=register,
        notary=notary,
        conductor=conductor,
        kill_clock=KillClock(planes, register, store=store, clock=clock),
        server=server,
        resources=resources,
        admission=admission,
        people=compose_people(foundation, admission, register),
        ownership=doors.ownership,
        bootstrap=doors.bootstrap,
        decommission=_decommission(foundation, server, planes.access),
        migrations=migrations,
        attesting=attesting,
        maintenance=_maintenance(foundation, conductor, register, planes, server=server, refusals=refusals),
        planes=planes,
        ddi=door,
        devices=devices,
        overview=overview,
        owner=owner,
        release_network=release_network,
        vulnerabilities=vulnerabilities,
        lookout=lookout,
        group_resources=groups,
        refusals=refusals,
        clones=clones,
        types=types,
        chores=(*chores, *lookout.chores),
        joined=asyncio.Event(),
    )
    planes.groups.on_join = lambda _name: controller.joined.set()
    server.on_first_heard = planes.groups.heard
    serve(controller)
    return controller


def _endpoint_config(foundation: Foundation) -> EndpointConfig:
    return EndpointConfig(max_peers=foundation.config.coap.max_peers, edhoc_path=path.EDHOC, confirm_after=0.0)


def _owner(
    foundation: Foundation,
    trusted: Trusted,
    register: Register,
    *,
    planes: Planes,
    migrations: Migrations,
    doors: Entrance,
    groups: GroupResources,
) -> Owner:
    return Owner(
        foundation.files,
        foundation.policy,
        trusted,
        registrar=doors.registrar,
        software=planes.software,
        migrations=migrations,
        admission=doors.admission,
        register=register,
        store=foundation.store,
        clock=foundation.clock,
        make_groups=groups.make,
        campaigns=planes.campaigns,
    )


def _aging(
    doors: Entrance, overview: Overview, register: Register, conductor: Conductor, migrations: Migrations
) -> tuple[MigrationWatch, CryptoWatch]:
    crypto = CryptoWatch(
        lambda: doors.admission.crypto,
        overview.assets,
        register,
        conductor=conductor,
        suites=join.SUITES,
        clock=overview.clock,
    )
    return MigrationWatch(migrations, register, conductor=conductor, clock=overview.clock), crypto


def _chores(
    foundation: Foundation,
    planes: Planes,
    second: SecondPlace,
    often: Iterable[Callable[[], Awaitable[object]]],
    *seldom: Callable[[], Awaitable[object]],
) -> tuple[tuple[float, Callable[[], Awaitable[object]]], ...]:
    return (
        (_SECOND, planes.data.flush),
        (_SECOND, planes.tokens.tidy),
        (_SECOND, planes.directory.tidy),
        (_SECOND, planes.network.refresh),
        (_SECOND, second.settle),
        *[(_SECOND, look) for look in often],
        (_SECOND, planes.campaigns.look),
        (_SECOND, OperatorWatch(foundation.files, second, clock=foundation.clock).look),
        *[(_MINUTE, look) for look in seldom],
        (_MINUTE, planes.codes.tidy),
    )


def domain_credential(keys: KeyStore, config: ControllerConfig) -> Credential:
    """The domain's CRED_R: a CCS of its handshake key, shown by value; its key goes into vouchers."""
    public = keys.handle(KeyId("domain")).public
    encoded = ccs.encode(public, subject=config.domain.name)
    return Credential(id_cred=kccs_reference(encoded), cred=encoded, public=public)


async def _reserve(owner: AssociationId | GroupId, upto: int, planes: Planes, server: DomainServer) -> None:
    """Make durable that an association's or a group's sequence numbers below `upto` are spent."""
    group = group_of(owner)
    if group is None:
        await planes.access.reserve(ThingId(owner), upto)
    else:
        await planes.groups.reserve(group, upto)
        server.flush()


def _notary(foundation: Foundation, refusals: RefusalCounter) -> Notary:
    return Notary(
        foundation.store,
        foundation.heads,
        key=foundation.keys.handle(KeyId("ledger")),
        domain=foundation.config.domain.name,
        clock=foundation.clock,
        refusals=refusals,
        witness=foundation.witness,
    )


def _attention(
    foundation: Foundation, register: Register, *, server: DomainServer, door: DdiDoor, planes: Planes
) -> Attention:
    def last_heard(thing: ThingId) -> datetime | None:
        return door.last_heard(thing) or server.last_acceptance(thing)

    return Attention(
        foundation.config.watch,
        register,
        last_acceptance=last_heard,
        interval=planes.data.interval,
        places=planes.whereabouts.places,
        present=lambda: adopted_and_present(register, planes.whereabouts.located(), foundation.segment.neighbours()),
        segment=foundation.segment,
        store=foundation.store,
        clock=foundation.clock,
    )


def _overview(
    foundation: Foundation,
    known: tuple[Planes, Register, Notary, Trusted],
    server: DomainServer,
    attention: Attention,
    doors: Entrance,
    door: DdiDoor,
    dates: Sequence[Callable[[], Iterable[Expiry]]],
    cut_off: Callable[[], int],
) -> Overview:
    planes, register, notary, trusted = known
    return Overview(
        foundation.config.domain.name,
        planes,
        register=register,
        store=foundation.store,
        notary=notary,
        resources=server.resources,
        server=server,
        bootstrap=doors.bootstrap,
        max_half_open=foundation.config.join.max_half_open,
        is_offline=foundation.config.network.offline,
        attention=attention,
        waiting=lambda: sum(one.approval is None for _, one in doors.admission.waiting()),
        cut_off=cut_off,
        makers=doors.makers.counted,
        dates=lambda: [expiry for expiries in dates for expiry in expiries()],
        crypto=lambda: doors.admission.crypto,
        own_assets=lambda: chain(
            own_assets(
                foundation.keys,
                register,
                trusted.anchors,
                suites=suites_of_joins(doors.admission.crypto, join.SUITES, foundation.clock.utc().date()),
            ),
            door.assets(),
        ),
        separate=foundation.separate,
        clock=foundation.clock,
    )


def _decommission(
    foundation: Foundation, server: DomainServer, access: AuthorizationServer | RemoteAccess
) -> Decommission:
    async def ask(thing: ThingId, message: Message, within: float) -> Message:
        return await server.request(thing, message, within=within)

    return Decommission(
        PlaneRecords(PlaneName.IDENTITY, foundation.store, prefix="wipe/"),
        ask=ask,
        holder=access.holder_of,
        domain=foundation.config.domain.name,
        owner=foundation.keys.handle(KeyId("domain")),
        clock=foundation.clock,
        random_bytes=foundation.random_bytes,
    )


def _ddi(
    foundation: Foundation,
    register: Register,
    planes: Planes,
    conductor: Conductor,
    trusted: Trusted,
    refusals: RefusalCounter,
) -> tuple[DdiDoor, DdiRegistry]:
    clock = foundation.clock

    def count(thing: ThingId | None, source: str, reason: str) -> None:
        refusals.count(reason, at=clock.utc(), thing=thing, source=source)

    door = DdiDoor(register, planes.ddi, note_place=planes.whereabouts.note, on_refusal=count, clock=clock)
    devices = DdiRegistry(
        conductor,
        register,
        makers=lambda: frozenset(anchor.maker for anchor in trusted.anchors),
        clock=clock,
        random_bytes=foundation.random_bytes,
    )
    return door, devices


def _maintenance(
    foundation: Foundation,
    conductor: Conductor,
    register: Register,
    planes: Planes,
    *,
    server: DomainServer,
    refusals: RefusalCounter,
) -> Maintenance:
    clock = foundation.clock

    async def ask(thing: ThingId, message: Message, within: float) -> Message:
        return await server.request(thing, message, within=within)

    def count(actor: str, thing: ThingId, reason: str) -> None:
        refusals.count(reason, at=clock.utc(), source=f"operator:{actor} about {thing}")

    return Maintenance(
        register,
        conductor,
        store=foundation.store,
        permits=planes.permits,
        ask=ask,
        domain=foundation.config.domain.name,
        clock=clock,
        on_refusal=count,
    )


def _grant(
    event: RequestReceived, access: AuthorizationServer | RemoteAccess, clones: CloneWatch
) -> tuple[Hashable, Scope] | None:
    """Who is behind a request, and what its token lets it do now."""
    if event.association is None or is_maker(event.association):
        return None
    thing = ThingId(event.association)
    clones.heard(thing, event.source)
    scope = access.scope_of(thing)
    return None if scope is None else (thing, scope)
