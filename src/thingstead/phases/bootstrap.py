"""Bootstrap: a thing proves who it is, policy decides whether it may, and only then does it get anything.

::

    thing                                              domain
      | message_1 ---------------------------------------> |  half-open, bounded per source and in all
      | <------------------------- message_2 {CRED_R}      |
      |   voucher names CRED_R? else silence               |
      | message_3 {maker identity in EAD_3} -------------> |  authenticate: identity under an anchor, key proven
      |                                                    |  authorise: the join policy, apart from the above
      |                                                    |  commit: thing, credential, token, association
      | <---------- message_4 {tokens, credential}         |

(RFC 9528; RFC 8366 for the voucher; the order of the last two lines is what makes a crash harmless.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime

from thingstead.crypto.key import PrivateKey, generate
from thingstead.errors import StateError
from thingstead.protocols.cwt.credential import MakerIdentity
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.responder import Responder, WaitingForMessage3
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.profile import join
from thingstead.protocols.profile.join import Grant

__all__ = ["Admission", "Authenticator", "Bootstrap", "Limits", "Newcomer"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on unfinished handshakes.

    Attributes:
        max_half_open: in all; when they are used up the oldest gives way.
        max_half_open_per_source: of one source address; when they are used up it waits.
        half_open_seconds: age at which one is dropped.
    """

    max_half_open: int = 256
    max_half_open_per_source: int = 8
    half_open_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A thing whose identity and key are proven, and about which nothing else is decided.

    Attributes:
        identity: the verified maker identity.
        oscore: what the handshake agreed on, for the association.
        source: the address it came from.
    """

    identity: MakerIdentity
    oscore: OscoreParameters
    source: Hashable


Authenticator = Callable[[bytes, datetime], MakerIdentity]
"""Verifies a maker identity CWT under a trust anchor; raises `SecurityError` or `ProtocolError`."""

Admission = Callable[[Newcomer], Awaitable[Grant]]
"""Decides, commits and grants; raises `PolicyError` or `SecurityError`, after which nothing was granted."""


@dataclass(slots=True)
class _HalfOpen:
    waiting: WaitingForMessage3
    source: Hashable
    opened: float


class Bootstrap:
    """The domain's side of every handshake under way.

    Args:
        credential: the domain's CRED_R, shown by value.
        key: handle on its static Diffie-Hellman key.
        authenticate: who made the thing.
        admit: whether it may join, and what it gets.
        connection_id: a fresh C_R that no live association uses as recipient ID.
        limits: bounds.
    """

    def __init__(
        self,
        credential: Credential,
        key: PrivateKey,
        *,
        authenticate: Authenticator,
        admit: Admission,
        connection_id: Callable[[], bytes],
        limits: Limits,
    ) -> None:
        self._credential = credential
        self._key = key
        self._authenticate = authenticate
        self._admit = admit
        self._connection_id = connection_id
        self._limits = limits
        self._responder = Responder(
            methods=frozenset({join.METHOD}), suites=join.SUITES, ephemeral=generate, ead_labels=join.EAD_LABELS
        )
        self._half_open: dict[bytes, _HalfOpen] = {}
        self._per_source: Counter[Hashable] = Counter()

    @property
    def half_open(self) -> int:
        """Handshakes that wait for message_3."""
        return len(self._half_open)

    def on_message_1(self, message_1: bytes, source: Hashable, now: float) -> bytes:
        """Answer with message_2; costs one ephemeral key and one bounded slot.

        Raises:
            StateError: this source has as many handshakes open as it may (`reason` ``half-open``).
            ProtocolError: malformed, or nothing that we support.
        """
        self._drop_old(now)
        if self._per_source[source] >= self._limits.max_half_open_per_source:
            raise StateError("this source has too many unfinished handshakes", reason="half-open")
        received = self._responder.receive(message_1)
        c_r = self._fresh_connection_id(received.c_i)
        message_2, waiting = received.message_2(connection_id=c_r, credential=self._credential, key=self._key)
        if len(self._half_open) >= self._limits.max_half_open:
            self._close(next(iter(self._half_open)))
        self._half_open[c_r] = _HalfOpen(waiting, source, now)
        self._per_source[source] += 1
        return message_2

    async def on_message_3(self, c_r: bytes, message_3: bytes, source: Hashable, *, now: float, at: datetime) -> bytes:
        """Authenticate, have the join decided and committed, and answer with message_4.

        A message that does not decrypt leaves the handshake open: it did not come from the peer.

        Raises:
            StateError: no handshake waits under `c_r`.
            SecurityError: identity or key not proven, or the join refused.
            PolicyError: the owner's policy says no, or not yet.
        """
        self._drop_old(now)
        half_open = self._half_open.get(c_r)
        if half_open is None:
            raise StateError("no handshake waits under this connection identifier", reason="no handshake")
        received = half_open.waiting.receive(message_3)
        self._close(c_r)
        identity = self._authenticate(join.decode_identity(received.ead_3), at)
        authenticated = received.authenticate(join.identity_credential(identity.encoded, identity.public))
        grant = await self._admit(Newcomer(identity, authenticated.oscore(), source))
        message_4, _ = authenticated.message_4(join.encode_grant(grant))
        return message_4

    async def answer(self, payload: bytes, source: Hashable, *, now: float, at: datetime) -> bytes:
        """Answer the payload of a POST to the EDHOC resource (RFC 9528 appendix A.2).

        Raises:
            ProtocolError, SecurityError, PolicyError: as `on_message_1` and `on_message_3`.
        """
        c_r, message = coap_carriage.parse_request(payload)
        if c_r is None:
            return self.on_message_1(message, source, now)
        return await self.on_message_3(c_r, message, source, now=now, at=at)

    def _fresh_connection_id(self, c_i: bytes) -> bytes:
        while (candidate := self._connection_id()) in self._half_open or candidate == c_i:
            pass
        return candidate

    def _drop_old(self, now: float) -> None:
        horizon = now - self._limits.half_open_seconds
        while self._half_open:
            c_r, oldest = next(iter(self._half_open.items()))
            if oldest.opened > horizon:
                return
            self._close(c_r)

    def _close(self, c_r: bytes) -> None:
        source = self._half_open.pop(c_r).source
        self._per_source[source] -= 1
        if not self._per_source[source]:
            del self._per_source[source]
