"""How the six planes are put together on a controller's foundation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from thingstead.controller.access_engine import PERMITS, TOKENS
from thingstead.controller.data_engine import RemoteCollector
from thingstead.controller.foundation import Foundation
from thingstead.controller.group import group_settings, groups_plane
from thingstead.controller.group_member import DomainMember
from thingstead.controller.groups_engine import RemoteGroups, SeatKey
from thingstead.controller.identity_engine import RemoteAuthority
from thingstead.controller.issuing import Issuing
from thingstead.controller.network import network_plane
from thingstead.controller.network_engine import RemoteNetwork
from thingstead.controller.owner import Trusted
from thingstead.controller.remote_access import RemoteAccess, RemoteIssuer, RemotePermits
from thingstead.controller.remote_plane import RemotePlane
from thingstead.controller.server import DomainServer
from thingstead.controller.software_engine import RemoteTracker
from thingstead.controller.whereabouts import Whereabouts
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.plane import Plane, PlaneName
from thingstead.domain.policy import PROFILES
from thingstead.domain.register import Register
from thingstead.errors import ConfigError
from thingstead.identifier import KeyId, ThingId
from thingstead.planes.access.authorization_server import AuthorizationServer
from thingstead.planes.access.issued_tokens import IssuedTokens
from thingstead.planes.access.permits import Permits
from thingstead.planes.access.relying_party import RelyingParties
from thingstead.planes.access.resource_directory import ResourceDirectory
from thingstead.planes.access.token_issuer import TokenIssuer
from thingstead.planes.data.collector import Collector
from thingstead.planes.groups.courier import Courier, Epochs
from thingstead.planes.groups.group_manager import GroupManager
from thingstead.planes.groups.roster import Rosters
from thingstead.planes.identity.certificate_authority import CertificateAuthority
from thingstead.planes.identity.install_codes import InstallCodes
from thingstead.planes.network.alarm import Alarm
from thingstead.planes.network.mud_manager import MudManager
from thingstead.planes.software.campaigns import DOCUMENTS, Campaigns
from thingstead.planes.software.ddi_action import DdiActions
from thingstead.planes.software.shelf import Shelf
from thingstead.planes.software.source import sort_of
from thingstead.planes.software.status_tracker import StatusTracker
from thingstead.protocols.ace.aif import Scope
from thingstead.storage.records import PlaneRecords

__all__ = ["Planes", "compose_planes", "log_alarm", "remote_engine", "seat_key"]

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Planes:
    """The six engines.

    Attributes:
        identity: credentials.
        codes: of the same plane, install codes.
        access: tokens and associations.
        tokens: of the same plane, what was issued and what is revoked.
        issuer: of the same plane, tokens of things for each other.
        permits: of the same plane, tokens of people for things.
        directory: of the same plane, what things have.
        groups: keys of groups.
        software: releases and what runs.
        campaigns: of the same plane, who may have what when.
        ddi: of the same plane, what devices that speak hawkBit's API are to do.
        network: what the kernel lets through.
        whereabouts: of the same plane, where things are.
        data: telemetry.
    """

    identity: CertificateAuthority | RemoteAuthority
    codes: InstallCodes
    access: AuthorizationServer | RemoteAccess
    tokens: IssuedTokens
    issuer: TokenIssuer | RemoteIssuer
    permits: Permits
    directory: ResourceDirectory
    groups: Courier
    software: StatusTracker | RemoteTracker
    campaigns: Campaigns
    ddi: DdiActions
    network: MudManager | RemoteNetwork
    whereabouts: Whereabouts | RemoteNetwork
    data: Collector | RemoteCollector

    async def begin(self) -> None:
        """Tell engines that are other processes' how things stand, and take up what they say."""
        for plane in self:
            engine = remote_engine(plane)
            if engine is not None:
                await engine.begin()

    def __iter__(self) -> Iterator[Plane]:
        return iter((self.identity, self.access, self.groups, self.software, self.network, self.data))


