"""The access plane as a process of its own: tokens are issued and taken back there (ADR 0027).

What requests are judged by, and the live associations, are where requests come in: they follow what is done here. Keys
of associations are kept here, and go there once, to be installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from thingstead.clock import Clock
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Draft
from thingstead.domain.peer_policy import PeerDecision, PeerProfile
from thingstead.domain.plane import Receipt
from thingstead.domain.ports import Archive, Association, Records
from thingstead.domain.thing import Thing
from thingstead.identifier import ThingId, TransitionId
from thingstead.planes.access.authorization_server import AuthorizationServer
from thingstead.planes.access.holding import decode_holding
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.planes.access.join_tokens import Proposal
from thingstead.planes.access.permits import Permits
from thingstead.planes.access.standing import AccessStanding, Standings
from thingstead.planes.access.token_issuer import TokenIssuer
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.token_endpoint import TokenRequest
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.maintenance import Task

__all__ = [
    "ACCESS_CALLS",
    "PERMITS",
    "TOKENS",
    "AccessEngine",
    "AccessParts",
    "ToldAssociations",
    "ToldRecords",
    "ToldStandings",
]

ACCESS_CALLS = (
    *("resume", "grant", "reserve", "tokens_of", "holder_of"),
    *("revoke", "tidy", "token", "introspect", "permit", "withdraw_permits"),
)
"""What the access plane is asked beside what each is."""

TOKENS, PERMITS = "trl/", "permit/"
"""Windows on the plane's documents that are read where requests come in, too; no key is in them."""

Tell = Callable[..., None]


class ToldStandings(Standings):
    """Standings where the engine is, and what it has for those where requests come in."""

    def __init__(self, clock: Clock, tell: Tell) -> None:
        super().__init__(clock)
        self._tell = tell

    def keep(self, thing: ThingId, standing: AccessStanding) -> None:
        """Here and there."""
        super().keep(thing, standing)
        self.tell(thing)

    def drop(self, thing: ThingId) -> None:
        """Here and there."""
        super().drop(thing)
        self._tell("gone", thing)

    def tell(self, thing: ThingId) -> None:
        """How a thing stands."""
        one = self.all[thing]
        scope = aif.encode(one.scope)
        self._tell("standing", thing, scope, one.expires, one.cti, one.recipient_id, one.reserved, one.suspended)


