"""The sessions of a thing as resource server: each lives under one token, and ends with it.

By whichever way a client came, it has one session: a newer takes the place of the older one (RFC 9200 §5.10.1). That of
a client that showed a token in clear takes it only when a request under the new keys has verified: a token that
somebody recorded and shows again opens nothing, and ends nothing (RFC 9203 §6).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from thingstead.agent.group_membership import REACHABLE
from thingstead.agent.story import Story, Wait
from thingstead.agent.token_judge import JudgedToken
from thingstead.crypto.key import PublicKey
from thingstead.endpoint.association import Association
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import Address, AssociationId
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.profile import maintenance
from thingstead.protocols.profile.maintenance import MAINTAINER, Task

__all__ = ["MAINTAINABLE", "PEER_PREFIX", "PEER_STORY", "Session", "SessionTable"]

_LOGGER = logging.getLogger(__name__)

PEER_PREFIX = "peer-"
PEER_STORY = "peers"
MAINTAINABLE = maintenance.rights(Task)
"""All that a person's token lets them ask of a thing, whatever else it says."""

_SHOWN_PREFIX = "shown-"
_MAX_SESSIONS = 32
_MAX_UNPROVEN = 16
_MAX_REMEMBERED = 64
_FOREVER = 86400.0


@dataclass(frozen=True, slots=True)
class Session:
    """What a client may do, under which token, until when.

    Attributes:
        association: keys that it is known by.
        client: the other thing's name.
        token_hash: of the token.
        scope: what it allows, within what is not the domain's alone.
        ends: when it ends by the thing's own time.
        series: which tokens may take its place under the same keys; empty for none.
        public: the key that the client has proven; None where a shared secret stands for it.
    """

    association: AssociationId
    client: str
    token_hash: bytes
    scope: Scope
    ends: datetime
    series: bytes
    public: PublicKey | None


@dataclass(frozen=True, slots=True)
class _Unproven:
    """A session of which nobody has shown the keys; by our identifier in its context."""

    c_r: bytes
    session: Session