def remote_engine(plane: Plane) -> RemotePlane | None:
    """What asks a plane's engine in another process; None where it is in this one."""
    asked = plane.epochs if isinstance(plane, Courier) else plane
    return asked if isinstance(asked, RemotePlane) else None


def compose_planes(
    foundation: Foundation,
    holder: PublicKey,
    member: DomainMember,
    trusted: Trusted,
    *,
    register: Register,
    server: DomainServer,
) -> Planes:
    """Put the six engines together; what they share beside the foundation is given to them.

    Args:
        foundation: what all stand on.
        holder: the domain's own key, which tokens are bound to.
        member: the domain's seat in groups.
        trusted: the makers that the owner trusts now.
        register: the things.
        server: the live endpoint.
    """

    def records(plane: PlaneName, prefix: str = "") -> PlaneRecords:
        return PlaneRecords(plane, foundation.store, prefix=prefix)

    clock = foundation.clock
    access, tokens, issuer, permits = _access_plane(foundation, holder, server)
    network, whereabouts = _network_plane(foundation, trusted, register)
    campaigns = Campaigns(records(PlaneName.SOFTWARE, DOCUMENTS), clock=clock)
    software = _software_plane(foundation, trusted, register, campaigns)
    return Planes(
        identity=_identity_plane(foundation),
        codes=InstallCodes(records(PlaneName.IDENTITY, "code/"), clock=clock),
        access=access,
        tokens=tokens,
        issuer=issuer,
        permits=permits,
        directory=ResourceDirectory(
            records(PlaneName.ACCESS, "rd/"), is_in=lambda thing: access.scope_of(thing) is not None, clock=clock
        ),
        groups=_groups_plane(foundation, member, server, access.scope_of),
        software=software,
        campaigns=campaigns,
        # Beside the identity plane's: a software plane in a process of its own takes all documents of that plane along.
        ddi=DdiActions(records(PlaneName.IDENTITY, "ddi/"), software, is_aborted=campaigns.is_aborted),
        network=network,
        whereabouts=whereabouts,
        data=_data_plane(foundation, register),
    )


_Access = tuple[AuthorizationServer | RemoteAccess, IssuedTokens, TokenIssuer | RemoteIssuer, Permits]


def _access_plane(foundation: Foundation, holder: PublicKey, server: DomainServer) -> _Access:
    engine, key = foundation.engines.get(PlaneName.ACCESS), foundation.keys.handle(KeyId("access"))
    parties = RelyingParties(server.request)
    if engine is not None:
        remote = RemoteAccess(
            engine,
            server,
            parties,
            store=foundation.store,
            domain=foundation.config.domain.name,
            clock=foundation.clock,
            random_bytes=foundation.random_bytes,
        )
        return remote, remote.tokens, RemoteIssuer(remote), RemotePermits(remote, key, clock=foundation.clock)
    records = partial(PlaneRecords, PlaneName.ACCESS, foundation.store)
    common = Issuing(foundation.config.domain.name, key, foundation.clock, foundation.random_bytes)
    tokens = IssuedTokens(records(prefix=TOKENS), clock=foundation.clock)
    validity = PROFILES[foundation.policy.join.profile].token_lifetime
    access = common.server(records(), server, tokens, parties, holder=holder, validity=validity)
    return access, tokens, common.issuer(tokens, access), common.permits(tokens, records(prefix=PERMITS))


def _groups_plane(
    foundation: Foundation,
    member: DomainMember,
    server: DomainServer,
    scope_of: Callable[[ThingId], Scope | None],
) -> Courier:
    engine, config, clock = foundation.engines.get(PlaneName.GROUPS), foundation.config, foundation.clock
    rosters = Rosters(member)
    epochs: Epochs
    if engine is not None:
        epochs = RemoteGroups(engine, rosters, store=foundation.store)
    else:
        epochs = manager = GroupManager(
            PlaneRecords(PlaneName.GROUPS, foundation.store),
            foundation.keys.handle(KeyId("groups")),
            rosters,
            settings=group_settings(config, foundation.policy),
            clock=clock,
            random_bytes=foundation.random_bytes,
        )
        manager.tell()
    return groups_plane(config, epochs, rosters, member, server=server, scope_of=scope_of, clock=clock)


