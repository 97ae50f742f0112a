"""The access token: one signed statement of who may do what where, bound to a key (RFC 9200 §5.10, RFC 8747)."""

from __future__ import annotations

import base64
from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta
from typing import Any

from thingstead.crypto.digest import digest
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.ace import aif, edhoc_profile
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.exi import MAX_EXI
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import confirmation
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.ccs import PublicKeyCredential
from thingstead.protocols.cwt.claims import Claim, Claims
from thingstead.protocols.cwt.confirmation import Confirmation

__all__ = ["AccessToken", "Rights", "ShownToken", "authenticate", "authenticate_shown", "issue", "token_hash"]

_SEAL = object()
_HEAD = bytes.fromhex("d83dd2")
_OF_FOUR, _NOTHING_OPEN = b"\x84", b"\xa0"
_SHA_256 = b"\x01"  # suite of the Named Information Hash Algorithm Registry (RFC 6920 §9.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a token says that held, whoever shows it.

    Attributes:
        issuer: the authorization server.
        subject: who it was issued to.
        audience: the resource server that authenticated it.
        scope: what it allows there.
        issued_at: UTC.
        expires: UTC.
        exi: seconds that it is good for from when it first comes, for who has no clock; None where it says nothing.
        cnonce: what the resource server gave its client to bring back; None where it gave nothing.
        series: of the tokens that take each other's place; empty for none.
        cti: names the token. Revocation inside one domain goes by it: the signature covers it, while a holder
            can turn one valid ECDSA signature into another and so change the token's hash.
        encoded: the token as received.
    """

    issuer: str
    subject: str
    audience: str
    scope: Scope
    issued_at: datetime
    expires: datetime
    exi: int | None
    cnonce: bytes | None
    series: bytes
    cti: bytes
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a token that held is made by who authenticates it")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken(Rights):
    """A token that held, presented by the key it is bound to; made by `authenticate` and by nothing else.

    Attributes:
        public: the key of its holder.
    """

    public: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownToken(Rights):
    """A token that held, of which nobody knows yet whether its holder shows it; made by `authenticate_shown` alone.

    Attributes:
        proof: what has to be proven.
    """

    proof: Confirmation


def issue(
    proof: PublicKey | PublicKeyCredential | InputMaterial | bytes,
    key: PrivateKey,
    *,
    issuer: str,
    subject: str,
    audience: str,
    scope: Scope,
    at: datetime,
    expires: datetime,
    cti: bytes,
    signature_id: int,
    kid: bytes = b"",
    cnonce: bytes | None = None,
    exi: int | None = None,
    series: bytes = b"",
) -> bytes:
    """Issue an access token bound to `proof` (RFC 9200 §5.8.2).

    Args:
        proof: the holder's key, by itself or as the credential that EDHOC takes; what it shares with the resource
            server, and then the token has to be sealed; or the name of what it shared before (RFC 9203 §3.2).
        key: the authorization server's.
        issuer: `iss`.
        subject: `sub`.
        audience: `aud`, one resource server.
        scope: what it allows.
        at: now, aware.
        expires: `exp`, aware.
        cti: unique per issuer, at most 64 bytes; with `exi`, of `exi.token_id`.
        signature_id: COSE algorithm, one of the server's key.
        kid: identifier of the server's key.
        cnonce: what the resource server wants to see again (RFC 9200 §5.8.4.4).
        exi: seconds from when it first comes, for a resource server without a clock (RFC 9200 §5.10.3).
        series: which tokens it takes the place of, and which take its (`edhoc_profile`).

    Raises:
        DecodeError: a value that `authenticate` would refuse.
        ExpiredError: `expires` is not after `at`.
    """
    values = {
        Claim.ISS.value: issuer,
        Claim.SUB.value: subject,
        Claim.AUD.value: audience,
        Claim.EXP.value: expires,
        Claim.IAT.value: at,
        Claim.CTI.value: cti,
        Claim.CNF.value: _cnf(proof),
        Claim.SCOPE.value: aif.encode(scope),
        **({} if cnonce is None else {Claim.CNONCE.value: cnonce}),
        **({} if exi is None else {Claim.EXI.value: exi}),
        **({} if not series else {Claim.EDHOC_INFO.value: edhoc_profile.information(series)}),
    }
    data = cwt.issue(values, key, signature_id=signature_id, kid=kid)
    authenticate_shown(data, key.public, accept=frozenset({signature_id}), at=at, issuer=issuer, audience=audience)
    return data


def authenticate(
    data: bytes,
    public: PublicKey,
    *,
    accept: frozenset[int],
    at: datetime,
    issuer: str,
    audience: str,
    presenter: PublicKey,
    leeway: timedelta = timedelta(0),
) -> AccessToken:
    """Verify an access token and that its presenter is its holder (RFC 9200 §5.10.1.1).

    Args:
        data: the token as received.
        public: the authorization server's key.
        accept: signature algorithms that the policy accepts.
        at: now, aware.
        issuer: what `iss` must say.
        audience: the resource server's own name.
        presenter: the key that the peer has proved; `cnf` must hold it.
        leeway: how far the two clocks may be apart.

    Raises:
        DecodeError: outside the grammar, a claim missing, or another encoding of the same token.
        UnsupportedError: an algorithm outside `accept`, or a permission that nobody can enforce.
        AuthenticationError: the signature does not verify.
        UntrustedError: another issuer, audience or holder; `reason` tells which.
        ExpiredError: outside its validity.
    """
    parsed = _parse(data)
    valid = cwt.verify(parsed, public, accept=accept, at=at, issuer=issuer, audience=audience, leeway=leeway)
    # A key that is written as ours would be is ours; only another has to be made a point of, and looked at.
    if valid.claims.values.get(Claim.CNF) != confirmation.for_public(presenter) and (
        valid.confirmation.require_public() != presenter
    ):
        raise UntrustedError("the token is bound to another key", spec="RFC 8747 §2", reason="presenter")
    return AccessToken(**_rights(valid.claims, issuer, audience, data), public=presenter, seal=_SEAL)


def authenticate_shown(
    data: bytes,
    public: PublicKey,
    *,
    accept: frozenset[int],
    at: datetime | None,
    issuer: str,
    audience: str,
    encoded: bytes = b"",
) -> ShownToken:
    """The same before anything was proven; arguments and errors as for `authenticate`, but for these.

    Args:
        at: now; None for who has no clock, and judges by `exi` and `cnonce` how long it counts: then the token's own
            beginning stands for it, which is a time that has been.
        encoded: what was received, where `data` came out of it (`sealed_token`).
    """
    parsed = _parse(data)
    now = at if at is not None else parsed.claims.required_date(Claim.IAT)
    valid = cwt.verify(parsed, public, accept=accept, at=now, issuer=issuer, audience=audience)
    return ShownToken(**_rights(valid.claims, issuer, audience, encoded or data), proof=valid.confirmation, seal=_SEAL)


def _rights(claims: Claims, issuer: str, audience: str, encoded: bytes) -> dict[str, Any]:
    information, exi = claims.values.get(_EDHOC_INFO), claims.values.get(_EXI)
    if exi is not None and not 0 < exi <= MAX_EXI:
        raise DecodeError(f"expected exi of 1 to {MAX_EXI} seconds", spec="RFC 9200 §5.10.3")
    return {
        "issuer": issuer,
        "subject": claims.text(Claim.SUB),
        "audience": audience,
        "scope": _scope(claims),
        "issued_at": claims.required_date(Claim.IAT),
        "expires": claims.required_date(Claim.EXP),
        "exi": exi,
        "cnonce": claims.values.get(_CNONCE),
        "series": b"" if information is None else edhoc_profile.series_of(information),
        "cti": claims.token_id(),
        "encoded": encoded,
    }


def _cnf(proof: PublicKey | PublicKeyCredential | InputMaterial | bytes) -> dict[int, Any]:
    if isinstance(proof, PublicKey):
        return confirmation.for_public(proof)
    if isinstance(proof, PublicKeyCredential):
        return confirmation.for_credential(codec.decode(proof.encoded))
    return confirmation.for_kid(proof) if isinstance(proof, bytes) else confirmation.for_shared(proof.as_map())


_CNONCE, _EXI, _EDHOC_INFO = int(Claim.CNONCE), int(Claim.EXI), int(Claim.EDHOC_INFO)


def token_hash(encoded: bytes) -> bytes:
    """Name of a token in a token revocation list (RFC 9770 §4): 33 bytes, of which the first names SHA-256.

    Args:
        encoded: the value of `access_token` as the authorization server sent it in CBOR.
    """
    return _SHA_256 + digest(base64.urlsafe_b64encode(encoded).rstrip(b"="))


def _parse(data: bytes) -> cwt.UnverifiedToken:
    """Parse a token; refused is what RFC 9770 §3 forbids: bytes that nobody signed and that would change its hash."""
    if not data.startswith(_HEAD):
        raise DecodeError("expected an access token as 61(18(...))", spec="RFC 9770 §3")
    parsed = cwt.decode(data)
    # What was read is put together again, so that neither another head nor anything unprotected was passed over.
    protected, payload = codec.encode(parsed.headers.encoded), codec.encode(parsed.payload)
    if data != _HEAD + _OF_FOUR + protected + _NOTHING_OPEN + payload + codec.encode(parsed.signature):
        raise DecodeError("expected an access token in shortest form, with nothing unprotected", spec="RFC 9770 §3")
    return parsed


def _scope(claims: Claims) -> Scope:
    scope = claims.required(Claim.SCOPE)
    if not isinstance(scope, bytes):
        raise DecodeError("expected a scope of AIF in a byte string", spec="RFC 9200 §5.8.1; RFC 9237 §3")
    return aif.decode(scope)
