"""The controller composed: a directory becomes a running domain; tasks are made here and nowhere below."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from thingstead.clock import Clock, SystemClock
from thingstead.controller import operation_data, operation_thing
from thingstead.controller.admission import Admission
from thingstead.controller.conductor import Conductor
from thingstead.controller.config import ControllerConfig, JoinConfig
from thingstead.controller.directory import DomainDirectory
from thingstead.controller.network import enforcement, network_plane
from thingstead.controller.notary import Notary
from thingstead.controller.operation import Operations
from thingstead.controller.resource import bootstrapping, collecting, credential_status
from thingstead.controller.server import DomainServer
from thingstead.controller.whereabouts import Whereabouts
from thingstead.crypto.key import PublicKey
from thingstead.domain.ledger.refusal import RefusalCounter
from thingstead.domain.plane import OBLIGATIONS, Demand, Plane, PlaneName
from thingstead.domain.policy import OwnerPolicy
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot, Unit
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import RequestReceived
from thingstead.endpoint.resource import Resources
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId
from thingstead.phases.bootstrap import Bootstrap, Limits
from thingstead.planes.absent import Absent
from thingstead.planes.access.authorization_server import AuthorizationServer
from thingstead.planes.data.collector import Collector
from thingstead.planes.identity.certificate_authority import CertificateAuthority
from thingstead.planes.identity.registrar import Registrar
from thingstead.planes.network.alarm import Alarm
from thingstead.planes.network.mud_manager import MudManager
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.code import Code
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.credential import Credential, kccs_reference
from thingstead.protocols.profile import path
from thingstead.storage.directory import private_directory
from thingstead.storage.head_file import HeadFile
from thingstead.storage.policy_file import parse_policy
from thingstead.storage.records import PlaneRecords
from thingstead.storage.sqlite import SqliteStore
from thingstead.transport.control_socket import ControlServer
from thingstead.transport.neighbour import mac_of
from thingstead.transport.udp import Pump, open_socket

__all__ = ["Controller", "Planes", "domain_credential", "operations", "running"]

_LOGGER = logging.getLogger(__name__)
_HOUSEKEEPING = 1.0


def domain_credential(directory: DomainDirectory, config: ControllerConfig) -> Credential:
    """The domain's CRED_R: a CCS of its handshake key, shown by value; its thumbprint goes into vouchers."""
    public = directory.key("domain").public
    encoded = ccs.encode(public, subject=config.domain.name)
    return Credential(id_cred=kccs_reference(encoded), cred=encoded, public=public)


@dataclass(frozen=True, slots=True)
class Planes:
    """The six engines.

    Attributes:
        identity: credentials.
        access: tokens and associations.
        groups: keys of groups.
        software: releases and what runs.
        network: what the kernel lets through.
        data: telemetry.
    """

    identity: CertificateAuthority
    access: AuthorizationServer
    groups: Plane
    software: Plane
    network: MudManager
    data: Collector

    def __iter__(self) -> Iterator[Plane]:
        return iter((self.identity, self.access, self.groups, self.software, self.network, self.data))


