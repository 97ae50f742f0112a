"""The processes that planes are under ``thingstead up --separate``: each engine put together where it runs."""

from __future__ import annotations

import asyncio
import encodings.idna  # noqa: F401  what Python would load at the first name that is looked up
import socket
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path

from thingstead.clock import Clock
from thingstead.controller.access_engine import (
    ACCESS_CALLS,
    PERMITS,
    TOKENS,
    AccessEngine,
    AccessParts,
    ToldAssociations,
    ToldRecords,
    ToldStandings,
)
from thingstead.controller.config import ControllerConfig
from thingstead.controller.data_engine import DATA_CALLS, DataEngine
from thingstead.controller.engines import log_alarm
from thingstead.controller.groups_engine import GROUPS_CALLS, GroupsEngine, ToldRosters
from thingstead.controller.identity_engine import IDENTITY_CALLS, IdentityEngine, ToldStatuses
from thingstead.controller.issuing import Issuing
from thingstead.controller.network import network_plane
from thingstead.controller.network_engine import NETWORK_CALLS, NetworkEngine
from thingstead.controller.software_engine import SOFTWARE_CALLS, SoftwareEngine, ToldShelf
from thingstead.controller.whereabouts import Whereabouts
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Enforcement, Fetcher, Resolver, Store
from thingstead.domain.purpose import Purpose
from thingstead.errors import TransportError
from thingstead.identifier import ThingId
from thingstead.keeper.host import Host, Telling, serve_engine
from thingstead.planes.access.issued_tokens import IssuedTokens
from thingstead.planes.access.relying_party import RelyingParties
from thingstead.planes.data.collector import Collector
from thingstead.planes.groups.group_manager import Settings
from thingstead.planes.identity.certificate_authority import CertificateAuthority
from thingstead.planes.software.source import Sort
from thingstead.planes.software.status_tracker import ImageScan, StatusTracker
from thingstead.protocols.coap.message import Message
from thingstead.storage.records import PlaneRecords
from thingstead.storage.sqlite import SqliteStore

__all__ = ["access_host", "data_host", "groups_host", "host", "identity_host", "network_host", "software_host"]


def host(own: Path, make: Callable[[Store], Host], listener: socket.socket, *, user: int) -> None:
    """Serve an engine until this process is ended.

    Args:
        own: the plane's directory.
        make: puts the engine together over the plane's store.
        listener: where it is asked.
        user: who may ask.
    """

    async def serve() -> None:
        await serve_engine(make(SqliteStore(own)), listener, user=user)

    asyncio.run(serve())


def network_host(
    store: Store,
    *,
    config: ControllerConfig,
    keeper: Enforcement,
    files: Fetcher,
    resolve: Resolver,
    mac_of: Callable[[str], bytes],
    clock: Clock,
) -> Host:
    """The network plane.

    Args:
        store: its own.
        config: the domain's.
        keeper: of the rules.
        files: HTTPS.
        resolve: DNS.
        mac_of: the link-layer address behind an IP address.
        clock: both times.
    """
    records = partial(PlaneRecords, PlaneName.NETWORK, store)
    places = Whereabouts(records(prefix="place/"), mac_of=mac_of)
    make = partial(
        network_plane,
        config,
        keeper=keeper,
        files=files,
        resolve=resolve,
        records=records(prefix="mud/"),
        own=records(prefix="owner/"),
        learned=records(prefix="name/"),
        whereabouts=places,
        clock=clock,
        alarm=log_alarm,
    )
    return Host(PlaneName.NETWORK, NetworkEngine(make, places), NETWORK_CALLS, store=store)


def data_host(store: Store, *, purposes: tuple[Purpose, ...], clock: Clock) -> Host:
    """The data plane.

    Args:
        store: its own.
        purposes: what may be collected.
        clock: for UTC.
    """
    records = PlaneRecords(PlaneName.DATA, store)
    engine = DataEngine(Collector(records, purposes=purposes, clock=clock), records)
    return Host(PlaneName.DATA, engine, DATA_CALLS, store=store)


def software_host(store: Store, *, scan: ImageScan, clock: Clock) -> Host:
    """The software plane.

    Args:
        store: its own.
        scan: looks through an image before it is published.
        clock: for UTC.
    """

    def make(anchors: tuple[TrustAnchor, ...], sorts: Callable[[], Iterable[Sort]]) -> StatusTracker:
        records, shelf = PlaneRecords(PlaneName.SOFTWARE, store), ToldShelf(clock, Telling().tell)
        return StatusTracker(records, anchors=anchors, sorts=sorts, scan=scan, clock=clock, shelf=shelf)

    return Host(PlaneName.SOFTWARE, SoftwareEngine(make), SOFTWARE_CALLS, store=store)


def identity_host(
    store: Store,
    *,
    key: PrivateKey,
    config: ControllerConfig,
    clock: Clock,
    random_bytes: Callable[[int], bytes],
) -> Host:
    """The identity plane.

    Args:
        store: its own.
        key: the plane's, which nobody else has.
        config: the domain's.
        clock: for UTC.
        random_bytes: for credential identifiers.
    """

    def make() -> CertificateAuthority:
        return CertificateAuthority(
            PlaneRecords(PlaneName.IDENTITY, store, prefix="credential/"),
            key,
            domain=config.domain.name,
            clock=clock,
            random_bytes=random_bytes,
            validity=timedelta(days=config.join.credential_days),
            statuses=ToldStatuses(clock, Telling().tell),
        )

    return Host(PlaneName.IDENTITY, IdentityEngine(make), IDENTITY_CALLS, store=store)


def access_host(
    store: Store,
    *,
    issuing: Issuing,
    holder: PublicKey,
    validity: timedelta,
) -> Host:
    """The access plane.

    Args:
        store: its own.
        issuing: with the plane's key, which nobody else has.
        holder: the key that the domain itself proves in handshakes.
        validity: how long a token of a join holds.
    """
    tell = Telling().tell
    records = partial(PlaneRecords, PlaneName.ACCESS, store)

    async def nobody(thing: ThingId, _message: Message) -> Message:
        raise TransportError(f"{thing} is asked where messages come in")

    def make() -> AccessParts:
        windows = {name: ToldRecords(records(prefix=name), name, tell) for name in (TOKENS, PERMITS)}
        standings, tokens = ToldStandings(issuing.clock, tell), IssuedTokens(windows[TOKENS], clock=issuing.clock)
        server = issuing.server(
            records(),
            ToldAssociations(tell),
            tokens,
            RelyingParties(nobody),
            holder=holder,
            validity=validity,
            standings=standings,
        )
        permits = issuing.permits(tokens, windows[PERMITS])
        return AccessParts(server, tokens, issuing.issuer(tokens, server), permits, standings, windows)

    return Host(PlaneName.ACCESS, AccessEngine(make, tell), ACCESS_CALLS, store=store)


def groups_host(
    store: Store,
    *,
    key: PrivateKey,
    member: PrivateKey,
    settings: Settings,
    clock: Clock,
    random_bytes: Callable[[int], bytes],
) -> Host:
    """The groups plane.

    Args:
        store: its own.
        key: the plane's, for what the Group Manager says; nobody else has it.
        member: the same, for what the domain says as a member.
        settings: names, rights and times.
        clock: both times.
        random_bytes: for secrets, challenges and Group Identifiers.
    """
    records, rosters = PlaneRecords(PlaneName.GROUPS, store), ToldRosters(Telling().tell)
    engine = GroupsEngine(records, key, member, rosters, settings=settings, clock=clock, random_bytes=random_bytes)
    return Host(PlaneName.GROUPS, engine, GROUPS_CALLS, store=store)
