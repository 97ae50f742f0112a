"""The access plane, asked from where requests come in; what it is made of fits where that of one process does.

What is taken back ends here first, whatever becomes of it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.access_engine import PERMITS, TOKENS
from thingstead.controller.remote_plane import RemotePlane
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Draft
from thingstead.domain.peer_policy import PeerDecision
from thingstead.domain.plane import PlaneName, Probe, Receipt
from thingstead.domain.ports import Association, SecurityAssociations, Store
from thingstead.domain.thing import Thing
from thingstead.errors import StateError
from thingstead.identifier import ThingId, TransitionId
from thingstead.planes.access.holding import Holding, encode_holding
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.planes.access.join_tokens import Proposal
from thingstead.planes.access.permits import Permit, Permits
from thingstead.planes.access.relying_party import RelyingParties, probe_of
from thingstead.planes.access.standing import AccessStanding, Standings
from thingstead.protocols.ace import aif, token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.token_endpoint import TokenRequest, TokenResponse
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.maintenance import Task
from thingstead.secret import Secret
from thingstead.transport.engine_socket import EngineSocket, typed

__all__ = ["RemoteAccess", "RemoteIssuer", "RemotePermits", "RemoteTokens"]

_Standing = tuple[ThingId, bytes, datetime, bytes, bytes, int, bool]
_Association = tuple[ThingId, bytes, bytes, bytes | None, bytes, bytes, int, int, int, bool]
_Documents = tuple[str, dict[str, bytes | None]]


class RemoteAccess(RemotePlane):
    """Fits where an `AuthorizationServer` does.

    Args:
        engine: where it is.
        associations: the live endpoint.
        parties: asks things whom they accept.
        store: with the ledger.
        domain: issuer of the tokens.
        clock: for UTC.
        random_bytes: for recipient IDs.

    Attributes:
        follow: by window of the documents, who takes up what was written.
    """

    def __init__(
        self,
        engine: EngineSocket,
        associations: SecurityAssociations,
        parties: RelyingParties,
        *,
        store: Store,
        domain: str,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        super().__init__(PlaneName.ACCESS, engine, store=store, standing=tuple)
        self._associations = associations
        self._parties = parties
        self._domain = domain
        self._clock = clock
        self._random_bytes = random_bytes
        self._standings = Standings(clock)
        self._proposals: dict[ThingId, Proposal] = {}
        self.scope_of: Callable[[ThingId], Scope | None] = self._standings.scope_of
        self.tokens = RemoteTokens(self, clock=clock)
        self.follow: dict[str, Callable[[Mapping[str, bytes | None]], None]] = {TOKENS: self.tokens.follow}

    def resume(self, admitted: Iterable[ThingId]) -> None:
        """Install what was live before a restart."""
        self.ask_now(None, "resume", list(admitted))

    def allocate_recipient_id(self) -> bytes:
        """A recipient ID that no association of ours has."""
        return self._standings.free_recipient_id(self._random_bytes)

    def propose(self, thing: ThingId, proposal: Proposal) -> None:
        """Note what the next `admit` of `thing` grants; nothing is granted yet."""
        self._proposals[thing] = proposal

    def retract(self, thing: ThingId) -> None:
        """Forget such a note: the join that it came from is over."""
        self._proposals.pop(thing, None)

    def tokens_of(self, thing: ThingId) -> tuple[bytes, bytes]:
        """The thing's token and the domain's own for the thing, as issued; errors as of the authorization server."""
        found: tuple[bytes, bytes] = self.ask_now(tuple[bytes, bytes], "tokens_of", thing)
        return found

    def holder_of(self, thing: ThingId) -> PublicKey:
        """The key that the thing proved when it got its token; errors as of the authorization server."""
        return cose_key.from_map(codec.decode(self.ask_now(bytes, "holder_of", thing))).require_public()

    async def reserve(self, thing: ThingId, upto: int) -> None:
        """Make durable that sender sequence numbers below `upto` are spent (RFC 8613 appendix B.1.1)."""
        await self.ask(None, "reserve", thing, upto)
        self._associations.sequence_reserved(thing, upto)

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Have granted what was proposed, or a suspension lifted."""
        proposal = self._proposals.pop(thing.id, None)
        if proposal is None:
            return await super().admit(thing, cause=cause, transition_id=transition_id)
        proven = encode_holding(Holding(proposal.oscore, proposal.public, b"", b"", reserved=0, suspended=False))
        scopes = aif.encode(proposal.scope), aif.encode(proposal.granted)
        receipt: Receipt = await self.ask(Receipt, "grant", thing, proven, *scopes, cause, transition_id)
        return receipt

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """End the live association here, and have the token suspended."""
        self._take_back(thing.id)
        return await super().restrict(thing, cause=cause, transition_id=transition_id)

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """End the live association here, and have keys and token forgotten."""
        self._take_back(thing.id)
        return await super().withdraw(thing, cause=cause, transition_id=transition_id)

    async def probe(self, thing: Thing) -> Probe:
        """Ask the live endpoint, and each thing that it has a token for."""
        return await probe_of(
            thing.id,
            self.tokens.of(thing.id),
            self._parties,
            associations=self._associations,
            domain=self._domain,
            utc=self._clock.utc,
        )

    def told(self, name: str, values: Sequence[Any]) -> None:
        """What is done there, followed here."""
        match name:
            case "standing":
                thing, scope, *rest = typed(list(values), _Standing)
                self._standings.keep(thing, AccessStanding(aif.decode(scope), *rest))
            case "gone":
                self._standings.drop(typed(list(values), tuple[ThingId])[0])
            case "install":
                self._associations.install(_association(typed(list(values), _Association)))
            case "end":
                self._associations.end(typed(list(values), tuple[ThingId])[0])
            case "documents":
                window, changes = typed(list(values), _Documents)
                self.follow.get(window, _nobody)(changes)
            case _:
                super().told(name, values)

    def _take_back(self, thing: ThingId) -> None:
        self._associations.end(thing)
        self._proposals.pop(thing, None)
        self._standings.suspend(thing)


