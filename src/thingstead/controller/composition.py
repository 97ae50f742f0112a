"""How a controller is put together, from what it stands on to what it serves: no file and no socket is opened here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from thingstead.controller.admission import Admission
from thingstead.controller.attention import Attention
from thingstead.controller.clone_watch import CloneWatch
from thingstead.controller.conductor import Conductor
from thingstead.controller.config import ControllerConfig
from thingstead.controller.engines import Planes, compose_planes
from thingstead.controller.expiry_watch import ExpiryWatch
from thingstead.controller.foundation import Foundation
from thingstead.controller.group_member import DomainMember, group_of
from thingstead.controller.group_resource import GroupResources
from thingstead.controller.housekeeping import every
from thingstead.controller.notary import Notary
from thingstead.controller.overview import Overview
from thingstead.controller.owner import Owner, Trusted
from thingstead.controller.resource import (
    bootstrapping,
    collecting,
    credential_status,
    granting,
    update_image,
    update_poll,
    update_report,
)
from thingstead.controller.revocation_list import RevocationList
from thingstead.controller.second_place import SecondPlace, second_place
from thingstead.controller.server import DomainServer
from thingstead.controller.token_resource import TokenResource
from thingstead.controller.waiting_room import WaitingRoom
from thingstead.controller.whereabouts import Whereabouts
from thingstead.crypto.keystore import KeyStore
from thingstead.domain.ledger.refusal import RefusalCounter
from thingstead.domain.plane import OBLIGATIONS, Demand, PlaneName
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.discovery import Attributes, discovery
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, GroupId, RequestReceived
from thingstead.endpoint.resource import Resources
from thingstead.errors import ThingsteadError
from thingstead.identifier import KeyId, ThingId
from thingstead.phases.bootstrap import Bootstrap
from thingstead.phases.decommission import Decommission
from thingstead.planes.access.authorization_server import AuthorizationServer
from thingstead.planes.identity.registrar import Registrar
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.credential import Credential, kccs_reference
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.profile import join, path
from thingstead.storage.records import PlaneRecords

__all__ = ["Controller", "compose", "domain_credential"]

_LOGGER = logging.getLogger(__name__)
_HOUSEKEEPING, _ATTENTION = 1.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """A composed domain; made by `compose`.

    Attributes:
        foundation: what it stands on.
        second_place: its store, of which a part stands elsewhere too.
        register: the things, in memory.
        notary: the ledger's tree and heads.
        conductor: transitions.
        server: the CoAP endpoint.
        resources: what it serves.
        admission: the join decision.
        bootstrap: handshakes under way.
        decommission: how a thing is parted from.
        planes: the six engines.
        overview: all of it at one instant.
        expiry_watch: tells of dates without being asked.
        owner: takes up anew what the owner writes.
        group_resources: the paths of groups.
        refusals: what was refused, counted for the ledger.
        clones: looks for identities that live twice.
        attention: looks for what is forgotten.
        joined: somebody has joined a group, and the others have not got its keys yet.
    """

    foundation: Foundation
    second_place: SecondPlace
    register: Register
    notary: Notary
    conductor: Conductor
    server: DomainServer
    resources: Resources
    admission: Admission
    bootstrap: Bootstrap
    decommission: Decommission
    planes: Planes
    overview: Overview
    expiry_watch: ExpiryWatch
    owner: Owner
    group_resources: GroupResources
    refusals: RefusalCounter
    clones: CloneWatch
    attention: Attention
    joined: asyncio.Event

    async def resume(self) -> None:
        """Take up what stood before a restart: associations, admissions, and what planes still owe."""
        await self.second_place.settle()
        self.planes.access.resume(thing.id for thing in _admitted(self.register, PlaneName.ACCESS))
        self.planes.groups.resume()
        await self.group_resources.make(self.foundation.policy)
        self.remember()
        self.planes.data.resume(thing.id for thing in _admitted(self.register, PlaneName.DATA))
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
            tasks.create_task(every(_HOUSEKEEPING, self.planes.data.flush))
            tasks.create_task(every(_HOUSEKEEPING, self.planes.tokens.tidy))
            tasks.create_task(every(_HOUSEKEEPING, self._look_after_network))
            tasks.create_task(every(_HOUSEKEEPING, self.expiry_watch.look))
            tasks.create_task(every(_ATTENTION, self.attention.watch))
            tasks.create_task(every(_HOUSEKEEPING, self.second_place.settle))
            tasks.create_task(self._keep_groups())

    async def close(self) -> None:
        """Write what waits, and seal the ledger; the store is closed by whoever opened it."""
        await self.planes.data.flush()
        await self.notary.close()

    async def _look_after_network(self) -> None:
        await self.planes.network.refresh()
        await self.planes.network.watch()

    async def _keep_groups(self) -> None:
        """Hand keys round apart from the rest, for silent members take time; joins that come together go round once."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_HOUSEKEEPING):
                    await self.joined.wait()
            self.joined.clear()
            try:
                await self.planes.groups.tidy()
            except ThingsteadError:
                _LOGGER.exception("the groups could not be tidied; it is tried again")


