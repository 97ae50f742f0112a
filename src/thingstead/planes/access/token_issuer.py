"""Tokens of things for each other: issued on demand, looked up for those they count at (RFC 9200 §5.8, §5.9)."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from thingstead.clock import Clock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.peer_policy import PeerDecision
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.identifier import ThingId
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.protocols.ace import token
from thingstead.protocols.ace.token_endpoint import TokenRequest, TokenResponse
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim

__all__ = ["TokenIssuer"]

_ACTOR = "plane:access"
_CTI_SIZE = 8
_LIMITS = codec.Limits(max_bytes=1 << 14, max_depth=2)
_SHOWN = (Claim.ISS, Claim.SUB, Claim.AUD, Claim.EXP, Claim.IAT, Claim.CTI, Claim.CNF, Claim.SCOPE)


class _Introspection(IntEnum):
    """IANA "OAuth Token Introspection Response CBOR Mappings", beside the claims, which have their own keys."""

    ACTIVE = 10
    TOKEN = 11


class TokenIssuer:
    """The authorization server's side of the token and introspection endpoints.

    Args:
        tokens: where a token is written down before it is handed out.
        key: the access plane's own signing key (ESP256).
        domain: issuer of the tokens.
        holder_of: the key that a thing has proved; raises `StateError` for one that has no token itself.
        clock: for UTC.
        random_bytes: for token identifiers.
    """

    def __init__(
        self,
        tokens: IssuedTokens,
        key: PrivateKey,
        *,
        domain: str,
        holder_of: Callable[[ThingId], PublicKey],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._tokens = tokens
        self._key = key
        self._domain = domain
        self._holder_of = holder_of
        self._clock = clock
        self._random_bytes = random_bytes

    async def issue(
        self, client: ThingId, server: ThingId, asked: TokenRequest, decision: PeerDecision
    ) -> TokenResponse:
        """Issue what was decided, bound to the key that the client has proved to us and to no other.

        Raises:
            UnsupportedError: the client asks for another key (`reason` ``unsupported_pop_key``): it has not proved it.
            StateError: one of the two has no token of its own, or the client holds too many.
            StorageError: it could not be written down.
        """
        holder, rs_public = self._holder_of(client), self._holder_of(server)
        if asked.public is not None and asked.public != holder:
            raise UnsupportedError("expected the key that was proved", spec="RFC 9200 §5.8.1", reason=_POP_KEY)
        at = self._clock.utc().replace(microsecond=0)
        expires = at + decision.lifetime
        encoded = token.issue(
            holder,
            self._key,
            issuer=self._domain,
            subject=client,
            audience=server,
            scope=decision.scope,
            at=at,
            expires=expires,
            cti=self._random_bytes(_CTI_SIZE),
            signature_id=AlgorithmId.ESP256,
            cnonce=asked.cnonce,
        )
        token_hash = token.token_hash(encoded)
        details: dict[str, Detail] = {"audience": server, "rule": decision.rule, "hash": token_hash}
        draft = Draft(at, Kind.ISSUE, _ACTOR, client, "token", details)
        await self._tokens.note(token_hash, IssuedToken(client, server, expires), entries=[draft])
        return TokenResponse(encoded, int(decision.lifetime.total_seconds()), decision.scope, rs_public)

    def introspect(self, requester: ThingId, payload: bytes) -> bytes:
        """Whether a token counts, for the resource server that it is for; to others none does (RFC 9200 §5.9).

        Raises:
            DecodeError: no request for introspection.
        """
        asked = codec.decode(payload, limits=_LIMITS)
        shown = asked.get(_Introspection.TOKEN) if isinstance(asked, dict) else None
        if not isinstance(shown, bytes):
            raise DecodeError("expected a token", spec="RFC 9200 §5.9.1")
        issued = self._tokens.find(token.token_hash(shown))
        if issued is None or issued.is_revoked or issued.audience != requester:
            return codec.encode({_Introspection.ACTIVE: False})
        # Every bit of it is ours: it has the hash of a token that was written down.
        claims = cwt.decode(shown).claims.values
        return codec.encode({_Introspection.ACTIVE: True, **{name: claims[name] for name in _SHOWN}})


_POP_KEY = "unsupported_pop_key"
