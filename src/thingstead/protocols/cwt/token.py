"""Issue and authenticate a signed CWT (RFC 8392 §7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta
from typing import Any

from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.cose.sign1 import Sign1
from thingstead.protocols.cwt import claims as claims_set
from thingstead.protocols.cwt import confirmation
from thingstead.protocols.cwt.claims import Claim, Claims
from thingstead.protocols.cwt.confirmation import Confirmation

__all__ = ["CWT_HEAD", "LIMITS", "UnverifiedToken", "ValidToken", "authenticate", "decode", "issue", "verify"]

CWT_HEAD = bytes.fromhex("d83d")
"""Tag 61 (RFC 8392 §6), in its shortest form."""

LIMITS = codec.Limits(max_bytes=1 << 14)
"""A token with an ML-DSA-87 key and signature takes under 8 kB."""

_SEAL = object()


@dataclass(slots=True)
class UnverifiedToken(Sign1):
    """A parsed token, which is a COSE_Sign1: good for finding the key to verify it with, and for nothing else.

    Attributes:
        claims: what it says, unproved.
    """

    claims: Claims


@dataclass(frozen=True, slots=True)
class ValidToken:
    """A token whose signature, dates, issuer and audience held; made by `authenticate` and by nothing else.

    Attributes:
        claims: what the signer vouches for.
        signer: the key that verified it, chosen by the caller.
        signature_id: the algorithm that verified it.
        encoded: the whole token as received.
    """

    claims: Claims
    signer: PublicKey
    signature_id: int
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a ValidToken is made by token.authenticate")

    @property
    def confirmation(self) -> Confirmation:
        """The key that the presenter must prove (RFC 8747 §3).

        Raises:
            DecodeError: no `cnf`, or one outside its grammar.
            UnsupportedError: a method or key type that we do not have.
        """
        return confirmation.decode(self.claims.required(Claim.CNF))


def issue(values: Mapping[Any, Any], key: PrivateKey, *, signature_id: int, kid: bytes = b"") -> bytes:
    """Sign a claims set as 61(18([...])), every header protected.

    Both tags and an empty unprotected bucket leave a bearer nothing to vary (RFC 9770 §3).

    Args:
        values: claims by key; a datetime becomes a NumericDate.
        key: handle on the issuer's private key.
        signature_id: COSE algorithm, one of the key's.
        kid: identifier of the key; left out when empty.

    Raises:
        DecodeError: claims of the wrong type.
        UnsupportedError: the algorithm is not one of this key.
    """
    protected = {Label.KID: kid} if kid else {}
    return CWT_HEAD + sign1.sign(claims_set.encode(values), key, signature_id=signature_id, protected=protected)


def decode(data: bytes, *, limits: codec.Limits = LIMITS) -> UnverifiedToken:
    """Parse a token, with or without its tags, and prove nothing (RFC 8392 §7.2 steps 1 to 4).

    Raises:
        DecodeError: not a COSE_Sign1 over a claims set.
        UnsupportedError: a critical header parameter.
    """
    headers, payload, signature = sign1.parts(data.removeprefix(CWT_HEAD), limits=limits)
    if payload is None:
        raise DecodeError("expected a token with its claims attached", spec="RFC 8392 §7.1")
    return UnverifiedToken(headers, payload, signature, data, claims_set.decode(payload, limits=limits))


def authenticate(
    data: bytes,
    public: PublicKey,
    *,
    accept: frozenset[int],
    at: datetime,
    issuer: str,
    audience: str | None = None,
    leeway: timedelta = timedelta(0),
    limits: codec.Limits = LIMITS,
) -> ValidToken:
    """Verify signature, issuer, dates and audience of a token, in this order (RFC 8392 §7.2, RFC 9200 §5.10.1.1).

    Args:
        data: the token as received.
        public: the issuer's key, as the caller knows it.
        accept: signature algorithms that the caller's policy accepts.
        at: now, aware.
        issuer: what `iss` must say: a key may speak for one name only.
        audience: the caller's own name, which `aud` must hold; None where the token must name nobody.
        leeway: how far the two clocks may be apart.
        limits: bounds on the token.

    Raises:
        DecodeError: outside the grammar.
        UnsupportedError: an algorithm outside `accept`.
        AuthenticationError: the signature does not verify.
        UntrustedError: another issuer, or meant for somebody else; `reason` is ``issuer`` or ``audience``.
        ExpiredError: outside its validity.
    """
    return verify(
        decode(data, limits=limits), public, accept=accept, at=at, issuer=issuer, audience=audience, leeway=leeway
    )


def verify(
    parsed: UnverifiedToken,
    public: PublicKey,
    *,
    accept: frozenset[int],
    at: datetime,
    issuer: str,
    audience: str | None = None,
    leeway: timedelta = timedelta(0),
) -> ValidToken:
    """The same of a token that is parsed already; arguments and errors as for `authenticate`."""
    claims = parsed.claims
    signature_id = sign1.verify(parsed, public, accept=accept)
    if claims.values.get(_ISS) != issuer:
        claims.text(Claim.ISS)
        raise UntrustedError(f"expected a token of {issuer!r}", spec="RFC 8392 §3.1.1", reason="issuer")
    claims_set.check_validity(claims, at=at, leeway=leeway)
    if claims.values.get(_AUD) != audience:
        _check_audience(claims, audience)
    return ValidToken(claims, public, signature_id, parsed.encoded, _SEAL)


_ISS, _AUD = int(Claim.ISS), int(Claim.AUD)


def _check_audience(claims: Claims, audience: str | None) -> None:
    """Where `aud` is not just the name that is wanted, but perhaps a list with it, or one of nobody."""
    wanted = claims.audience
    if (audience is None and wanted) or (audience is not None and audience not in wanted):
        whom = repr(audience) if audience else "nobody in particular"
        raise UntrustedError(f"expected a token for {whom}", spec="RFC 8392 §3.1.3", reason="audience")