class SessionTable:
    """All of them, within bounds.

    Args:
        endpoint: where associations become live.
        utc: the thing's own time.
        now: monotonic seconds.
        wake: lets the story look again when something ends earlier than it knew.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        utc: Callable[[], datetime],
        now: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self._endpoint = endpoint
        self._now = now
        self._utc = utc
        self._wake = wake
        self._sessions: dict[str, Session] = {}
        self._by_association: dict[AssociationId, Session] = {}
        self._unproven = PendingSessions[_Unproven](limit=_MAX_UNPROVEN)
        self._waiting: dict[AssociationId, bytes] = {}
        self._accepted: dict[bytes, datetime] = {}
        self._count = 0

    def begin(self, judged: JudgedToken, context: SecurityContext, address: Address) -> None:
        """Begin the session of a client that has proven the key of its token."""
        session = _session(judged, AssociationId(PEER_PREFIX + judged.rights.subject), series=judged.rights.series)
        self._admit(session)
        self._endpoint.install(Association(session.association, context, peer=session.client, address=address))

    def await_proof(self, judged: JudgedToken, context: SecurityContext, source: Address, *, series: bytes) -> None:
        """Keep a session whose client has yet to show that it has the secret of its token.

        Where it receives is not known either: the address is taken from what verifies.
        """
        self._count += 1
        session = _session(judged, AssociationId(f"{_SHOWN_PREFIX}{self._count}"), series=series)
        self._unproven.add(_Unproven(context.recipient.id, session), source=source, now=self._now())
        self._waiting[session.association] = context.recipient.id
        self._endpoint.install(Association(session.association, context, peer=session.client))
        self._forget_unproven()

    def is_crowded(self) -> bool:
        """Whether sources should show themselves before one more waits for its proof."""
        return self._unproven.is_crowded(self._now())

    def is_taken(self, recipient_id: bytes) -> bool:
        """Whether an identifier of ours names a context already."""
        found = (self._endpoint.association(name) for name in (*self._by_association, *self._waiting))
        return any(one is not None and one.context.recipient.id == recipient_id for one in found)

    def find(self, association: AssociationId | None) -> Session | None:
        """The session that a request which has verified came under; the first one under new keys is their proof."""
        if association is None:
            return None
        if association in self._waiting:
            self._prove(association)
        session = self._by_association.get(association)
        if session is None or session.ends <= self._utc():
            return None
        return session

    def note_acceptance(self, session: Session) -> None:
        """Remember when a token last opened something, for who asks after it is revoked."""
        self._accepted[session.token_hash] = self._utc()

    def last_acceptance(self, hashes: Collection[bytes]) -> datetime | None:
        """When one of these tokens last did."""
        return max([self._accepted[one] for one in hashes if one in self._accepted], default=None)

    def update(self, session: Session, judged: JudgedToken) -> None:
        """Let another token take the place of a session's, under the same keys (RFC 9203 §4.2)."""
        rights = judged.rights
        fresh = replace(_session(judged, session.association, series=session.series), public=session.public)
        self._sessions[session.client] = self._by_association[session.association] = fresh
        if session.scope.narrow(rights.scope) != session.scope:
            self._endpoint.dismiss(session.association, Message(Code.UNAUTHORIZED), self._now())
        self._remember()
        self._wake()

    def holder(self, client: str) -> PublicKey | None:
        """The key that a client has proven; None for one without a session, or with a secret in place of a key."""
        session = self._sessions.get(client)
        return None if session is None else session.public

    def ends(self) -> dict[str, datetime]:
        """When each client's session ends."""
        return {client: session.ends for client, session in sorted(self._sessions.items())}

    def end(self, hashes: Collection[bytes]) -> None:
        """End the sessions under these tokens at once, with what is under way in them."""
        for session in list(self._sessions.values()):
            if session.token_hash in hashes:
                _LOGGER.info("the token of %s was revoked", session.client)
                self._end(session)
        self._forget_unproven()
        for association, recipient_id in list(self._waiting.items()):
            if self._unproven.find(recipient_id, now=0.0).session.token_hash in hashes:
                self._unproven.discard(recipient_id)
                self._drop(association)

    def end_worn(self, association: AssociationId) -> None:
        """End a session whose keys come near their limits (RFC 9203 §6); its client comes again."""
        if (session := self._by_association.get(association)) is not None:
            self._end(session)

    def clear(self) -> None:
        """End all of them, and forget who was accepted."""
        for session in list(self._sessions.values()):
            self._end(session)
        for association, recipient_id in list(self._waiting.items()):
            self._unproven.discard(recipient_id)
            self._drop(association)
        self._accepted.clear()

    def story(self) -> Story:
        """End each session with its token, observations too."""
        while True:
            now = self._utc()
            for session in list(self._sessions.values()):
                if session.ends <= now:
                    self._end(session)
            left = [(session.ends - now).total_seconds() for session in self._sessions.values()]
            yield Wait(min([*left, _FOREVER]), PEER_STORY)

    def _prove(self, association: AssociationId) -> None:
        now = self._now()
        self._unproven.expire(now)
        recipient_id = self._waiting.pop(association)
        if recipient_id not in self._unproven:
            self._endpoint.end(association)
            return
        session = self._unproven.find(recipient_id, now=now).session
        self._unproven.discard(recipient_id)
        self._admit(session)

    def _admit(self, session: Session) -> None:
        """Take the place of the session that the client had; the first to end makes room for one more client."""
        before = self._sessions.get(session.client)
        if before is None and len(self._sessions) >= _MAX_SESSIONS:
            before = min(self._sessions.values(), key=lambda one: one.ends)
        if before is not None:
            self._end(before)
        self._sessions[session.client] = self._by_association[session.association] = session
        self._remember()
        self._wake()

    def _remember(self) -> None:
        # What a token was accepted for is told after its session ends, so it outlives that, within bounds.
        while len(self._accepted) >= _MAX_REMEMBERED:
            del self._accepted[next(iter(self._accepted))]

    def _end(self, session: Session) -> None:
        """End a session; who observes something by it is told so first (RFC 9200 §5.10.3)."""
        self._endpoint.dismiss(session.association, Message(Code.UNAUTHORIZED), self._now())
        self._endpoint.end(session.association)
        self._by_association.pop(session.association, None)
        if self._sessions.get(session.client) is session:
            del self._sessions[session.client]

    def _forget_unproven(self) -> None:
        """Drop the contexts of those that made room, or were never proven."""
        for association, recipient_id in list(self._waiting.items()):
            if recipient_id not in self._unproven:
                self._drop(association)

    def _drop(self, association: AssociationId) -> None:
        del self._waiting[association]
        self._endpoint.end(association)


def _session(judged: JudgedToken, association: AssociationId, *, series: bytes) -> Session:
    rights = judged.rights
    return Session(
        association=association,
        client=rights.subject,
        token_hash=judged.token_hash,
        scope=rights.scope.narrow(MAINTAINABLE if rights.subject.startswith(MAINTAINER) else REACHABLE),
        ends=judged.ends,
        series=series,
        public=None if rights.proof.key is None else rights.proof.require_public(),
    )
