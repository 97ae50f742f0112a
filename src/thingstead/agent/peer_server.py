"""A thing as resource server for others of its domain: who shows a token that holds may do what it says, until it ends.

::

    client                                             this thing
      | message_1 ---------------------------------------> |  half-open, bounded per source and in all
      | <----------------------------------------message_2 |
      | message_3 {access token in EAD_3} ---------------> |  issuer, audience, time, revocation; the key is proven
      | <----------------------------------------message_4 |
      | requests under OSCORE ---------------------------> |  each within the token's scope

(draft-ietf-ace-edhoc-oscore-profile-11; RFC 9200 §5.10.) The domain need not be reachable. A session lives in memory
alone: after a restart the client shows its token again, and no number under any key can come twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from datetime import datetime

from thingstead.agent.group_membership import REACHABLE
from thingstead.agent.membership import Member
from thingstead.agent.revocation import Revocations
from thingstead.agent.story import Story, Wait
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey, generate
from thingstead.endpoint.association import Association
from thingstead.endpoint.derivation import context_of
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, RequestReceived
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import StateError, ThingsteadError, UntrustedError
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.token import AccessToken
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.cwt import ccs, confirmation
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc import error as edhoc_error
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.edhoc.responder import Responder, WaitingForMessage3
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.profile import join, maintenance, path, peer
from thingstead.protocols.profile.maintenance import MAINTAINER, Task
from thingstead.protocols.profile.standing import MemberStanding

__all__ = ["PEER_PREFIX", "PEER_STORY", "PeerServer"]

_LOGGER = logging.getLogger(__name__)

PEER_PREFIX = "peer-"
PEER_STORY = "peers"
MAINTAINABLE = maintenance.rights(Task)
"""All that a person's token lets them ask of a thing, whatever else it says."""

_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_EDHOC_FORMAT = (int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.EDHOC_CBOR_SEQ))
_MAX_SESSIONS = 32
_MAX_HALF_OPEN = 16
_MAX_REMEMBERED = 64
_ID_SIZE = 2
_FOREVER = 86400.0


@dataclass(frozen=True, slots=True)
class _Domain:
    """What a member knows that tokens are judged by."""

    name: str
    issuer: PublicKey
    thing_id: str
    credential: Credential


@dataclass(frozen=True, slots=True)
class _Session:
    public: PublicKey
    token_hash: bytes
    scope: Scope
    expires: datetime


