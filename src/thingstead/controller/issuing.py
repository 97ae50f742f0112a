"""Everything that issues tokens with the access plane's key, put together in whichever process has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from thingstead.clock import Clock
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.ports import Archive, Records, SecurityAssociations
from thingstead.planes.access.authorization_server import AuthorizationServer
from thingstead.planes.access.issued_tokens import IssuedTokens
from thingstead.planes.access.permits import Permits
from thingstead.planes.access.relying_party import RelyingParties
from thingstead.planes.access.standing import Standings
from thingstead.planes.access.token_issuer import TokenIssuer

__all__ = ["Issuing"]


@dataclass(frozen=True, slots=True)
class Issuing:
    """What all of it has in common.

    Attributes:
        domain: issuer of the tokens.
        key: the access plane's own.
        clock: for UTC.
        random_bytes: for identifiers.
    """

    domain: str
    key: PrivateKey
    clock: Clock
    random_bytes: Callable[[int], bytes]

    def server(
        self,
        records: Archive,
        associations: SecurityAssociations,
        tokens: IssuedTokens,
        parties: RelyingParties,
        *,
        holder: PublicKey,
        validity: timedelta,
        standings: Standings | None = None,
    ) -> AuthorizationServer:
        """Joins; arguments as there."""
        return AuthorizationServer(
            records,
            self.key,
            associations,
            tokens,
            parties,
            domain=self.domain,
            holder=holder,
            clock=self.clock,
            random_bytes=self.random_bytes,
            validity=validity,
            standings=standings,
        )

    def issuer(self, tokens: IssuedTokens, access: AuthorizationServer) -> TokenIssuer:
        """Tokens of things for each other."""
        return TokenIssuer(
            tokens,
            self.key,
            domain=self.domain,
            holder_of=access.holder_of,
            token_key_of=access.token_key_of,
            steady=access.steady,
            clock=self.clock,
            random_bytes=self.random_bytes,
        )

    def permits(self, tokens: IssuedTokens, records: Records) -> Permits:
        """Tokens of people for things."""
        return Permits(tokens, records, self.key, domain=self.domain, clock=self.clock, random_bytes=self.random_bytes)
