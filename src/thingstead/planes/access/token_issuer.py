"""Tokens of things for each other: issued on demand, looked up for those they count at (RFC 9200 §5.8, §5.9)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from enum import IntEnum

from thingstead.clock import Clock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.peer_policy import PeerDecision, PeerProfile
from thingstead.errors import AuthenticationError, DecodeError, StateError, UnsupportedError
from thingstead.identifier import ThingId
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.protocols.ace import edhoc_profile, exi, sealed_token, token, token_upload
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.ace.token_endpoint import TokenRequest, TokenResponse
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import ccs
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.ccs import PublicKeyCredential
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile import peer
from thingstead.secret import Secret

__all__ = ["TokenIssuer"]

_ACTOR = "plane:access"
_CTI_SIZE = 8
_SERIES_SIZE, _SECRET_SIZE, _SALT_SIZE = 8, 16, 8
_LIMITS = codec.Limits(max_bytes=1 << 14, max_depth=2)
_SHOWN = (
    *(Claim.ISS, Claim.SUB, Claim.AUD, Claim.EXP, Claim.IAT, Claim.CTI, Claim.CNF, Claim.SCOPE),
    *(Claim.CNONCE, Claim.EXI, Claim.EDHOC_INFO),
)


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
        token_key_of: the key of tokens that only this thing can read; raises likewise.
        steady: keeps these things from being cut off meanwhile; raises `StateError` for one that is.
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
        token_key_of: Callable[[ThingId], Secret],
        steady: Callable[[ThingId, ThingId], AbstractAsyncContextManager[None]],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._tokens = tokens
        self._key = key
        self._domain = domain
        self._holder_of = holder_of
        self._token_key_of = token_key_of
        self._steady = steady
        self._clock = clock
        self._random_bytes = random_bytes

    async def issue(
        self, client: ThingId, server: ThingId, asked: TokenRequest, decision: PeerDecision
    ) -> TokenResponse:
        """Issue what was decided, bound to the key that the client has proved to us, or to a secret made for it.

        Raises:
            UnsupportedError: the client asks for another key (`reason` ``unsupported_pop_key``): it has not proved it.
            StateError: one of the two has no token of its own, the client holds too many, or there is nothing that the
                token could be another of (``invalid_request``).
            StorageError: it could not be written down.
        """
        async with self._steady(client, server):
            return await self._issue(client, server, asked, decision)

    async def _issue(
        self, client: ThingId, server: ThingId, asked: TokenRequest, decision: PeerDecision
    ) -> TokenResponse:
        holder, rs_public = self._holder_of(client), self._holder_of(server)
        if asked.public is not None and asked.public != holder:
            raise UnsupportedError("expected the key that was proved", spec="RFC 9200 §5.8.1", reason=_POP_KEY)
        is_shared = decision.profile is PeerProfile.OSCORE
        renewed = self._renewed(client, server, asked, is_shared=is_shared)
        if not is_shared:
            credential = ccs.decode(peer.credential(holder, client).cred)
            series = renewed or self._random_bytes(_SERIES_SIZE)
            access_token = await self._write_down(client, server, asked, decision, proof=credential, series=series)
            response = _response(access_token, decision, edhoc_profile.PROFILE)
            rs_credential = peer.credential(rs_public, server).cred
            return response if renewed else replace(response, rs_credential=rs_credential, series=series)
        if renewed:
            access_token = await self._write_down(client, server, asked, decision, proof=renewed, series=renewed)
            return _response(access_token, decision, token_upload.PROFILE)
        material = InputMaterial(
            self._random_bytes(_SERIES_SIZE),
            Secret(self._random_bytes(_SECRET_SIZE)),
            self._random_bytes(_SALT_SIZE),
        )
        access_token = await self._write_down(client, server, asked, decision, proof=material, series=material.id)
        return replace(_response(access_token, decision, token_upload.PROFILE), material=material)

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
        try:
            # Every bit of it is ours: it has the hash of a token that was written down.
            signed = (
                sealed_token.unseal(shown, self._token_key_of(requester)) if sealed_token.is_sealed(shown) else shown
            )
            claims = cwt.decode(signed).claims.values
        except (AuthenticationError, StateError):
            # Sealed under keys of before it joined anew: it cannot read it, so it is no token for it.
            return codec.encode({_Introspection.ACTIVE: False})
        profile = edhoc_profile.PROFILE if signed is shown else token_upload.PROFILE
        told = {name: claims[name] for name in _SHOWN if name in claims}
        return codec.encode({_Introspection.ACTIVE: True, Claim.ACE_PROFILE: profile, **told})

    def _renewed(self, client: ThingId, server: ThingId, asked: TokenRequest, *, is_shared: bool) -> bytes:
        """Of which series another is asked for; empty for none."""
        series, foreign = (asked.kid, asked.series) if is_shared else (asked.series, asked.kid)
        if foreign or (series and not self._tokens.is_in_use(series, subject=client, audience=server)):
            raise StateError("expected a token that counts, to issue another of it", reason="invalid_request")
        return series

    async def _write_down(
        self,
        client: ThingId,
        server: ThingId,
        asked: TokenRequest,
        decision: PeerDecision,
        *,
        proof: PublicKeyCredential | InputMaterial | bytes,
        series: bytes,
    ) -> bytes:
        """The token; it is on disk and in the ledger when this returns."""
        at = self._clock.utc().replace(microsecond=0)
        expires = at + decision.lifetime
        counted = not decision.has_clock
        cti = exi.token_id(server, self._tokens.number(server)) if counted else self._random_bytes(_CTI_SIZE)
        encoded = token.issue(
            proof,
            self._key,
            issuer=self._domain,
            subject=client,
            audience=server,
            scope=decision.scope,
            at=at,
            expires=expires,
            cti=cti,
            signature_id=AlgorithmId.ESP256,
            cnonce=asked.cnonce,
            exi=int(decision.lifetime.total_seconds()) if counted else None,
            series=series if isinstance(proof, PublicKeyCredential) else b"",
        )
        if not isinstance(proof, PublicKeyCredential):
            nonce = self._random_bytes(sealed_token.NONCE_SIZE)
            encoded = sealed_token.seal(encoded, self._token_key_of(server), nonce=nonce)
        token_hash = token.token_hash(encoded)
        details: dict[str, Detail] = {"audience": server, "rule": decision.rule, "hash": token_hash}
        draft = Draft(at, Kind.ISSUE, _ACTOR, client, "token", details)
        await self._tokens.note(token_hash, IssuedToken(client, server, expires, series=series), entries=[draft])
        return encoded


def _response(access_token: bytes, decision: PeerDecision, profile: int) -> TokenResponse:
    return TokenResponse(access_token, int(decision.lifetime.total_seconds()), decision.scope, profile=profile)


_POP_KEY = "unsupported_pop_key"
