"""The maker's server as one core: domains prove who they are by EDHOC, and ask for vouchers under OSCORE.

::

    domain (V)                                         maker's server (W)
      | EDHOC, method 3, CRED_V by value ------------------> |  sold nothing? then no session
      | POST /.well-known/lake-authz/voucherrequest -------> |  under OSCORE: thing known, sold to this domain?
      | <------------------ 2.04 voucher, or 4.00, or 4.03   |  on the record first

(draft-ietf-lake-authz-07 §5.3, §5.4.1.)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from datetime import datetime

from thingstead.crypto.key import PrivateKey, generate
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.derivation import context_of
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import Address, AssociationId, RequestReceived
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import ForbiddenError, ProtocolError, ThingsteadError
from thingstead.masa.authority import Authority
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc import error as edhoc_error
from thingstead.protocols.edhoc.credential import Credential, kccs_reference
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.edhoc.responder import Responder, WaitingForMessage3
from thingstead.protocols.lake_authz.message import VOUCHER_REQUEST_PATH, decode_request, encode_refusal
from thingstead.protocols.profile import join, path

__all__ = ["MasaServer"]

_LOGGER = logging.getLogger(__name__)
_EDHOC_FORMAT = (int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.EDHOC_CBOR_SEQ))
_SCOPE = Scope({VOUCHER_REQUEST_PATH: int(Permission.POST)})
_ID_SIZE = 3


class MasaServer:
    """Driven by a `Pump`; holds the key that domains know the server by.

    Args:
        name: the maker's.
        key: authenticates the server in EDHOC; another one than vouchers are made with.
        authority: decides.
        utc: the clock for the record.
        random_bytes: returns that many fresh random bytes.

    Attributes:
        vouched: vouchers that went out since start.
    """

    def __init__(
        self,
        name: str,
        key: PrivateKey,
        *,
        authority: Authority,
        utc: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        claims = ccs.encode(key.public, subject=name)
        self._credential = Credential(kccs_reference(claims), claims, key.public)
        self._key = key
        self._authority = authority
        self._utc = utc
        self._random_bytes = random_bytes
        self._sessions: dict[AssociationId, Credential] = {}
        self._pending = PendingSessions[WaitingForMessage3]()
        self._responder = Responder(methods=frozenset({join.METHOD}), suites=join.SUITES, ephemeral=generate)
        self._endpoint = Endpoint(EndpointConfig(), random_bytes=random_bytes)
        self._resources = Resources(self._grant)
        self._resources.register(path.EDHOC, Code.POST, self._on_edhoc, public=True)
        self._resources.register(VOUCHER_REQUEST_PATH, Code.POST, self._on_voucher_request)
        self.vouched = 0

    @property
    def refused(self) -> dict[str, int]:
        """Requests refused since start, by reason."""
        return dict(sorted(self._resources.refused.items()))

    @property
    def dropped(self) -> dict[str, int]:
        """Messages that came to no request: not understood, repeated, or under no session of ours, by reason."""
        return dict(sorted(self._endpoint.counters.items()))

    # --- the core that a pump drives

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Take a datagram."""
        self._endpoint.receive_datagram(data, source, now, multicast=multicast)

    def run(self, now: float) -> None:
        """Answer what came."""
        while (event := self._endpoint.next_event()) is not None:
            if isinstance(event, RequestReceived):
                answer = self._resources.answer(event, now)
                if answer is not None:
                    self._endpoint.send_response(event.exchange, answer, now)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """What may leave now."""
        return self._endpoint.datagrams_to_send(now)

    def next_deadline(self) -> float | None:
        """When `run` is wanted again."""
        return self._endpoint.next_deadline()

    # --- vouchers

    def _on_voucher_request(self, call: Call) -> Message:
        domain = self._sessions[AssociationId(str(call.peer))]
        try:
            voucher = self._authority.vouch(decode_request(call.request.payload), domain, at=self._utc())
        except (ForbiddenError, ProtocolError) as error:
            _LOGGER.warning("no voucher: %s", error)
            self._resources.refuse(call.event, None, error)
            if isinstance(error, ForbiddenError):
                return Message(Code.FORBIDDEN, payload=encode_refusal())
            return Message(Code.BAD_REQUEST)
        self.vouched += 1
        return Message(Code.CHANGED, payload=codec.encode([voucher]))

    def _grant(self, event: RequestReceived) -> tuple[Hashable, Scope] | None:
        name = event.association
        return None if name is None or name not in self._sessions else (name, _SCOPE)

    # --- the handshake

    def _on_edhoc(self, call: Call) -> Message | None:
        payload, source = call.request.payload, call.event.source
        try:
            c_r, message = coap_carriage.parse_request(payload)
            if not call.event.is_fresh:
                crowded = self._pending.is_crowded(call.now)
                if crowded if c_r is None else not self._pending.is_from(c_r, source):
                    self._endpoint.challenge(call.event.exchange, call.now)
                    return None
                self._endpoint.vouch(call.event.exchange)
            answer = self._on_message_1(message, call) if c_r is None else self._on_message_3(c_r, message, call)
        except ThingsteadError as error:
            refusal, body = self._resources.refuse(call.event, None, error), edhoc_error.answer(error)
            return refusal if body is None else Message(refusal.code, options=[_EDHOC_FORMAT], payload=body)
        return Message(Code.CHANGED, options=[_EDHOC_FORMAT], payload=answer)

    def _on_message_1(self, message_1: bytes, call: Call) -> bytes:
        received = self._responder.receive(message_1)
        c_r = self._fresh_identifier(received.c_i)
        message_2, waiting = received.message_2(connection_id=c_r, credential=self._credential, key=self._key)
        self._pending.add(waiting, source=call.event.source, now=call.now)
        return message_2

    def _on_message_3(self, c_r: bytes, message_3: bytes, call: Call) -> bytes:
        """Have the domain proven, and let customers alone in; what does not decrypt leaves the handshake open."""
        received = self._pending.find(c_r, now=call.now).receive(message_3)
        self._pending.discard(c_r)
        domain = join.domain_credential(received.id_cred_i)
        authenticated = received.authenticate(domain)
        self._authority.require_customer(domain)
        oscore = authenticated.oscore()
        message_4, _ = authenticated.message_4()
        # One for each customer; the one before is replaced.
        name = AssociationId(cose_key.thumbprint(domain.public).hex())
        self._endpoint.install(Association(name, context_of(oscore), peer=name, address=call.event.source))
        self._sessions[name] = domain
        return message_4

    def _fresh_identifier(self, c_i: bytes) -> bytes:
        while (candidate := self._random_bytes(_ID_SIZE)) in self._pending or candidate == c_i:
            pass
        return candidate