def compose(foundation: Foundation, tasks: asyncio.TaskGroup) -> Controller:
    """Put a controller together; `tasks` is where deferred work runs.

    Raises:
        StorageError: a key is missing, or the ledger is not what its head says.
    """
    clock, random_bytes = foundation.clock, foundation.random_bytes
    register = Register(foundation.store.load())
    store = second_place(foundation, register)
    foundation = replace(foundation, store=store)
    store.listen(register.follow)
    refusals = RefusalCounter()
    own = domain_credential(foundation.keys, foundation.config)
    resources = Resources(lambda event: _grant(event, planes.access, clones))

    async def reserve(owner: AssociationId | GroupId, upto: int) -> None:
        group = group_of(owner)
        if group is None:
            await planes.access.reserve(ThingId(owner), upto)
        else:
            await planes.groups.reserve(group, upto)
            server.flush()

    config = EndpointConfig(max_peers=foundation.config.coap.max_peers, edhoc_path=path.EDHOC)
    endpoint = Endpoint(config, random_bytes=random_bytes, permits=resources.permits)
    server = DomainServer(endpoint, resources, clock=clock, tasks=tasks, reserve=reserve)
    places = PlaneRecords(PlaneName.NETWORK, store, prefix="place/")
    whereabouts = Whereabouts(places, mac_of=foundation.segment.mac_of)
    member = DomainMember(endpoint, foundation.keys.handle(KeyId("groups")))
    trusted = Trusted(foundation.anchors)
    planes = compose_planes(foundation, own.public, whereabouts, member, trusted, register=register, server=server)
    conductor = Conductor(planes, register, store=store, clock=clock)
    clones = CloneWatch(conductor, store=store, clock=clock)
    store.listen(clones.follow)
    admission = _admission(foundation, conductor, register, planes, whereabouts)
    notary = _notary(foundation, refusals)
    registrar = Registrar({anchor.maker: anchor.identity_key for anchor in foundation.anchors}, vouched=planes.codes)
    bootstrap = _bootstrap(foundation, own, registrar, admission, planes)
    group_resources = GroupResources(resources, server, planes.groups)
    attention = _attention(foundation, register, server=server, planes=planes, whereabouts=whereabouts)
    overview = _overview(
        foundation, planes, register, notary=notary, server=server, bootstrap=bootstrap, attention=attention
    )
    controller = Controller(
        foundation=foundation,
        second_place=store,
        register=register,
        notary=notary,
        conductor=conductor,
        server=server,
        resources=resources,
        admission=admission,
        bootstrap=bootstrap,
        decommission=_decommission(foundation, server, planes.access),
        planes=planes,
        overview=overview,
        expiry_watch=ExpiryWatch(overview.expiries, register, conductor=conductor, store=store, clock=clock),
        owner=Owner(
            foundation.files,
            foundation.policy,
            trusted,
            registrar=registrar,
            software=planes.software,
            admission=admission,
            register=register,
            store=store,
            clock=clock,
            make_groups=group_resources.make,
        ),
        group_resources=group_resources,
        refusals=refusals,
        clones=clones,
        attention=attention,
        joined=asyncio.Event(),
    )
    planes.groups.on_join = lambda _name: controller.joined.set()
    _serve(controller)
    return controller


def domain_credential(keys: KeyStore, config: ControllerConfig) -> Credential:
    """The domain's CRED_R: a CCS of its handshake key, shown by value; its key goes into vouchers."""
    public = keys.handle(KeyId("domain")).public
    encoded = ccs.encode(public, subject=config.domain.name)
    return Credential(id_cred=kccs_reference(encoded), cred=encoded, public=public)


def _notary(foundation: Foundation, refusals: RefusalCounter) -> Notary:
    return Notary(
        foundation.store,
        foundation.heads,
        key=foundation.keys.handle(KeyId("ledger")),
        domain=foundation.config.domain.name,
        clock=foundation.clock,
        refusals=refusals,
    )


def _admission(
    foundation: Foundation, conductor: Conductor, register: Register, planes: Planes, whereabouts: Whereabouts
) -> Admission:
    return Admission(
        conductor,
        register,
        store=foundation.store,
        identity=planes.identity,
        access=planes.access,
        policy=foundation.policy,
        waiting=WaitingRoom(
            PlaneRecords(PlaneName.IDENTITY, foundation.store, prefix="waiting/"), clock=foundation.clock
        ),
        issuer_credential=ccs.encode(foundation.keys.handle(KeyId("access")).public, subject="access"),
        clock=foundation.clock,
        random_bytes=foundation.random_bytes,
        note_place=whereabouts.note,
    )


