"""The access plane: the token a join ends in, the association it lives on, and the end of both (RFC 9200)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from thingstead.clock import Clock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt, Standing
from thingstead.domain.ports import Association, Records, SecurityAssociations
from thingstead.domain.thing import Thing
from thingstead.errors import DecodeError, StateError
from thingstead.identifier import ThingId, TransitionId, thing_id
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.token import AccessToken
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.secret import Secret

__all__ = ["AuthorizationServer", "Proposal"]

_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_CTI_SIZE = 8
_RECIPIENT_ID_SIZE = 3
_ACTOR = "plane:access"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a handshake and the join decision came to, before anything is granted.

    Attributes:
        public: the key that was proven; the token is bound to it.
        oscore: keys and identifiers of the association.
        scope: what the thing may do at the domain.
        granted: what the domain may do at the thing.
    """

    public: PublicKey
    oscore: OscoreParameters
    scope: Scope
    granted: Scope


@dataclass(frozen=True, slots=True)
class _Holding:
    oscore: OscoreParameters
    access_token: AccessToken
    granted_token: bytes
    reserved: int
    suspended: bool


class AuthorizationServer:
    """Issues one token per join, installs its association, and takes both back.

    Args:
        records: the plane's documents, one per thing; they hold master secrets.
        key: the access plane's own signing key (ESP256).
        associations: the live endpoint.
        domain: issuer of the tokens, and the audience of those that things hold.
        holder: the key that the domain itself proves in handshakes; its own tokens are bound to it.
        clock: for UTC.
        random_bytes: for token identifiers and recipient IDs.
        validity: how long a token holds.
    """

    name = PlaneName.ACCESS

    def __init__(
        self,
        records: Records,
        key: PrivateKey,
        associations: SecurityAssociations,
        *,
        domain: str,
        holder: PublicKey,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        validity: timedelta,
    ) -> None:
        self._records = records
        self._key = key
        self._associations = associations
        self._domain = domain
        self._holder = holder
        self._clock = clock
        self._random_bytes = random_bytes
        self._validity = validity
        self._proposals: dict[ThingId, Proposal] = {}
        self._holdings: dict[ThingId, _Holding] = {}
        self._recipient_ids: set[bytes] = set()
        self._locks: WeakValueDictionary[ThingId, asyncio.Lock] = WeakValueDictionary()
        for name, document in records.load().items():
            self._hold(thing_id(name), self._decode(document))

    def resume(self, admitted: Iterable[ThingId]) -> None:
        """Install what was live before a restart: numbers go on above what was reserved, replay windows start lost.

        Args:
            admitted: whom the states of things let in: a crash may have come between a decision and its withdrawal.
        """
        for thing in admitted:
            holding = self._holdings.get(thing)
            if holding is not None and not holding.suspended:
                self._install(thing, holding, fresh=False)

    def allocate_recipient_id(self) -> bytes:
        """A recipient ID that no association of ours has: our C_R in a handshake (RFC 9528 §3.3.3)."""
        while (candidate := self._random_bytes(_RECIPIENT_ID_SIZE)) in self._recipient_ids:
            pass
        return candidate

    def propose(self, thing: ThingId, proposal: Proposal) -> None:
        """Note what the next `admit` of `thing` grants; nothing is granted yet."""
        self._proposals[thing] = proposal

    def retract(self, thing: ThingId) -> None:
        """Forget such a note: the join that it came from is over."""
        self._proposals.pop(thing, None)

    def tokens_of(self, thing: ThingId) -> tuple[bytes, bytes]:
        """The thing's token and the domain's own for the thing, as issued.

        Raises:
            StateError: the thing holds none.
        """
        holding = self._holdings.get(thing)
        if holding is None or holding.suspended:
            raise StateError(f"{thing} holds no access token")
        return holding.access_token.encoded, holding.granted_token

    def holder_of(self, thing: ThingId) -> PublicKey:
        """The key that the thing proved when it got its token, suspended or not.

        Raises:
            StateError: the thing holds none.
        """
        holding = self._holdings.get(thing)
        if holding is None:
            raise StateError(f"{thing} holds no access token")
        return holding.access_token.public

    def scope_of(self, thing: ThingId) -> Scope | None:
        """What the thing may do now; None when its token has ended, was suspended or never was."""
        holding = self._holdings.get(thing)
        if holding is None or holding.suspended or holding.access_token.expires <= self._clock.utc():
            return None
        return holding.access_token.scope

    async def reserve(self, thing: ThingId, upto: int) -> None:
        """Make durable that sender sequence numbers below `upto` are spent (RFC 8613 appendix B.1.1)."""
        async with self._lock(thing):
            holding = self._holdings.get(thing)
            if holding is None or upto <= holding.reserved:
                return
            reserved = replace(holding, reserved=upto)
            await self._records.write({thing: self._encode(reserved)})
            self._holdings[thing] = reserved
            self._associations.sequence_reserved(thing, upto)

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Grant what was proposed, or lift a suspension."""
        async with self._lock(thing.id):
            proposal = self._proposals.pop(thing.id, None)
            holding = self._holdings.get(thing.id)
            if proposal is not None:
                granted = self._grant(thing.id, proposal)
                await self._write(thing.id, granted, Kind.ISSUE, cause)
                self._associations.end(thing.id)
                self._install(thing.id, granted, fresh=True)
                detail = f"{len(proposal.scope.grants)} resources granted"
            elif holding is not None and holding.suspended:
                lifted = replace(holding, suspended=False)
                await self._write(thing.id, lifted, Kind.ISSUE, cause)
                self._install(thing.id, lifted, fresh=False)
                detail = "suspension lifted"
            else:
                detail = "nothing to grant; the thing has to join"
        return self._receipt(thing, Demand.ADMIT, transition_id, detail)

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """End the live association and suspend the token; the keys stay for the day it is lifted."""
        self._associations.end(thing.id)
        self._proposals.pop(thing.id, None)
        async with self._lock(thing.id):
            holding = self._holdings.get(thing.id)
            if holding is not None and not holding.suspended:
                await self._write(thing.id, replace(holding, suspended=True), Kind.REVOCATION, cause)
        return self._receipt(thing, Demand.RESTRICT, transition_id, "association ended, token suspended")

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """End the live association and forget keys and token."""
        self._associations.end(thing.id)
        self._proposals.pop(thing.id, None)
        async with self._lock(thing.id):
            holding = self._holdings.get(thing.id)
            if holding is not None:
                # From memory only once it is gone from disk: a receipt for less would leave the keys there.
                draft = self._draft(thing.id, Kind.REVOCATION, cause, holding)
                await self._records.write({thing.id: None}, entries=[draft])
                self._recipient_ids.discard(holding.oscore.recipient_id)
                del self._holdings[thing.id]
        return self._receipt(thing, Demand.WITHDRAW, transition_id, "association ended, token and keys erased")

    async def probe(self, thing: Thing) -> Probe:
        """Ask the live endpoint whether a request under the thing's association would verify."""
        live = self._associations.is_live(thing.id)
        standing = Standing.ACCEPTED if live else Standing.REFUSED
        detail = "association live" if live else "unknown kid: 4.01"
        last = self._associations.last_acceptance(thing.id)
        return Probe(self.name, thing.id, standing, "CoAP endpoint", self._clock.utc(), detail, last)

    def expiries(self) -> Sequence[Expiry]:
        """Every token's end."""
        return [
            Expiry("access token", holding.access_token.expires, (thing,), self.name)
            for thing, holding in self._holdings.items()
        ]

    def findings(self, question: str) -> Sequence[Finding]:
        """What this plane shows for `question`."""
        row = _FINDINGS.get(question)
        if row is None:
            return []
        control, risk = row
        live = sum(not holding.suspended for holding in self._holdings.values())
        evidence = f"{live} tokens live, {len(self._holdings) - live} suspended, each with its own keys and scope"
        return [Finding(question, self.name, control, evidence, risk, holds=bool(self._holdings))]

    def snapshot(self) -> Mapping[str, bytes]:
        """Nothing: keys and tokens are live or gone, a restored domain has its things join again."""
        return {}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up a snapshot, which is empty by design.

        Raises:
            StateError: it is not; somebody added associations to a backup.
        """
        if documents:
            raise StateError("a backup must not hold associations")

    def _grant(self, thing: ThingId, proposal: Proposal) -> _Holding:
        at = self._clock.utc().replace(microsecond=0)
        access = self._issue(self._domain, thing, proposal.public, proposal.scope, at)
        granted = self._issue(thing, self._domain, self._holder, proposal.granted, at)
        token_ = self._authenticate(access, proposal.public, at)
        return _Holding(proposal.oscore, token_, granted, reserved=0, suspended=False)

    def _issue(self, audience: str, subject: str, public: PublicKey, scope: Scope, at: datetime) -> bytes:
        return token.issue(
            public,
            self._key,
            issuer=self._domain,
            subject=subject,
            audience=audience,
            scope=scope,
            at=at,
            expires=at + self._validity,
            cti=self._random_bytes(_CTI_SIZE),
            signature_id=AlgorithmId.ESP256,
        )

    def _authenticate(self, encoded: bytes, presenter: PublicKey, at: datetime) -> AccessToken:
        return token.authenticate(
            encoded,
            self._key.public,
            accept=_ACCEPT,
            at=at,
            issuer=self._domain,
            audience=self._domain,
            presenter=presenter,
        )

    def _install(self, thing: ThingId, holding: _Holding, *, fresh: bool) -> None:
        oscore = holding.oscore
        self._associations.install(
            Association(
                thing=thing,
                sender_id=oscore.sender_id,
                recipient_id=oscore.recipient_id,
                id_context=None,
                master_secret=oscore.master_secret,
                master_salt=oscore.master_salt,
                aead=oscore.aead_id,
                hkdf=oscore.digest_id,
                sequence=holding.reserved,
                fresh=fresh,
            )
        )

    async def _write(self, thing: ThingId, holding: _Holding, kind: Kind, cause: str) -> None:
        await self._records.write({thing: self._encode(holding)}, entries=[self._draft(thing, kind, cause, holding)])
        self._hold(thing, holding)

    def _draft(self, thing: ThingId, kind: Kind, cause: str, holding: _Holding) -> Draft:
        return Draft(self._clock.utc(), kind, _ACTOR, thing, cause, {"cti": holding.access_token.cti})

    def _lock(self, thing: ThingId) -> asyncio.Lock:
        """One change of a thing's document at a time: a write that waited must not undo the one before it."""
        return self._locks.setdefault(thing, asyncio.Lock())

    def _hold(self, thing: ThingId, holding: _Holding) -> None:
        before = self._holdings.get(thing)
        if before is not None:
            self._recipient_ids.discard(before.oscore.recipient_id)
        self._holdings[thing] = holding
        self._recipient_ids.add(holding.oscore.recipient_id)

    def _encode(self, holding: _Holding) -> bytes:
        oscore = holding.oscore
        return codec.encode(
            [
                [
                    oscore.master_secret.reveal(),
                    oscore.master_salt,
                    oscore.sender_id,
                    oscore.recipient_id,
                    int(oscore.aead_id),
                    int(oscore.digest_id),
                ],
                cose_key.public_map(holding.access_token.public),
                holding.access_token.encoded,
                holding.granted_token,
                holding.reserved,
                holding.suspended,
            ]
        )

    def _decode(self, document: bytes) -> _Holding:
        match codec.decode(document):
            case [list(oscore), dict(holder), bytes(access), bytes(granted), int(reserved), bool(suspended)]:
                # Its end is looked at on every use; here it only has to be ours, and the holder's.
                issued_at = cwt.decode(access).claims.required_date(Claim.IAT)
                presenter = cose_key.from_map(holder).require_public()
                valid = self._authenticate(access, presenter, issued_at)
                return _Holding(_oscore(oscore), valid, granted, reserved, suspended)
            case _:
                raise DecodeError("expected a record of the access plane")

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)


def _oscore(fields: list[Any]) -> OscoreParameters:
    match fields:
        case [bytes(secret), bytes(salt), bytes(sender_id), bytes(recipient_id), int(aead_id), int(digest_id)]:
            return OscoreParameters(
                Secret(secret), salt, sender_id, recipient_id, AlgorithmId(aead_id), AlgorithmId(digest_id)
            )
        case _:
            raise DecodeError("expected OSCORE parameters in a record of the access plane")


_FINDINGS = {
    "T5": (
        "every request under OSCORE keys of one thing, from an ephemeral exchange",
        "metadata and sizes stay visible",
    ),
    "R-09": ("token, keys and live association of a thing go at once", "answers already on their way arrive"),
    "R-35": ("one AIF scope per token, asked before dispatch, deny by default", "a scope written too wide is obeyed"),
    "C5.3.2": (
        "OSCORE associations are not bound to addresses; from a new one nothing acts before an Echo round trip",
        "what is on its way to the old address is lost",
    ),
}