class ToldAssociations:
    """The live endpoint, which is not here; whether anything is live, it is not asked here."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def install(self, association: Association) -> None:
        """There."""
        one = association
        names = one.thing, one.sender_id, one.recipient_id, one.id_context
        keys = one.master_secret.reveal(), one.master_salt, int(one.aead), int(one.hkdf)
        self._tell("install", *names, *keys, one.sequence, one.fresh)

    def end(self, thing: ThingId) -> int:
        """There."""
        self._tell("end", thing)
        return 0

    def sequence_reserved(self, _thing: ThingId, _upto: int) -> None:
        """Whoever asked for it knows by the answer."""

    def is_live(self, _thing: ThingId) -> bool:
        """Nobody knows here."""
        return False

    def last_acceptance(self, _thing: ThingId) -> datetime | None:
        """Nobody knows here."""
        return None


class ToldRecords:
    """A window on documents that are read where requests come in, too.

    Args:
        records: the plane's own.
        window: its name.
        tell: goes there.
    """

    def __init__(self, records: Archive, window: str, tell: Tell) -> None:
        self._records = records
        self._window = window
        self._tell = tell

    def load(self) -> Mapping[str, bytes]:
        """As they stand."""
        return self._records.load()

    async def write(self, changes: Mapping[str, bytes | None], *, entries: Sequence[Draft] = ()) -> None:
        """Here, then there."""
        await self._records.write(changes, entries=entries)
        self._tell("documents", self._window, dict(changes))


@dataclass(frozen=True, slots=True)
class AccessParts:
    """The engine of the access plane.

    Attributes:
        server: joins.
        tokens: what was issued, and what is revoked.
        issuer: tokens of things for each other.
        permits: tokens of people for things.
        standings: what each thing may do.
        windows: documents that are read elsewhere, too.
    """

    server: AuthorizationServer
    tokens: IssuedTokens
    issuer: TokenIssuer
    permits: Permits
    standings: ToldStandings
    windows: Mapping[str, Records]


class AccessEngine:
    """The authorization server and what belongs to it, in the process that has the key.

    Args:
        make: puts it together.
        tell: goes where requests come in.
    """

    def __init__(self, make: Callable[[], AccessParts], tell: Tell) -> None:
        self._make = make
        self._tell = tell

    @property
    def plane(self) -> AuthorizationServer:
        """The authorization server."""
        return self._parts.server

    async def begin(self) -> None:
        """Read what was issued, and tell of it; nothing is installed by that."""
        if not hasattr(self, "_parts"):
            self._parts = self._make()
        for thing in self._parts.standings.all:
            self._parts.standings.tell(thing)
        for window, records in self._parts.windows.items():
            self._tell("documents", window, dict(records.load()))

    def resume(self, admitted: tuple[ThingId, ...]) -> None:
        """Install what was live before the controller was started again."""
        self.plane.resume(admitted)

    async def grant(
        self, thing: Thing, holding: bytes, scope: bytes, granted: bytes, cause: str, transition_id: TransitionId
    ) -> Receipt:
        """Admit a thing that has just joined, with what the handshake and the decision came to."""
        proven = decode_holding(holding)
        proposal = Proposal(proven.public, proven.oscore, aif.decode(scope), aif.decode(granted))
        self.plane.propose(thing.id, proposal)
        return await self.plane.admit(thing, cause=cause, transition_id=transition_id)

    async def reserve(self, thing: ThingId, upto: int) -> None:
        """Make durable that sender sequence numbers below `upto` are spent."""
        await self.plane.reserve(thing, upto)

    def tokens_of(self, thing: ThingId) -> tuple[bytes, bytes]:
        """The two tokens of a join."""
        return self.plane.tokens_of(thing)

    def holder_of(self, thing: ThingId) -> bytes:
        """The key that the thing proved."""
        return codec.encode(cose_key.public_map(self.plane.holder_of(thing)))

    async def revoke(self, tokens: tuple[tuple[bytes, IssuedToken], ...], entries: tuple[bytes, ...]) -> int:
        """Take tokens back."""
        return await self._parts.tokens.revoke(dict(tokens), entries=[_draft(one) for one in entries])

    async def tidy(self) -> None:
        """Forget what has expired."""
        await self._parts.tokens.tidy()

    async def token(
        self,
        client: ThingId,
        server: ThingId,
        asked: bytes,
        rule: str,
        scope: bytes,
        lifetime: timedelta,
        profile: PeerProfile,
        has_clock: bool,
    ) -> bytes:
        """A token of a thing for another, as it is answered."""
        decision = PeerDecision(rule, aif.decode(scope), lifetime, profile, has_clock)
        return (await self._parts.issuer.issue(client, server, TokenRequest.decode(asked), decision)).encode()

    def introspect(self, requester: ThingId, payload: bytes) -> bytes:
        """Whether a token counts."""
        return self._parts.issuer.introspect(requester, payload)

    async def permit(
        self, holder: str, public: bytes, thing: ThingId, tasks: tuple[Task, ...], lifetime: timedelta, by: str
    ) -> bytes:
        """A token of a person for a thing."""
        key = cose_key.from_map(codec.decode(public)).require_public()
        return (await self._parts.permits.issue(holder, key, thing, tasks=tasks, lifetime=lifetime, by=by))[0]

    async def withdraw_permits(self, holder: str, by: str) -> int:
        """Take back everything that a person holds."""
        return await self._parts.permits.withdraw(holder, by=by)


def _draft(one: bytes) -> Draft:
    read = leaf.decode(one)
    return Draft(read.at, read.kind, read.actor, read.thing, read.cause, read.details)