def seat_key(foundation: Foundation, planes: Callable[[], Planes]) -> PrivateKey:
    """The domain's key as a member of its groups, which a plane in another process puts to nothing else."""
    key = foundation.keys.handle(KeyId("groups"))

    def asked() -> RemotePlane:
        engine = remote_engine(planes().groups)
        if engine is None:
            raise ConfigError("the groups plane is in this process")
        return engine

    return SeatKey(key.public, asked) if PlaneName.GROUPS in foundation.engines else key


def _identity_plane(foundation: Foundation) -> CertificateAuthority | RemoteAuthority:
    engine, clock = foundation.engines.get(PlaneName.IDENTITY), foundation.clock
    if engine is not None:
        return RemoteAuthority(engine, store=foundation.store, clock=clock)
    return CertificateAuthority(
        PlaneRecords(PlaneName.IDENTITY, foundation.store, prefix="credential/"),
        foundation.keys.handle(KeyId("identity")),
        domain=foundation.config.domain.name,
        clock=clock,
        random_bytes=foundation.random_bytes,
        validity=timedelta(days=foundation.config.join.credential_days),
    )


def _network_plane(
    foundation: Foundation, trusted: Trusted, register: Register
) -> tuple[MudManager | RemoteNetwork, Whereabouts | RemoteNetwork]:
    engine = foundation.engines.get(PlaneName.NETWORK)
    if engine is not None:
        remote = RemoteNetwork(engine, store=foundation.store, register=register, anchors=lambda: trusted.anchors)
        return remote, remote
    if foundation.enforcement is None:
        raise ConfigError("nobody keeps the network's rules")
    records = partial(PlaneRecords, PlaneName.NETWORK, foundation.store)
    whereabouts = Whereabouts(records(prefix="place/"), mac_of=foundation.segment.mac_of)
    manager = network_plane(
        foundation.config,
        lambda: trusted.anchors,
        keeper=foundation.enforcement,
        files=foundation.fetcher,
        resolve=foundation.resolver,
        records=records(prefix="mud/"),
        own=records(prefix="owner/"),
        learned=records(prefix="name/"),
        whereabouts=whereabouts,
        clock=foundation.clock,
        alarm=log_alarm,
    )
    return manager, whereabouts


def _software_plane(
    foundation: Foundation, trusted: Trusted, register: Register, campaigns: Campaigns
) -> StatusTracker | RemoteTracker:
    engine, store, clock = foundation.engines.get(PlaneName.SOFTWARE), foundation.store, foundation.clock
    if engine is not None:
        return RemoteTracker(
            engine,
            store=store,
            register=register,
            anchors=lambda: trusted.anchors,
            clock=clock,
            campaigns=campaigns,
        )
    return StatusTracker(
        PlaneRecords(PlaneName.SOFTWARE, store),
        anchors=foundation.anchors,
        sorts=lambda: {sort_of(thing) for thing in register.things()},
        scan=foundation.scan_image,
        clock=clock,
        shelf=Shelf(clock, campaigns),
    )


def _data_plane(foundation: Foundation, register: Register) -> Collector | RemoteCollector:
    engine, purposes = foundation.engines.get(PlaneName.DATA), foundation.policy.purposes
    if engine is None:
        return Collector(PlaneRecords(PlaneName.DATA, foundation.store), purposes=purposes, clock=foundation.clock)
    return RemoteCollector(engine, store=foundation.store, register=register, purposes=purposes, clock=foundation.clock)


def log_alarm(alarm: Alarm) -> None:
    """Tell the operator at once."""
    whose = f" of {alarm.thing}" if alarm.thing is not None else ""
    _LOGGER.warning("network: %s%s: %s", alarm.kind, whose, alarm.detail)
