"""A thing as resource server for others of its domain: who shows a token that holds may do what it says, until it ends.

::

    client                                             this thing
      | message_1 ---------------------------------------> |  half-open, bounded per source and in all
      | <----------------------------------------message_2 |
      | message_3 {access token in EAD_3} ---------------> |  issuer, audience, time, revocation; the key is proven
      | <----------------------------------------message_4 |
      | requests under OSCORE ---------------------------> |  each within the token's scope

(draft-ietf-ace-edhoc-oscore-profile-11; RFC 9200 §5.10; who comes by RFC 9203: `authz_info`.) The domain need not be
reachable. A session lives in memory alone: after a restart the client shows its token again, and no number under any
key can come twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from datetime import datetime

from thingstead.agent.authz_info import AuthzInfo
from thingstead.agent.membership import Member
from thingstead.agent.revocation import Revocations
from thingstead.agent.session_table import PEER_PREFIX, SessionTable
from thingstead.agent.story import Story
from thingstead.agent.token_judge import TokenJudge
from thingstead.crypto.key import PrivateKey, PublicKey, generate
from thingstead.endpoint.derivation import context_of
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, RequestReceived
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import StateError, ThingsteadError, UntrustedError
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc import error as edhoc_error
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.edhoc.responder import Responder, WaitingForMessage3
from thingstead.protocols.profile import join, path, peer
from thingstead.protocols.profile.standing import MemberStanding

__all__ = ["PeerServer"]

_EDHOC_FORMAT = (int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.EDHOC_CBOR_SEQ))
_MAX_HALF_OPEN = 16
_ID_SIZE = 2


@dataclass(frozen=True, slots=True)
class _Domain:
    name: str
    credential: Credential


class PeerServer:
    """One thing as resource server: who shows it a token, and what it may do then.

    Args:
        endpoint: where associations become live.
        judge: says which tokens count.
        revocations: tokens that count no more.
        utc: the thing's own time.
        now: monotonic seconds.
        random_bytes: for connection identifiers.
        wake: lets the story look again when something ends earlier than it knew.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        judge: TokenJudge,
        revocations: Revocations,
        *,
        utc: Callable[[], datetime],
        now: Callable[[], float],
        random_bytes: Callable[[int], bytes],
        wake: Callable[[], None],
    ) -> None:
        self._endpoint = endpoint
        self._judge = judge
        self._revocations = revocations
        self._random_bytes = random_bytes
        self._resources: Resources | None = None
        self._key: PrivateKey | None = None
        self._domain: _Domain | None = None
        self._table = SessionTable(endpoint, utc=utc, now=now, wake=wake)
        self._uploads = AuthzInfo(endpoint, judge, self._table, random_bytes=random_bytes)
        self._pending = PendingSessions[WaitingForMessage3](limit=_MAX_HALF_OPEN)
        self._responder = Responder(
            methods=frozenset({join.METHOD}), suites=join.SUITES, ephemeral=generate, ead_labels=peer.EAD_LABELS
        )

    def entitle(self, member: Member, key: PrivateKey) -> None:
        """Serve those whom this thing's domain lets; sessions go on where the domain is the same."""
        if self._domain is not None and self._domain.name != member.domain:
            self.leave()
        self._key = key
        self._domain = _Domain(member.domain, peer.credential(key.public, member.thing_id))
        self._judge.entitle(member)

    def leave(self) -> None:
        """Serve nobody any more."""
        self._domain = None
        self._judge.leave()
        self._table.clear()

    def serve(self, resources: Resources) -> None:
        """Register the resources where strangers show themselves: they answer anybody."""
        self._resources = resources
        resources.register(path.EDHOC, Code.POST, self._on_edhoc, public=True)
        self._uploads.serve(resources)

    def grant(self, event: RequestReceived) -> tuple[Hashable, Scope] | None:
        """Who sent a request under a session, and what its token lets it do."""
        session = self._table.find(event.association)
        if session is None:
            return None
        self._table.note_acceptance(session)
        return AssociationId(PEER_PREFIX + session.client), session.scope

    def holder(self, peer_name: object) -> PublicKey:
        """The key of whoever speaks under a session, as `grant` named it.

        Raises:
            UntrustedError: it is none of ours, or has shown no key.
        """
        public = self._table.holder(str(peer_name).removeprefix(PEER_PREFIX))
        if public is None:
            raise UntrustedError("expected a session of somebody who showed a token")
        return public

    def sessions(self) -> dict[str, datetime]:
        """When each client's session ends."""
        return self._table.ends()

    def standing(self, hashes: Collection[bytes]) -> MemberStanding:
        """Whether who holds these tokens would be accepted, and when one of them last was."""
        accepts = any(one not in self._revocations for one in hashes)
        return MemberStanding(accepts, num=0, last_acceptance=self._table.last_acceptance(hashes))

    def end(self, hashes: Collection[bytes]) -> None:
        """End the sessions under these tokens at once, with what is under way in them."""
        self._table.end(hashes)

    def end_worn(self, association: AssociationId) -> None:
        """End a session whose keys come near their limits; its client comes again."""
        self._table.end_worn(association)

    def story(self) -> Story:
        """End each session with its token, observations too."""
        return self._table.story()

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
        judged = self._judge.judge(peer.decode_token(received.ead_3), call.now)
        credential = peer.credential(judged.rights.proof.require_public(), judged.rights.subject)
        authenticated = received.authenticate(credential)
        oscore = authenticated.oscore()
        message_4, _ = authenticated.message_4()
        self._table.begin(judged, context_of(oscore), call.event.source)
        return message_4

    def _require_domain(self) -> tuple[_Domain, PrivateKey]:
        if self._domain is None or self._key is None:
            raise StateError("this thing is in no domain")
        return self._domain, self._key

    def _fresh_identifier(self, c_i: bytes) -> bytes:
        while (candidate := self._random_bytes(_ID_SIZE)) in self._pending or candidate == c_i:
            pass
        return candidate