@dataclass(slots=True)
class Controller:
    """A running domain; made by `running`.

    Attributes:
        directory: where it lives.
        config: its settings.
        policy: what the owner wrote.
        clock: both times.
        store: what lasts.
        register: the things, in memory.
        notary: the ledger's tree and heads.
        conductor: transitions.
        server: the CoAP endpoint.
        resources: what it serves.
        admission: the join decision.
        bootstrap: handshakes under way.
        planes: the six engines.
        refusals: counted towards the ledger.
    """

    directory: DomainDirectory
    config: ControllerConfig
    policy: OwnerPolicy
    clock: Clock
    store: SqliteStore
    register: Register
    notary: Notary
    conductor: Conductor
    server: DomainServer
    resources: Resources
    admission: Admission
    bootstrap: Bootstrap
    planes: Planes
    refusals: RefusalCounter

    def count_refusal(self, event: RequestReceived, peer: Hashable, reason: str) -> None:
        """Note a refused request towards the ledger: one entry per thing or source, reason and minute."""
        thing = ThingId(str(peer)) if peer is not None else None
        self.refusals.count(reason, at=self.clock.utc(), thing=thing, source=event.source[0])

    async def run(self) -> None:
        """Housekeeping for as long as the controller lives: batches, ledger heads, what is still owed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.notary.run())
            tasks.create_task(self.conductor.run())
            tasks.create_task(self._keep_house())

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING)
            await self.tidy()

    async def tidy(self) -> None:
        """Write what waits: telemetry, and refusals of the minutes that have ended."""
        await self.planes.data.flush()
        await self.planes.network.refresh()
        await self.planes.network.watch()
        entries = self.refusals.due(self.clock.utc())
        if entries:
            await self.store.commit(Unit(entries=entries))


@asynccontextmanager
async def running(directory: DomainDirectory, *, clock: Clock | None = None) -> AsyncIterator[Controller]:
    """Open a domain and serve it until the block ends; what is on disk then is what was acknowledged.

    Raises:
        ConfigError: settings or policy are wrong, or another controller runs on the directory.
        StorageError: the data cannot be read, or the ledger is not what its head says.
        TransportError: the CoAP address is not free.
    """
    config = directory.load()
    async with asyncio.TaskGroup() as tasks:
        controller = _compose(directory, config, clock=clock or SystemClock(), tasks=tasks)
        sock = open_socket(config.coap.host, config.coap.port)
        pump = Pump(controller.server, [sock], clock=controller.clock)
        controller.server.flush = pump.flush
        control = ControlServer(directory.control_socket, operations(controller).answer)
        try:
            controller.planes.access.resume()
            controller.planes.data.resume(_admitted(controller.register))
            await controller.planes.network.resume(controller.register.things())
            await controller.conductor.resume()
            background = tasks.create_task(controller.run())
            await control.start()
            yield controller
            background.cancel()
        finally:
            await control.close()
            pump.close()
            await controller.tidy()
            await controller.notary.seal()
            await controller.store.close()


def operations(controller: Controller) -> Operations:
    """Everything an operator may ask, one table from the areas' tables."""
    return Operations(
        *operation_thing.rows(controller.register, controller.conductor, admission=controller.admission),
        *operation_data.rows(controller.planes.data),
    )


def _compose(
    directory: DomainDirectory, config: ControllerConfig, *, clock: Clock, tasks: asyncio.TaskGroup
) -> Controller:
    policy = _policy(directory)
    store = SqliteStore(directory.root)
    snapshot = store.load()
    register = Register(snapshot)
    store.listen(register.follow)
    notary = _notary(directory, config, store, clock)
    own = domain_credential(directory, config)
    resources = Resources(lambda event: _grant(event, planes.access))

    async def reserve(thing: ThingId, upto: int) -> None:
        await planes.access.reserve(thing, upto)

    endpoint = Endpoint(EndpointConfig(), random_bytes=secrets.token_bytes)
    server = DomainServer(endpoint, resources, clock=clock, tasks=tasks, reserve=reserve)
    places = PlaneRecords(PlaneName.NETWORK, store, snapshot=snapshot, prefix="place/")
    whereabouts = Whereabouts(places, mac_of=mac_of)
    planes = _planes(
        directory, config, policy, own.public, whereabouts, server=server, store=store, snapshot=snapshot, clock=clock
    )
    conductor = Conductor(planes, register, store=store, clock=clock)
    admission = Admission(
        conductor,
        register,
        store=store,
        identity=planes.identity,
        access=planes.access,
        policy=policy,
        issuer_credential=ccs.encode(directory.key("access").public, subject="access"),
        clock=clock,
        random_bytes=secrets.token_bytes,
        note_place=whereabouts.note,
    )
    controller = Controller(
        directory=directory,
        config=config,
        policy=policy,
        clock=clock,
        store=store,
        register=register,
        notary=notary,
        conductor=conductor,
        server=server,
        resources=resources,
        admission=admission,
        bootstrap=_bootstrap(directory, config.join, own, admission, planes.access),
        planes=planes,
        refusals=RefusalCounter(),
    )
    _serve(controller)
    return controller


