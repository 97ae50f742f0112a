"""Bootstrap: a thing proves who it is, policy decides whether it may, and only then does it get anything.

::

    thing                                              domain
      | message_1 ---------------------------------------> |  half-open, bounded per source and in all
      | <------------------------- message_2 {CRED_R}      |
      |   voucher names CRED_R? else an error, no more     |
      | message_3 {maker identity in EAD_3} -------------> |  authenticate: identity under an anchor, key proven
      |                                                    |  authorise: the join policy, apart from the above
      |                                                    |  ask the maker's server, if the thing wants that
      |                                                    |  commit: thing, credential, token, association
      | <---------- message_4 {tokens, credential}         |

(RFC 9528; RFC 8366 for the voucher, or draft-ietf-lake-authz-07 where the thing has none: it is in message_4 then. The
order of the last two lines is what makes a crash harmless.)

Where the maker vouches for neither side, a person does, by an install code: with it the two show each other who they
are, once, and then the thing joins as above (draft-ietf-lake-edhoc-psk-08)::

      | message_1 {method 4} ----------------------------> |  only while the owner has a code open
      | <------------------------------------- message_2   |
      | message_3 {maker identity in EAD_3} -------------> |  a try is noted; then: is it under the code's key?
      | <-------------------- message_4 {CRED_R in EAD_4}  |
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from thingstead.crypto.key import PrivateKey, generate
from thingstead.endpoint.event import Address
from thingstead.errors import DecodeError, ForbiddenError, StorageError, UntrustedError
from thingstead.phases.unwelcome import Unwelcome
from thingstead.protocols.cwt.credential import MakerIdentity
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.pending import PendingSessions
from thingstead.protocols.edhoc.psk_responder import PskResponder, PskWaitingForMessage3
from thingstead.protocols.edhoc.responder import Message3Received, Responder, WaitingForMessage3
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.edhoc.shared_key import DRAFT, METHOD_PSK, SharedCredential
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.protocols.lake_authz.message import VoucherRequest
from thingstead.protocols.lake_authz.voucher import session_hash
from thingstead.protocols.profile import install_code, join
from thingstead.protocols.profile.grant import Grant, encode_grant

__all__ = ["Admission", "Authenticator", "Bootstrap", "Codes", "HalfOpen", "Newcomer", "Offered"]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A thing whose identity and key are proven, and about which nothing else is decided.

    Attributes:
        identity: the verified maker identity.
        oscore: what the handshake agreed on, for the association.
        source: the IP address it came from.
        custody: the end of its chain of custody, empty where it was reset by hand; None where it came from its maker.
        question: what its maker's server is to be asked before it believes us; None where it knows whose it is.
        nonce: that it was asked with for evidence of what it runs; empty where it was not asked.
        evidence: its answer, of which nothing is proved; empty where it gave none.
    """

    identity: MakerIdentity
    oscore: OscoreParameters
    source: str
    custody: bytes | None = None
    question: VoucherRequest | None = None
    nonce: bytes = b""
    evidence: bytes = b""


Authenticator = Callable[[bytes, datetime], MakerIdentity]
"""Verifies a maker identity CWT under a trust anchor; raises `SecurityError` or `ProtocolError`."""

Admission = Callable[[Newcomer], Awaitable[Grant]]
"""Decides, commits and grants; raises `PolicyError` or `SecurityError`, after which nothing was granted; of those
`UntrustedError` for what has left, or is cut off."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A handshake by key pairs that waits for message_3.

    Attributes:
        waiting: its state.
        suite: selected.
        session_hash: H_21, which a voucher would be bound to.
        nonce: sent with message_2; it counts for this handshake and ends with it.
    """

    waiting: WaitingForMessage3
    suite: CipherSuite
    session_hash: bytes
    nonce: bytes = b""

    @property
    def c_r(self) -> bytes:
        """Our connection identifier."""
        return self.waiting.c_r


HalfOpen = Offered | PskWaitingForMessage3
"""A handshake that waits for message_3, by key pairs or by a shared key."""


class Codes(Protocol):
    """Where the domain keeps its install codes."""

    def has_open(self) -> bool:
        """Whether there is one that somebody may still use."""
        ...

    async def attempt(self, kid: bytes) -> SharedCredential:
        """The key of the code that somebody names, once the try is noted; raises `SecurityError`."""
        ...

    async def introduce(self, kid: bytes, maker_identity: bytes) -> None:
        """Vouch for an identity that came under the code's key, which is its alone then; raises `SecurityError`."""
        ...

    async def settle(self, maker_identity: bytes) -> None:
        """An identity has joined: no code is needed for it any more."""
        ...