def _attention(
    foundation: Foundation, register: Register, *, server: DomainServer, planes: Planes, whereabouts: Whereabouts
) -> Attention:
    return Attention(
        foundation.config.watch,
        register,
        last_acceptance=server.last_acceptance,
        interval=planes.data.interval,
        places=whereabouts.places,
        segment=foundation.segment,
        store=foundation.store,
        clock=foundation.clock,
    )


def _overview(
    foundation: Foundation,
    planes: Planes,
    register: Register,
    *,
    notary: Notary,
    server: DomainServer,
    bootstrap: Bootstrap,
    attention: Attention,
) -> Overview:
    return Overview(
        foundation.config.domain.name,
        planes,
        register=register,
        store=foundation.store,
        notary=notary,
        resources=server.resources,
        server=server,
        bootstrap=bootstrap,
        max_half_open=foundation.config.join.max_half_open,
        is_offline=foundation.config.network.offline,
        attention=attention,
        clock=foundation.clock,
    )


def _bootstrap(
    foundation: Foundation, own: Credential, registrar: Registrar, admission: Admission, planes: Planes
) -> Bootstrap:
    settings = foundation.config.join
    return Bootstrap(
        own,
        foundation.keys.handle(KeyId("domain")),
        authenticate=lambda maker_identity, at: registrar.authenticate(maker_identity, at=at),
        admit=admission,
        connection_id=planes.access.allocate_recipient_id,
        pending=PendingSessions(limit=settings.max_half_open, lifetime=settings.half_open_seconds),
        codes=planes.codes,
    )


def _decommission(foundation: Foundation, server: DomainServer, access: AuthorizationServer) -> Decommission:
    async def ask(thing: ThingId, message: Message, within: float) -> Message:
        return await server.request(thing, message, within=within)

    return Decommission(
        PlaneRecords(PlaneName.IDENTITY, foundation.store, prefix="wipe/"),
        ask=ask,
        holder=access.holder_of,
        domain=foundation.config.domain.name,
        random_bytes=foundation.random_bytes,
    )


def _serve(controller: Controller) -> None:
    """Register what things may ask; a path that is not here does not exist."""
    resources, server, clock = controller.resources, controller.server, controller.foundation.clock
    resources.register(path.EDHOC, Code.POST, bootstrapping(controller.bootstrap, server, clock=clock), public=True)
    resources.register(path.GRANT, Code.GET, granting(controller.admission), public=True)
    resources.register(path.WELL_KNOWN_CORE, Code.GET, discovery(resources, _LINKS), public=True)
    senml, cbor = (ContentFormat.SENML_CBOR,), (ContentFormat.CBOR,)
    resources.register(path.TELEMETRY, Code.POST, collecting(controller.planes.data), consumes=senml)
    resources.register(path.UPDATE, Code.GET, update_poll(controller.planes.software))
    resources.register(path.UPDATE_IMAGE, Code.GET, update_image(controller.planes.software))
    resources.register(path.UPDATE_REPORT, Code.POST, update_report(controller.planes.software, server), consumes=cbor)
    resources.register(path.CREDENTIAL_STATUS, Code.FETCH, credential_status(controller.planes.identity))
    RevocationList(controller.planes.tokens, server.notify).serve(resources)
    TokenResource(
        controller.planes.issuer,
        controller.register.thing,
        peers=lambda: controller.owner.peers,
        scope_of=controller.planes.access.scope_of,
        deferred=server.deferred,
        count=resources.refuse,
    ).serve(resources)

    def count(event: RequestReceived, peer: Hashable, reason: str) -> None:
        """One ledger entry per thing or source, reason and minute."""
        thing = None if peer is None else ThingId(str(peer))
        controller.refusals.count(reason, at=clock.utc(), thing=thing, source=event.source[0])

    resources.on_refusal = count


def _grant(event: RequestReceived, access: AuthorizationServer, clones: CloneWatch) -> tuple[Hashable, Scope] | None:
    """Who is behind a request, and what its token lets it do now."""
    if event.association is None:
        return None
    thing = ThingId(event.association)
    clones.heard(thing, event.source)
    scope = access.scope_of(thing)
    return None if scope is None else (thing, scope)


def _admitted(register: Register, plane: PlaneName) -> Iterator[Thing]:
    """Things that a plane is to accept, as the table of obligations says."""
    for thing in register.things():
        if OBLIGATIONS[thing.state, thing.restriction][plane] is Demand.ADMIT:
            yield thing


_LINKS: dict[str, Attributes] = {
    path.EDHOC: join.LINK_ATTRIBUTES,
    path.TELEMETRY: (("ct", str(int(ContentFormat.SENML_CBOR))),),
}
"""Link attributes of what others must know more about than its path (RFC 9668 §6, RFC 7252 §7.2.1)."""