def _notary(directory: DomainDirectory, config: ControllerConfig, store: SqliteStore, clock: Clock) -> Notary:
    kept = directory.heads(config)
    private_directory(kept.parent)
    return Notary(store, HeadFile(kept), key=directory.key("ledger"), domain=config.domain.name, clock=clock)


def _planes(
    directory: DomainDirectory,
    config: ControllerConfig,
    policy: OwnerPolicy,
    holder: PublicKey,
    whereabouts: Whereabouts,
    *,
    server: DomainServer,
    store: SqliteStore,
    snapshot: Snapshot,
    clock: Clock,
) -> Planes:
    def records(plane: PlaneName) -> PlaneRecords:
        return PlaneRecords(plane, store, snapshot=snapshot)

    validity = timedelta(days=config.join.credential_days)
    return Planes(
        identity=CertificateAuthority(
            records(PlaneName.IDENTITY),
            directory.key("identity"),
            domain=config.domain.name,
            clock=clock,
            random_bytes=secrets.token_bytes,
            validity=validity,
        ),
        access=AuthorizationServer(
            records(PlaneName.ACCESS),
            directory.key("access"),
            server,
            domain=config.domain.name,
            holder=holder,
            clock=clock,
            random_bytes=secrets.token_bytes,
            validity=validity,
        ),
        groups=Absent(PlaneName.GROUPS, clock=clock),
        software=Absent(PlaneName.SOFTWARE, clock=clock),
        network=network_plane(
            config,
            directory.anchors(),
            enforcement(config.network, coap_port=config.coap.port),
            root=directory.root,
            records=PlaneRecords(PlaneName.NETWORK, store, snapshot=snapshot, prefix="mud/"),
            whereabouts=whereabouts,
            clock=clock,
            alarm=_log_alarm,
        ),
        data=Collector(records(PlaneName.DATA), purposes=policy.purposes, clock=clock),
    )


def _bootstrap(
    directory: DomainDirectory,
    config: JoinConfig,
    own: Credential,
    admission: Admission,
    access: AuthorizationServer,
) -> Bootstrap:
    registrar = Registrar({anchor.maker: anchor.identity_key for anchor in directory.anchors()})
    return Bootstrap(
        own,
        directory.key("domain"),
        authenticate=lambda maker_identity, at: registrar.authenticate(maker_identity, at=at),
        admit=admission,
        connection_id=access.allocate_recipient_id,
        limits=Limits(
            max_half_open=config.max_half_open,
            max_half_open_per_source=config.max_half_open_per_source,
            half_open_seconds=config.half_open_seconds,
        ),
    )


def _serve(controller: Controller) -> None:
    """Register what things may ask; a path that is not here does not exist."""
    resources, server = controller.resources, controller.server
    joining = bootstrapping(controller.bootstrap, resources, clock=controller.clock)
    resources.register(path.EDHOC, Code.POST, server.deferred(joining), public=True)
    resources.register(path.TELEMETRY, Code.POST, collecting(controller.planes.data))
    resources.register(path.CREDENTIAL_STATUS, Code.FETCH, credential_status(controller.planes.identity))
    resources.on_refusal = controller.count_refusal


def _grant(event: RequestReceived, access: AuthorizationServer) -> tuple[Hashable, Scope] | None:
    """Who is behind a request, and what its token lets it do now."""
    if event.association is None:
        return None
    thing = ThingId(event.association)
    scope = access.scope_of(thing)
    return None if scope is None else (thing, scope)


def _log_alarm(alarm: Alarm) -> None:
    _LOGGER.warning("network: %s of %s: %s", alarm.kind, alarm.thing, alarm.detail)


def _admitted(register: Register) -> Iterator[ThingId]:
    """Things that the data plane is to accept, as the table of obligations says."""
    for thing in register.things():
        if OBLIGATIONS[thing.state, thing.restriction][PlaneName.DATA] is Demand.ADMIT:
            yield thing.id


def _policy(directory: DomainDirectory) -> OwnerPolicy:
    try:
        text = directory.policy.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected a policy at {directory.policy}: {error}") from error
    return parse_policy(text)