class Bootstrap:
    """The domain's side of every handshake under way.

    Args:
        credential: the domain's CRED_R, shown by value.
        key: handle on its static Diffie-Hellman key.
        authenticate: who made the thing.
        admit: whether it may join, and what it gets.
        connection_id: a fresh C_R that no live association uses as recipient ID.
        pending: handshakes that wait for message_3, bounded.
        unwelcome: where things come from that have left.
        codes: install codes.
        nonce: a fresh one to ask for evidence with; empty where nobody wants any.
        suites: that are taken now.
    """

    def __init__(
        self,
        credential: Credential,
        key: PrivateKey,
        *,
        authenticate: Authenticator,
        admit: Admission,
        connection_id: Callable[[], bytes],
        pending: PendingSessions[HalfOpen],
        unwelcome: Unwelcome,
        codes: Codes,
        nonce: Callable[[], bytes] = bytes,
        suites: Callable[[], tuple[int, ...]] = lambda: join.SUITES,
    ) -> None:
        self._credential = credential
        self._key = key
        self._authenticate = authenticate
        self._admit = admit
        self._connection_id = connection_id
        self._pending = pending
        self._unwelcome = unwelcome
        self._codes = codes
        self._nonce = nonce
        self._suites = suites

    @property
    def half_open(self) -> int:
        """Handshakes that wait for message_3."""
        return len(self._pending)

    def is_reachable(self, payload: bytes, source: Address, now: float) -> bool:
        """Whether the answer to `payload` may go to `source` at any length, or at all, without an Echo round.

        message_1 is answered freely until many handshakes are open; then its source has to show first that it
        receives what is sent to it, so that forged sources take no room (RFC 9528 §9.7, RFC 9175 §2.3). message_3
        shows it by itself, from the address that message_2 went to.

        Raises:
            DecodeError: neither message_1 nor a later one.
        """
        c_r, _ = coap_carriage.parse_request(payload)
        return not self._pending.is_crowded(now) if c_r is None else self._pending.is_from(c_r, source)

    async def answer(self, payload: bytes, source: Address, *, now: float, at: datetime) -> bytes:
        """Answer the payload of a POST to the EDHOC resource (RFC 9528 appendix A.2).

        Raises:
            StateError: no handshake waits for this message_3.
            ProtocolError: malformed, or nothing that we support.
            SecurityError: identity or key not proven, or the join refused.
            PolicyError: the owner's policy says no, or not yet.
            TransportError: too many came from there that have left.
        """
        c_r, message = coap_carriage.parse_request(payload)
        if c_r is None:
            return self._on_message_1(message, source, now)
        return await self._on_message_3(c_r, message, source, now=now, at=at)

    def _responder(self, suites: tuple[int, ...]) -> Responder:
        return Responder(
            methods=frozenset({join.METHOD}), suites=suites, ephemeral=generate, ead_labels=join.EAD_LABELS
        )

    def _psk_responder(self, suites: tuple[int, ...]) -> PskResponder:
        return PskResponder(suites=suites, ephemeral=generate, ead_labels=install_code.EAD_LABELS)

    def _on_message_1(self, message_1: bytes, source: Address, now: float) -> bytes:
        """Answer with message_2; costs one ephemeral key and one bounded slot."""
        self._unwelcome.require_share(source, now)
        waiting: HalfOpen
        suites = self._suites()
        if not suites:
            raise ForbiddenError("the owner takes no cipher suite that this domain has", reason="algorithm")
        if message_1[0] == METHOD_PSK and self._codes.has_open():
            asked = self._psk_responder(suites).receive(message_1)
            message_2, waiting = asked.message_2(self._fresh_connection_id(asked.c_i))
        else:
            received = self._responder(suites).receive(message_1)
            c_r = self._fresh_connection_id(received.c_i)
            nonce = self._nonce()
            message_2, unproven = received.message_2(
                connection_id=c_r,
                credential=self._credential,
                key=self._key,
                ead_2=(EadItem(join.ATTESTATION, nonce),) if nonce else (),
            )
            waiting = Offered(unproven, received.suite, session_hash(received.suite, message_1, message_2), nonce)
        self._pending.add(waiting, source=source, now=now)
        return message_2

    async def _on_message_3(self, c_r: bytes, message_3: bytes, source: Address, *, now: float, at: datetime) -> bytes:
        """Authenticate, have the join decided and committed, and answer with message_4.

        A message that does not decrypt leaves the handshake open: it did not come from the peer.
        """
        waiting = self._pending.find(c_r, now=now)
        if isinstance(waiting, PskWaitingForMessage3):
            return await self._introduce(waiting, message_3)
        received = waiting.waiting.receive(message_3)
        self._pending.discard(c_r)
        identity = self._authenticate(join.decode_identity(received.ead_3), at)
        join.require_name(received.id_cred_i, identity.encoded)
        authenticated = received.authenticate(join.identity_credential(identity.encoded, identity.public))
        said = join.decode_custody(received.ead_3)
        question = _question(received, waiting)
        try:
            evidence = join.decode_attestation(received.ead_3)
            newcomer = Newcomer(identity, authenticated.oscore(), source[0], said, question, waiting.nonce, evidence)
            grant = await self._admit(newcomer)
        except UntrustedError:
            self._unwelcome.note(source, now)
            raise
        with suppress(StorageError):
            await self._codes.settle(identity.encoded)
        message_4, _ = authenticated.message_4(encode_grant(grant))
        return message_4

    async def _introduce(self, waiting: PskWaitingForMessage3, message_3: bytes) -> bytes:
        """Take an identity, and show ours, under an install code; nothing is granted before the thing has joined."""
        received = waiting.receive(message_3)
        kid = received.id_cred_psk.kid
        if kid is None:
            raise DecodeError("expected the identifier of an install code", spec=f"{DRAFT} §3.1")
        shared = await self._codes.attempt(kid)
        authenticated, ead_3 = received.authenticate(shared)
        self._pending.discard(waiting.c_r)
        await self._codes.introduce(kid, join.decode_identity(ead_3))
        message_4, _ = authenticated.message_4((EadItem(-join.CREDENTIAL_BY_VALUE, self._credential.cred),))
        return message_4

    def _fresh_connection_id(self, c_i: bytes) -> bytes:
        while (candidate := self._connection_id()) in self._pending or candidate == c_i:
            pass
        return candidate


def _question(received: Message3Received, offered: Offered) -> VoucherRequest | None:
    """What the thing wants its maker's server asked, about the name that it calls itself by.

    Raises:
        DecodeError: several questions, or one that is none.
    """
    info = join.decode_question(received.ead_3, offered.suite)
    if info is None:
        return None
    return VoucherRequest(offered.suite, info.ek_ct, offered.session_hash, received.id_cred_i.id_cred)
