"""How the entrance of a domain is put together: who comes, whose it was, whether it may, and what is said meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from thingstead.controller.admission import Admission
from thingstead.controller.attesting import Attesting
from thingstead.controller.conductor import Conductor
from thingstead.controller.engines import Planes
from thingstead.controller.foundation import Foundation
from thingstead.controller.maker_servers import MakerServers
from thingstead.controller.owner import Trusted
from thingstead.controller.server import DomainServer
from thingstead.controller.standing import GONE
from thingstead.controller.waiting_room import WaitingRoom
from thingstead.crypto.key import PublicKey
from thingstead.domain.crypto_policy import suites_of_joins
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.identifier import KeyId
from thingstead.phases.bootstrap import Bootstrap, Newcomer
from thingstead.phases.unwelcome import Unwelcome
from thingstead.planes.identity.ownership import Ownership
from thingstead.planes.identity.registrar import Registrar
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.cwt.credential import INTRODUCED
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.profile import join
from thingstead.storage.records import PlaneRecords

__all__ = ["Entrance", "compose_entrance"]


@dataclass(frozen=True, slots=True)
class Entrance:
    """The parts.

    Attributes:
        makers: who is asked whose a thing is.
        registrar: who made a thing.
        ownership: whose it was.
        admission: whether it may.
        bootstrap: the dialogue.
    """

    makers: MakerServers
    registrar: Registrar
    ownership: Ownership
    admission: Admission
    bootstrap: Bootstrap


def compose_entrance(
    foundation: Foundation,
    own: Credential,
    trusted: Trusted,
    server: DomainServer,
    conductor: Conductor,
    register: Register,
    planes: Planes,
    attesting: Attesting,
) -> Entrance:
    """Put them together; `own` is the domain's credential."""
    makers = MakerServers(
        server,
        credential=own,
        key=foundation.keys.handle(KeyId("domain")),
        anchors=lambda: trusted.anchors,
        connection_id=planes.access.allocate_recipient_id,
        resolve=foundation.resolver,
        own=foundation.config.coap.host,
        clock=foundation.clock,
    )
    registrar = Registrar(
        {anchor.maker: anchor.identity_key for anchor in foundation.anchors},
        is_vouched=lambda encoded, *thing: encoded in planes.codes or _is_introduced(register, *thing),
        is_introduced=partial(_is_introduced, register),
    )
    ownership = _ownership(foundation, own, registrar, makers, register)
    admission = _admission(foundation, conductor, register, planes, ownership, makers, attesting)
    return Entrance(
        makers, registrar, ownership, admission, _bootstrap(foundation, own, registrar, admission, planes, attesting)
    )


def _admission(
    foundation: Foundation,
    conductor: Conductor,
    register: Register,
    planes: Planes,
    ownership: Ownership,
    makers: MakerServers,
    attesting: Attesting,
) -> Admission:
    async def attest(thing: Thing, newcomer: Newcomer) -> None:
        public, nonce = newcomer.identity.public, newcomer.nonce
        await attesting.join(thing, public, nonce=nonce, evidence=newcomer.evidence)

    return Admission(
        conductor,
        register,
        store=foundation.store,
        identity=planes.identity,
        access=planes.access,
        ownership=ownership,
        policy=foundation.policy,
        waiting=WaitingRoom(
            PlaneRecords(PlaneName.IDENTITY, foundation.store, prefix="waiting/"), clock=foundation.clock
        ),
        vouch=makers.voucher,
        issuer_credential=ccs.encode(foundation.keys.handle(KeyId("access")).public, subject="access"),
        clock=foundation.clock,
        random_bytes=foundation.random_bytes,
        note_place=planes.whereabouts.note,
        attest=attest,
    )


def _bootstrap(
    foundation: Foundation,
    own: Credential,
    registrar: Registrar,
    admission: Admission,
    planes: Planes,
    attesting: Attesting,
) -> Bootstrap:
    settings = foundation.config.join
    return Bootstrap(
        own,
        foundation.keys.handle(KeyId("domain")),
        authenticate=lambda maker_identity, at: registrar.authenticate(maker_identity, at=at),
        admit=admission,
        connection_id=planes.access.allocate_recipient_id,
        pending=PendingSessions(limit=settings.max_half_open, lifetime=settings.half_open_seconds),
        unwelcome=Unwelcome(share=max(1, settings.max_half_open // 2)),
        codes=planes.codes,
        nonce=attesting.nonce,
        suites=lambda: suites_of_joins(admission.crypto, join.SUITES, foundation.clock.utc().date()),
    )


def _ownership(
    foundation: Foundation, own: Credential, registrar: Registrar, makers: MakerServers, register: Register
) -> Ownership:
    def has_left(maker: str, serial: str) -> bool:
        known = register.find(maker, serial)
        return known is not None and known.state in GONE

    return Ownership(
        PlaneRecords(PlaneName.IDENTITY, foundation.store, prefix="custody/"),
        identify=registrar.identify,
        server_key=makers.voucher_key,
        owner=own.public,
        has_left=has_left,
        clock=foundation.clock,
    )


def _is_introduced(register: Register, serial: str, public: PublicKey) -> bool:
    """A code brought it, and the key is on record still: codes are in no backup, the things that came by them are."""
    known = register.find(INTRODUCED, serial)
    rows = () if known is None else known.keys
    thumbprint = cose_key.thumbprint(public)
    return any(row.thumbprint == thumbprint and row.until is None for row in rows)
