"""The two tokens that a join ends in: the thing's at the domain, the domain's own at the thing (RFC 9200 §5.8.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from thingstead.clock import Clock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.identifier import ThingId
from thingstead.planes.access.holding import Holding
from thingstead.planes.access.issued_tokens import IssuedToken
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.token import AccessToken
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.profile import path

__all__ = ["JoinTokens", "Proposal"]

_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_CTI_SIZE = 8
_FIRST_NUMBERS = 256
"""Sender sequence numbers that are reserved with the keys themselves: the first message needs no second writing."""
_MEMBERSHIP = Scope(
    {
        path.GRANT: Permission.GET,
        path.TRL: Permission.GET,
        path.TOKEN: Permission.POST,
        path.INTROSPECT: Permission.POST,
    }
)
"""What every token at the domain holds, whatever the owner's policy gives beside it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a handshake and the join decision came to, before anything is granted.

    Attributes:
        public: the key that was proven; the token is bound to it.
        oscore: keys and identifiers of the association.
        scope: what the thing may do at the domain.
        granted: what the domain may do at the thing.
    """

    public: PublicKey
    oscore: OscoreParameters
    scope: Scope
    granted: Scope


class JoinTokens:
    """Issues and reads them.

    Args:
        key: the access plane's own signing key (ESP256).
        domain: issuer of the tokens, and the audience of those that things hold.
        holder: the key that the domain itself proves in handshakes; its own tokens are bound to it.
        clock: for UTC.
        random_bytes: for token identifiers.
        validity: how long a token holds.
    """

    def __init__(
        self,
        key: PrivateKey,
        *,
        domain: str,
        holder: PublicKey,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        validity: timedelta,
    ) -> None:
        self._key = key
        self._domain = domain
        self._holder = holder
        self._clock = clock
        self._random_bytes = random_bytes
        self._validity = validity

    def issue(self, thing: ThingId, proposal: Proposal) -> Holding:
        """What a thing holds once it is in."""
        access = self._issue(self._domain, thing, proposal.public, proposal.scope.widen(_MEMBERSHIP))
        granted = self._issue(thing, self._domain, self._holder, proposal.granted)
        return Holding(proposal.oscore, proposal.public, access, granted, _FIRST_NUMBERS, suspended=False)

    def authenticate(self, holding: Holding) -> AccessToken:
        """The thing's token, if it is ours and its holder's; whether it has ended is not looked at.

        Raises:
            ProtocolError, SecurityError: it is not.
        """
        return token.authenticate(
            holding.access_token,
            self._key.public,
            accept=_ACCEPT,
            at=cwt.decode(holding.access_token).claims.required_date(Claim.IAT),
            issuer=self._domain,
            audience=self._domain,
            presenter=holding.public,
        )

    def of(self, thing: ThingId, holding: Holding) -> dict[bytes, IssuedToken]:
        """Both tokens by hash, as the list of revoked tokens names them."""
        expires = self.authenticate(holding).expires
        own = IssuedToken(thing, self._domain, expires), IssuedToken(self._domain, thing, expires)
        hashes = token.token_hash(holding.access_token), token.token_hash(holding.granted_token)
        return dict(zip(hashes, own, strict=True))

    def _issue(self, audience: str, subject: str, public: PublicKey, scope: Scope) -> bytes:
        at = self._clock.utc().replace(microsecond=0)
        return token.issue(
            public,
            self._key,
            issuer=self._domain,
            subject=subject,
            audience=audience,
            scope=scope,
            at=at,
            expires=at + self._validity,
            cti=self._random_bytes(_CTI_SIZE),
            signature_id=AlgorithmId.ESP256,
        )
