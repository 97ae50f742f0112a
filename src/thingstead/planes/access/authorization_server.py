"""The access plane: the token a join ends in, the association it lives on, and the end of both (RFC 9200)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from weakref import WeakValueDictionary

from thingstead.clock import Clock
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt
from thingstead.domain.ports import Archive, Association, SecurityAssociations
from thingstead.domain.thing import Thing
from thingstead.errors import StateError, StorageError
from thingstead.identifier import ThingId, TransitionId, thing_id
from thingstead.planes.access.asset import SIGNED, asset_of, assets_of
from thingstead.planes.access.finding import FINDINGS
from thingstead.planes.access.holding import Holding, decode_holding, encode_holding
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.planes.access.join_tokens import JoinTokens, Proposal
from thingstead.planes.access.relying_party import RelyingParties, probe_of
from thingstead.planes.access.standing import AccessStanding, Standings
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.sealed_token import token_key
from thingstead.secret import Secret

__all__ = ["AuthorizationServer"]

_RENEWAL_SHARE = 8
"""Of its time, the last eighth is there for a thing to join again and have a new token (`agent.membership`)."""
_ACTOR = "plane:access"
_FIRST_THING, _AFTER_THINGS = "thing-", "thing."


class AuthorizationServer:
    """Issues one token per join, installs its association, and takes both back.

    Keys and tokens are on disk, and read there when they are handed out or changed; what a request is judged by is in
    memory.

    Args:
        records: the plane's documents, one per thing; they hold master secrets.
        key: the access plane's own signing key (ESP256).
        associations: the live endpoint.
        tokens: what was issued and may be shown elsewhere, and what of it is revoked.
        parties: the way to those at whom it may be shown.
        domain: issuer of the tokens, and the audience of those that things hold.
        holder: the key that the domain itself proves in handshakes; its own tokens are bound to it.
        clock: for UTC.
        random_bytes: for token identifiers and recipient IDs.
        validity: how long a token holds.
        standings: what each thing may do; its own if they are not another's.
    """

    name = PlaneName.ACCESS

    def __init__(
        self,
        records: Archive,
        key: PrivateKey,
        associations: SecurityAssociations,
        tokens: IssuedTokens,
        parties: RelyingParties,
        *,
        domain: str,
        holder: PublicKey,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        validity: timedelta,
        standings: Standings | None = None,
    ) -> None:
        self._records = records
        self._associations = associations
        self._tokens = tokens
        self._parties = parties
        self._domain = domain
        self._clock = clock
        self._random_bytes = random_bytes
        self._validity = validity
        self._join_tokens = JoinTokens(
            key, domain=domain, holder=holder, clock=clock, random_bytes=random_bytes, validity=validity
        )
        self._proposals: dict[ThingId, Proposal] = {}
        self._standings = standings or Standings(clock)
        self._locks: WeakValueDictionary[ThingId, asyncio.Lock] = WeakValueDictionary()
        for name, document in records.scan(_FIRST_THING, _AFTER_THINGS):
            self._standings.keep(thing_id(name), self._stand(decode_holding(document)))

    def resume(self, admitted: Iterable[ThingId]) -> None:
        """Install what was live before a restart: numbers go on above what was reserved, replay windows start lost.

        Args:
            admitted: whom the states of things let in: a crash may have come between a decision and its withdrawal.
        """
        for thing in admitted:
            standing = self._standings.all.get(thing)
            if standing is not None and not standing.suspended:
                self._install(thing, self._read(thing), fresh=False)

    def allocate_recipient_id(self) -> bytes:
        """A recipient ID that no association of ours has: our C_R in a handshake (RFC 9528 §3.3.3)."""
        return self._standings.free_recipient_id(self._random_bytes)

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
            StorageError: they cannot be read.
        """
        standing = self._standings.all.get(thing)
        if standing is None or standing.suspended:
            raise StateError(f"{thing} holds no access token")
        holding = self._read(thing)
        return holding.access_token, holding.granted_token

    def holder_of(self, thing: ThingId) -> PublicKey:
        """The key that the thing proved when it got its token, suspended or not.

        Raises:
            StateError: the thing holds none.
            StorageError: it cannot be read.
        """
        if thing not in self._standings.all:
            raise StateError(f"{thing} holds no access token")
        return self._read(thing).public

    def token_key_of(self, thing: ThingId) -> Secret:
        """The key of tokens that only this thing can read (RFC 9203 §3.2).

        Raises:
            StateError: the thing holds no token itself.
            StorageError: it cannot be read.
        """
        if thing not in self._standings.all:
            raise StateError(f"{thing} holds no access token")
        oscore = self._read(thing).oscore
        return token_key(oscore.master_secret, master_salt=oscore.master_salt, digest_id=oscore.digest_id)

    @asynccontextmanager
    async def steady(self, *things: ThingId) -> AsyncIterator[None]:
        """None of them is withdrawn or cut off meanwhile: whoever does that later finds what was issued here.

        Raises:
            StateError: one of them was, before.
        """
        async with AsyncExitStack() as stack:
            for thing in sorted(set(things)):
                await stack.enter_async_context(self._lock(thing))
            for thing in things:
                self.tokens_of(thing)
            yield

    def scope_of(self, thing: ThingId) -> Scope | None:
        """What the thing may do now; None when its token has ended, was suspended or never was."""
        return self._standings.scope_of(thing)

    async def reserve(self, thing: ThingId, upto: int) -> None:
        """Make durable that sender sequence numbers below `upto` are spent (RFC 8613 appendix B.1.1)."""
        async with self._lock(thing):
            standing = self._standings.all.get(thing)
            if standing is None or upto <= standing.reserved:
                return
            await self._records.write({thing: encode_holding(replace(self._read(thing), reserved=upto))})
            self._standings.keep(thing, replace(standing, reserved=upto))
            self._associations.sequence_reserved(thing, upto)

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Grant what was proposed, or lift a suspension."""
        async with self._lock(thing.id):
            proposal = self._proposals.pop(thing.id, None)
            standing = self._standings.all.get(thing.id)
            if proposal is not None:
                granted = self._join_tokens.issue(thing.id, proposal)
                await self._write(thing.id, granted, Kind.ISSUE, cause)
                self._associations.end(thing.id)
                self._install(thing.id, granted, fresh=True)
                detail = f"{len(proposal.scope.grants)} resources granted"
            elif standing is not None and standing.suspended:
                lifted = replace(self._read(thing.id), suspended=False)
                await self._write(thing.id, lifted, Kind.ISSUE, cause)
                self._install(thing.id, lifted, fresh=False)
                detail = "suspension lifted"
            else:
                detail = "nothing to grant; the thing has to join"
        return self._receipt(thing, Demand.ADMIT, transition_id, detail)

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """End the live association and suspend the token; the keys stay for the day it is lifted.

        What it has at other things, and they at it, is revoked for good: they learn of no lifting.
        """
        self._associations.end(thing.id)
        self._proposals.pop(thing.id, None)
        async with self._lock(thing.id):
            await self._tokens.revoke_all_of(thing.id)
            standing = self._standings.all.get(thing.id)
            if standing is not None and not standing.suspended:
                await self._write(thing.id, replace(self._read(thing.id), suspended=True), Kind.REVOCATION, cause)
        return self._receipt(thing, Demand.RESTRICT, transition_id, "association ended, token suspended")

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """End the live association and forget keys and token."""
        self._associations.end(thing.id)
        self._proposals.pop(thing.id, None)
        async with self._lock(thing.id):
            standing = self._standings.all.get(thing.id)
            if standing is not None:
                await self._tokens.revoke({**self._own_tokens(thing.id), **dict(self._tokens.of(thing.id))})
                await self._tokens.forget_requester(thing.id)
                # From memory only once it is gone from disk: a receipt for less would leave the keys there.
                draft = self._draft(thing.id, Kind.REVOCATION, cause, standing)
                await self._records.write({thing.id: None}, entries=[draft])
                self._standings.drop(thing.id)
        return self._receipt(thing, Demand.WITHDRAW, transition_id, "association ended, token and keys erased")

    async def probe(self, thing: Thing) -> Probe:
        """Ask the live endpoint whether a request of the thing would verify, and each thing that it has a token for."""
        return await probe_of(
            thing.id,
            self._tokens.of(thing.id),
            self._parties,
            associations=self._associations,
            domain=self._domain,
            utc=self._clock.utc,
        )

    def expiries(self) -> Sequence[Expiry]:
        """Every token's end; a thing that is heard joins again before it."""
        renewed_within = self._validity / _RENEWAL_SHARE
        return [
            Expiry("access token", standing.expires, (thing,), self.name, standing.expires - renewed_within)
            for thing, standing in self._standings.all.items()
        ]

    def assets(self) -> Sequence[CryptoAsset]:
        """The key, both tokens of each thing, its association, and what things have for each other."""
        held = [
            asset
            for name, document in self._records.scan(_FIRST_THING, _AFTER_THINGS)
            for asset in assets_of(thing_id(name), decode_holding(document))
        ]
        shown = [asset_of(one) for one in self._tokens.counting()]
        things = tuple(dict.fromkeys(thing for asset in held for thing in asset.things))
        return [CryptoAsset(AssetKind.KEY, "key of the access plane", SIGNED, things), *held, *shown]

    def findings(self, question: str) -> Sequence[Finding]:
        """What this plane shows for `question`."""
        row = FINDINGS.get(question)
        if row is None:
            return []
        control, risk = row
        live = sum(not standing.suspended for standing in self._standings.all.values())
        evidence = f"{live} tokens live, {len(self._standings.all) - live} suspended, each with its own keys and scope"
        return [Finding(question, self.name, control, evidence, risk, holds=bool(self._standings.all))]

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

    def _own_tokens(self, thing: ThingId) -> dict[bytes, IssuedToken]:
        document = self._records.read(thing)
        return {} if document is None else self._join_tokens.of(thing, decode_holding(document))

    def _stand(self, holding: Holding) -> AccessStanding:
        """Out of a token that is ours and its holder's."""
        valid = self._join_tokens.authenticate(holding)
        oscore = holding.oscore
        return AccessStanding(
            valid.scope, valid.expires, valid.cti, oscore.recipient_id, holding.reserved, holding.suspended
        )

    def _install(self, thing: ThingId, holding: Holding, *, fresh: bool) -> None:
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
                sequence=0 if fresh else holding.reserved,
                fresh=fresh,
            )
        )
        if fresh:
            self._associations.sequence_reserved(thing, holding.reserved)

    async def _write(self, thing: ThingId, holding: Holding, kind: Kind, cause: str) -> None:
        standing = self._stand(holding)
        draft = self._draft(thing, kind, cause, standing)
        await self._records.write({thing: encode_holding(holding)}, entries=[draft])
        self._standings.keep(thing, standing)

    def _draft(self, thing: ThingId, kind: Kind, cause: str, standing: AccessStanding) -> Draft:
        return Draft(self._clock.utc(), kind, _ACTOR, thing, cause, {"cti": standing.cti})

    def _lock(self, thing: ThingId) -> asyncio.Lock:
        """One change of a thing's document at a time: a write that waited must not undo the one before it."""
        return self._locks.setdefault(thing, asyncio.Lock())

    def _read(self, thing: ThingId) -> Holding:
        document = self._records.read(thing)
        if document is None:
            raise StorageError(f"the association of {thing} is gone from disk")
        return decode_holding(document)

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)