class PeerServer:
    """The sessions of one thing as resource server.

    Args:
        endpoint: where associations become live.
        revocations: tokens that count no more.
        utc: the thing's clock.
        random_bytes: for connection identifiers.
        wake: lets the story look again when something ends earlier than it knew.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        revocations: Revocations,
        *,
        utc: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        wake: Callable[[], None],
    ) -> None:
        self._endpoint = endpoint
        self._revocations = revocations
        self._utc = utc
        self._random_bytes = random_bytes
        self._wake = wake
        self._resources: Resources | None = None
        self._key: PrivateKey | None = None
        self._domain: _Domain | None = None
        self._sessions: dict[str, _Session] = {}
        self._accepted: dict[bytes, datetime] = {}
        self._pending = PendingSessions[WaitingForMessage3](limit=_MAX_HALF_OPEN)
        self._responder = Responder(
            methods=frozenset({join.METHOD}), suites=join.SUITES, ephemeral=generate, ead_labels=peer.EAD_LABELS
        )

    def entitle(self, member: Member, key: PrivateKey) -> None:
        """Serve those whom this thing's domain lets; sessions go on where the domain is the same."""
        if self._domain is not None and self._domain.name != member.domain:
            self.leave()
        self._key = key
        self._domain = _Domain(
            member.domain,
            ccs.decode(member.association.issuer_credential).public,
            member.thing_id,
            peer.credential(key.public, member.thing_id),
        )

    def leave(self) -> None:
        """Serve nobody any more."""
        self._domain = None
        for client in list(self._sessions):
            self._end(client)
        self._accepted.clear()

    def serve(self, resources: Resources) -> None:
        """Register the EDHOC resource, which answers strangers too: that is where they show themselves."""
        self._resources = resources
        resources.register(path.EDHOC, Code.POST, self._on_edhoc, public=True)

    def grant(self, event: RequestReceived) -> tuple[Hashable, Scope] | None:
        """Who sent a request under a session, and what its token lets it do."""
        name = event.association or ""
        session = self._sessions.get(name.removeprefix(PEER_PREFIX)) if name.startswith(PEER_PREFIX) else None
        now = self._utc()
        if session is None or session.expires <= now:
            return None
        self._accepted[session.token_hash] = now
        return event.association, session.scope

    def holder(self, association: object) -> PublicKey:
        """The key of whoever speaks under a session.

        Raises:
            UntrustedError: it is none of ours.
        """
        session = self._sessions.get(str(association).removeprefix(PEER_PREFIX))
        if session is None:
            raise UntrustedError("expected a session of somebody who showed a token")
        return session.public

    def sessions(self) -> dict[str, datetime]:
        """When each client's session ends."""
        return {client: session.expires for client, session in sorted(self._sessions.items())}

    def standing(self, hashes: Collection[bytes]) -> MemberStanding:
        """Whether who holds these tokens would be accepted, and when one of them last was."""
        seen = [self._accepted[one] for one in hashes if one in self._accepted]
        accepts = any(one not in self._revocations for one in hashes)
        return MemberStanding(accepts, num=0, last_acceptance=max(seen, default=None))

    def end(self, hashes: Collection[bytes]) -> None:
        """End the sessions under these tokens at once, with what is under way in them."""
        for client, session in list(self._sessions.items()):
            if session.token_hash in hashes:
                _LOGGER.info("the token of %s was revoked", client)
                self._end(client)

    def story(self) -> Story:
        """End each session with its token, observations too."""
        while True:
            now = self._utc()
            for client, session in list(self._sessions.items()):
                if session.expires <= now:
                    self._end(client)
            left = [(session.expires - now).total_seconds() for session in self._sessions.values()]
            yield Wait(min([*left, _FOREVER]), PEER_STORY)

    # --- the handshake

    def _on_edhoc(self, call: Call) -> Message | None:
        payload, source = call.request.payload, call.event.source
        try:
            c_r, message = coap_carriage.parse_request(payload)
            if not call.event.is_fresh:
                reachable = self._pending.is_from(c_r, source) if c_r is not None else True
                if not reachable or (c_r is None and self._pending.is_crowded(call.now)):
                    self._endpoint.challenge(call.event.exchange, call.now)
                    return None
                self._endpoint.vouch(call.event.exchange)
            answer = self._on_message_1(message, call) if c_r is None else self._on_message_3(c_r, message, call)
        except ThingsteadError as error:
            return self._refuse(call, error)
        return Message(Code.CHANGED, options=[_EDHOC_FORMAT], payload=answer)

    def _refuse(self, call: Call, error: ThingsteadError) -> Message:
        assert self._resources is not None
        refusal, body = self._resources.refuse(call.event, None, error), edhoc_error.answer(error)
        return refusal if body is None else coap_carriage.frame_error(body, refusal.code)

    def _on_message_1(self, message_1: bytes, call: Call) -> bytes:
        domain, key = self._require_domain()
        received = self._responder.receive(message_1)
        c_r = self._fresh_identifier(received.c_i)
        message_2, waiting = received.message_2(connection_id=c_r, credential=domain.credential, key=key)
        self._pending.add(waiting, source=call.event.source, now=call.now)
        return message_2

    def _on_message_3(self, c_r: bytes, message_3: bytes, call: Call) -> bytes:
        """Judge the token and have its holder proven; what does not decrypt leaves the handshake open."""
        received = self._pending.find(c_r, now=call.now).receive(message_3)
        self._pending.discard(c_r)
        shown = self._judge(peer.decode_token(received.ead_3))
        authenticated = received.authenticate(peer.credential(shown.public, shown.subject))
        oscore = authenticated.oscore()
        message_4, _ = authenticated.message_4()
        self._begin(shown, oscore, call)
        return message_4

    def _judge(self, encoded: bytes) -> AccessToken:
        """A token of our domain's authorization server, for us, that counts now (RFC 9200 §5.10.1.1).

        Its key is proven by the handshake that it came in, which fails for anybody else.
        """
        domain, _ = self._require_domain()
        valid = token.authenticate(
            encoded,
            domain.issuer,
            accept=_ACCEPT,
            at=self._utc(),
            issuer=domain.name,
            audience=domain.thing_id,
            presenter=confirmation.decode(cwt.decode(encoded).claims.required(Claim.CNF)).require_public(),
        )
        if token.token_hash(encoded) in self._revocations:
            raise UntrustedError("the token was revoked", spec="RFC 9770 §11.1", reason="revoked")
        return valid

    def _begin(self, shown: AccessToken, oscore: OscoreParameters, call: Call) -> None:
        """Install a session; the one that the client had before is replaced, rights and all (RFC 9200 §5.10.1)."""
        if shown.subject not in self._sessions and len(self._sessions) >= _MAX_SESSIONS:
            self._end(min(self._sessions, key=lambda client: self._sessions[client].expires))
        # What they were accepted for is told after they end, so it outlives them, within bounds.
        while len(self._accepted) >= _MAX_REMEMBERED:
            del self._accepted[next(iter(self._accepted))]
        limit = MAINTAINABLE if shown.subject.startswith(MAINTAINER) else REACHABLE
        name = AssociationId(PEER_PREFIX + shown.subject)
        self._endpoint.install(Association(name, context_of(oscore), peer=shown.subject, address=call.event.source))
        self._sessions[shown.subject] = _Session(
            shown.public, token.token_hash(shown.encoded), shown.scope.narrow(limit), shown.expires
        )
        self._wake()

    def _end(self, client: str) -> None:
        self._endpoint.end(AssociationId(PEER_PREFIX + client))
        self._sessions.pop(client, None)

    def _require_domain(self) -> tuple[_Domain, PrivateKey]:
        if self._domain is None or self._key is None:
            raise StateError("this thing is in no domain")
        return self._domain, self._key

    def _fresh_identifier(self, c_i: bytes) -> bytes:
        while (candidate := self._random_bytes(_ID_SIZE)) in self._pending or candidate == c_i:
            pass
        return candidate
