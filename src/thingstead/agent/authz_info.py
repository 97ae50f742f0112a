"""``/authz-info``: where a client brings a token, in clear or under keys in use (RFC 9200 §5.10.1, RFC 9203).

In clear comes a token that only this thing can read, and two nonces later there are keys; a context that nobody has
shown to know yet is one of a few, and the session that the client had lives on until somebody does. A token bound to a
public key does not come this way in clear: it is shown in EDHOC (draft-ietf-ace-edhoc-oscore-profile-11). Under the
keys of a session comes another token of its series, for more rights or fewer.
"""

from __future__ import annotations

from collections.abc import Callable

from thingstead.agent.session_table import Session, SessionTable
from thingstead.agent.token_judge import JudgedToken, TokenJudge
from thingstead.endpoint.counter import RateLimit
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import (
    DecodeError,
    PolicyError,
    ProtocolError,
    SecurityError,
    StateError,
    ThingsteadError,
    UntrustedError,
)
from thingstead.protocols.ace import input_material
from thingstead.protocols.ace.token_upload import MAX_UPLOAD, TokenUpload, UploadAnswer
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import path

__all__ = ["AuthzInfo"]

_ACE_CBOR = (int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.ACE_CBOR))
_NONCE_SIZE = 8
_ID_SIZE = 3
"""Bytes: others than those of the contexts that come about otherwise, so that none is ever like one of these."""
_UPLOADS_PER_SECOND = 2.0
"""Of one token: whoever recorded it can send it again, which is to hinder nobody but its holder, who has a session."""
_MAX_RATES = 64


class AuthzInfo:
    """The authorization information endpoint of one thing.

    Args:
        endpoint: asks sources to show themselves.
        judge: says which tokens count.
        table: the sessions.
        random_bytes: for nonces and identifiers.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        judge: TokenJudge,
        table: SessionTable,
        *,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._endpoint = endpoint
        self._judge = judge
        self._table = table
        self._random_bytes = random_bytes
        self._rates: dict[bytes, RateLimit] = {}
        self._resources: Resources | None = None

    def serve(self, resources: Resources) -> None:
        """Register it; POST and nothing else (RFC 9200 §5.10.1.2)."""
        self._resources = resources
        formats = (ContentFormat.ACE_CBOR, ContentFormat.CWT)
        resources.register(path.AUTHZ_INFO, Code.POST, self._on_upload, public=True, consumes=formats)

    def _on_upload(self, call: Call) -> Message | None:
        session = self._table.find(call.event.association)
        is_protected = session is not None or call.event.association is not None or call.event.group is not None
        try:
            if session is not None:
                return self._update(call, session)
            if is_protected:
                raise UntrustedError("expected a token in clear, or under the session of one", spec="RFC 9203 §4.2")
            if self._table.is_crowded() and not call.event.is_fresh:
                self._endpoint.challenge(call.event.exchange, call.now)
                return None
            return self._take(call)
        except ThingsteadError as error:
            return self._refuse(call, error, is_protected=is_protected)

    def _take(self, call: Call) -> Message:
        """A token that came in clear (RFC 9203 §4.2)."""
        upload = TokenUpload.decode(call.request.payload)
        if upload.nonce is None or upload.recipient_id is None:
            raise DecodeError("expected nonce1 and ace_client_recipientid", spec="RFC 9203 §4.2")
        judged = self._judge.judge(upload.access_token, call.now)
        self._check_rate(judged.token_hash, call.now)
        if judged.rights.proof.shared is None:
            raise DecodeError("expected a token with a secret for the two of us", spec="RFC 9203 §3.2")
        material = input_material.decode_map(judged.rights.proof.shared)
        if len(upload.recipient_id) > material.max_identifier:
            raise DecodeError("expected a shorter ace_client_recipientid", spec="RFC 8613 §3.3")
        answer = UploadAnswer(self._random_bytes(_NONCE_SIZE), self._fresh_identifier(upload.recipient_id))
        context = material.context(
            nonce_1=upload.nonce,
            nonce_2=answer.nonce,
            sender_id=upload.recipient_id,
            recipient_id=answer.recipient_id,
        )
        self._table.await_proof(judged, context, call.event.source, series=material.id)
        return Message(Code.CREATED, options=[_ACE_CBOR], payload=answer.encode())

    def _check_rate(self, token_hash: bytes, now: float) -> None:
        rate = self._rates.pop(token_hash) if token_hash in self._rates else RateLimit(_UPLOADS_PER_SECOND)
        self._rates[token_hash] = rate
        if len(self._rates) > _MAX_RATES:
            del self._rates[next(iter(self._rates))]
        if not rate.allow(now):
            raise PolicyError("too many uploads of one token", spec="RFC 9200 §5.10.1.2", reason="rate")

    def _update(self, call: Call, session: Session) -> Message:
        """Another token of a session (RFC 9203 §4.2, draft-ietf-ace-edhoc-oscore-profile-11 §4.6)."""
        payload = call.request.payload
        if len(payload) > MAX_UPLOAD:
            raise DecodeError(f"expected a token of at most {MAX_UPLOAD} bytes", spec="RFC 9200 §5.10.1")
        is_bare = call.request.uint_option(OptionNumber.CONTENT_FORMAT) == ContentFormat.CWT
        judged = self._judge.judge(payload if is_bare else TokenUpload.decode(payload).access_token, call.now)
        _check_series(judged, session)
        self._table.update(session, judged)
        return Message(Code.CREATED)

    def _refuse(self, call: Call, error: ThingsteadError, *, is_protected: bool) -> Message:
        """What RFC 9200 §5.10.1.1 has for an error; under keys 4.01, whatever it is (RFC 9203 §4.2)."""
        assert self._resources is not None
        refusal = self._resources.refuse(call.event, call.peer, error)
        if error.reason == "rate" or not isinstance(error, ProtocolError | SecurityError):
            return refusal
        return Message(Code.UNAUTHORIZED if is_protected else _code(error))

    def _fresh_identifier(self, theirs: bytes) -> bytes:
        while (candidate := self._random_bytes(_ID_SIZE)) == theirs or self._table.is_taken(candidate):
            pass
        return candidate


def _check_series(judged: JudgedToken, session: Session) -> None:
    """Pass a token for the same client, bound to the same key or secret, of the same series."""
    rights, proof = judged.rights, judged.rights.proof
    if session.public is None:
        is_next = proof.key is None and proof.kid == session.series
    else:
        is_next = proof.key is not None and proof.require_public() == session.public and rights.series == session.series
    if not session.series or not is_next or rights.subject != session.client:
        raise UntrustedError("expected another token of this session", spec="RFC 9203 §4.2", reason="series")


def _code(error: ThingsteadError) -> Code:
    if isinstance(error, UntrustedError) and error.reason == "audience":
        return Code.FORBIDDEN
    if isinstance(error, SecurityError | StateError):
        return Code.UNAUTHORIZED
    return Code.BAD_REQUEST
