"""A public key as a credential: an unsigned claims set, or the inside of a CWT (RFC 8392, RFC 9528 §3.5.2)."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.crypto.key import PublicKey
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import claims as claims_set
from thingstead.protocols.cwt import confirmation, token
from thingstead.protocols.cwt.claims import Claim

__all__ = ["PublicKeyCredential", "decode", "encode"]

_MAP = 0xA0  # major type 5


@dataclass(frozen=True, slots=True)
class PublicKeyCredential:
    """Whose key somebody claims this to be; trust comes from elsewhere.

    Attributes:
        public: the key in `cnf`.
        kid: the identifier inside the key, or empty.
        subject: the `sub` claim, or empty.
        encoded: the credential as received: these bytes enter every transcript, never others.
    """

    public: PublicKey
    kid: bytes
    subject: str
    encoded: bytes


def encode(public: PublicKey, *, kid: bytes = b"", subject: str = "") -> bytes:
    """Encode a CWT claims set (CCS) that holds a public key (RFC 9528 §3.5.2)."""
    named = {Claim.SUB.value: subject} if subject else {}
    return claims_set.encode({**named, Claim.CNF.value: confirmation.for_public(public, kid=kid)})


def decode(data: bytes, *, limits: codec.Limits = token.LIMITS) -> PublicKeyCredential:
    """Read the public key out of a CCS, or of a CWT whose signature is *not* looked at.

    Raises:
        DecodeError: neither, or no `cnf` with a public key.
        UnsupportedError: a key type or curve that we do not have.
    """
    is_map = bool(data) and data[0] & 0xE0 == _MAP
    claims = claims_set.decode(data, limits=limits) if is_map else token.decode(data, limits=limits).claims
    proof = confirmation.decode(claims.required(Claim.CNF))
    return PublicKeyCredential(proof.require_public(), proof.kid, claims.values.get(Claim.SUB, ""), data)
