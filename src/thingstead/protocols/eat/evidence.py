"""Evidence: an EAT as signed CWT, authentic, fresh and of the profile that the verifier reads (RFC 9711 §1.4, §6).

A signature alone makes nobody trusted: what comes out of here is what a thing says, and an appraisal by its profile
decides what that is worth.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, ReplayError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.cose.sign1 import Sign1
from thingstead.protocols.cwt import token
from thingstead.protocols.eat import claims as claims_set
from thingstead.protocols.eat.claims import LIMITS, ClaimsSet

__all__ = ["CONTENT_FORMAT", "AuthenticEvidence", "UnverifiedEvidence", "authenticate", "decode", "sign"]

CONTENT_FORMAT = 263
"""application/eat+cwt (RFC 9782 §6)."""

_SEAL = object()


@dataclass(slots=True)
class UnverifiedEvidence(Sign1):
    """A parsed token: good for finding the key to verify it with, and for nothing else.

    Attributes:
        claims: what it says, unproved.
    """

    claims: ClaimsSet


@dataclass(frozen=True, slots=True)
class AuthenticEvidence:
    """Evidence whose signature, nonce and profile held; made by `authenticate` and by nothing else.

    Attributes:
        claims: what the thing says of itself.
        profile: by whose rules.
        signer: the key that verified it, chosen by the caller.
        encoded: as received.
    """

    claims: ClaimsSet
    profile: str
    signer: PublicKey
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an AuthenticEvidence is made by evidence.authenticate")


def sign(values: Mapping[Any, Any], key: PrivateKey, *, signature_id: int) -> bytes:
    """Sign a Claims-Set as 61(18([...])); its type is protected, so that it passes for nothing else (RFC 9596).

    Raises:
        DecodeError: the claims break the grammar that `claims.decode` checks.
    """
    payload = codec.encode(dict(values))
    claims_set.decode(payload)
    return token.CWT_HEAD + sign1.sign(payload, key, signature_id=signature_id, protected={Label.TYP: CONTENT_FORMAT})


def decode(data: bytes, *, limits: codec.Limits = LIMITS) -> UnverifiedEvidence:
    """Parse a token, with or without its tags, and prove nothing.

    Raises:
        DecodeError: not a COSE_Sign1 over a Claims-Set, or said to be of another type.
        UnsupportedError: a critical header parameter.
    """
    headers, payload, signature = sign1.parts(data.removeprefix(token.CWT_HEAD), limits=limits)
    if payload is None:
        raise DecodeError("expected evidence with its claims attached", spec="RFC 9711 §1.4")
    if headers.protected.get(Label.TYP, CONTENT_FORMAT) != CONTENT_FORMAT:
        raise DecodeError("expected the type of an EAT in the protected header", spec="RFC 9596 §2", reason="type")
    return UnverifiedEvidence(headers, payload, signature, data, claims_set.decode(payload, limits=limits))


def authenticate(
    data: bytes, public: PublicKey, *, accept: frozenset[int], nonce: bytes, profile: str
) -> AuthenticEvidence:
    """Verify signature, profile and nonce of evidence, in this order.

    Args:
        data: as received.
        public: the key that this thing signs evidence with, as the caller knows it.
        accept: signature algorithms that the profile has.
        nonce: that the caller asked with, now; it answers no other.
        profile: the one that the caller appraises by.

    Raises:
        DecodeError: outside the grammar.
        UnsupportedError: an algorithm outside `accept`.
        AuthenticationError: the signature does not verify: altered, or another thing's.
        UntrustedError: of another profile, or of none; `reason` is ``profile``.
        ReplayError: it answers another nonce, or none, or several.
    """
    parsed = decode(data)
    sign1.verify(parsed, public, accept=accept)
    if parsed.claims.profile != profile:
        raise UntrustedError(
            f"expected evidence of the profile {profile}, got {parsed.claims.profile!r:.80}",
            spec="RFC 9711 §6",
            reason="profile",
        )
    if len(parsed.claims.nonces) != 1 or not hmac.compare_digest(parsed.claims.nonces[0], nonce):
        raise ReplayError("the evidence does not answer what was asked now", spec="RFC 9711 §4.1")
    return AuthenticEvidence(parsed.claims, profile, public, data, _SEAL)