class _Elsewhere:
    """Documents that another process has."""

    def load(self) -> Mapping[str, bytes]:
        """They are told."""
        return {}

    async def write(self, changes: Mapping[str, bytes | None], *, entries: Sequence[Draft] = ()) -> None:
        """Nobody writes here."""
        raise StateError(f"{len(changes)} documents and {len(entries)} entries are the access plane's to write")


class RemoteTokens(IssuedTokens):
    """The issued tokens, read here and changed there."""

    def __init__(self, access: RemotePlane, *, clock: Clock) -> None:
        super().__init__(_Elsewhere(), clock=clock)
        self._access = access

    async def revoke(self, tokens: Mapping[bytes, IssuedToken], *, entries: Sequence[Draft] = ()) -> int:
        """Revoke these tokens; returns how many counted until now."""
        leaves = [leaf.encode(one.numbered(0)) for one in entries]
        revoked: int = await self._access.ask(int, "revoke", list(tokens.items()), leaves, urgent=True)
        return revoked

    async def tidy(self) -> None:
        """Have forgotten what has expired."""
        await self._access.ask(None, "tidy")


class RemoteIssuer:
    """Tokens of things for each other; fits where a `TokenIssuer` does."""

    def __init__(self, access: RemotePlane) -> None:
        self._access = access

    async def issue(
        self, client: ThingId, server: ThingId, asked: TokenRequest, decision: PeerDecision
    ) -> TokenResponse:
        """Have issued what was decided; errors as of a `TokenIssuer`."""
        scope, about = aif.encode(decision.scope), (decision.lifetime, decision.profile, decision.has_clock)
        answer = await self._access.ask(bytes, "token", client, server, asked.encode(), decision.rule, scope, *about)
        return TokenResponse.decode(answer)

    def introspect(self, requester: ThingId, payload: bytes) -> bytes:
        """Whether a token counts; errors as of a `TokenIssuer`."""
        answer: bytes = self._access.ask_now(bytes, "introspect", requester, payload)
        return answer


class RemotePermits(Permits):
    """The permits of people, read here and changed there."""

    def __init__(self, access: RemoteAccess, key: PrivateKey, *, clock: Clock) -> None:
        super().__init__(access.tokens, _Elsewhere(), key, domain="", clock=clock, random_bytes=bytes)
        self._access = access
        access.follow[PERMITS] = self.follow

    async def issue(
        self, holder: str, public: PublicKey, thing: ThingId, *, tasks: Iterable[Task], lifetime: timedelta, by: str
    ) -> tuple[bytes, Permit]:
        """A token for one thing, and what is known of it."""
        key = codec.encode(cose_key.public_map(public))
        encoded: bytes = await self._access.ask(bytes, "permit", holder, key, thing, list(tasks), lifetime, by)
        return encoded, self._known[token.token_hash(encoded)]

    async def withdraw(self, holder: str, *, by: str) -> int:
        """Take back everything that somebody holds; returns how many permits that was."""
        taken: int = await self._access.ask(int, "withdraw_permits", holder, by, urgent=True)
        return taken


def _association(values: _Association) -> Association:
    thing, sender_id, recipient_id, id_context, secret, salt, aead, hkdf, sequence, fresh = values
    return Association(
        thing=thing,
        sender_id=sender_id,
        recipient_id=recipient_id,
        id_context=id_context,
        master_secret=Secret(secret),
        master_salt=salt,
        aead=AlgorithmId(aead),
        hkdf=AlgorithmId(hkdf),
        sequence=sequence,
        fresh=fresh,
    )


def _nobody(_changes: Mapping[str, bytes | None]) -> None:
    """A window that nobody here looks through."""
