"""A request to a controller that its asker signed: who that is follows from the key, wherever the request came from.

A COSE_Sign1 over ``[format, domain, challenge, operation, arguments]``. The challenge is the controller's, fresh and
good once, so that a request is neither kept for later nor sent twice; the domain's name keeps it out of other domains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label

__all__ = ["CHALLENGE_SIZE", "SignedRequest", "authenticate", "decode_signer", "sign"]

CHALLENGE_SIZE = 16
"""Bytes of a challenge."""

_FORMAT = 1
_LIMITS = codec.Limits(max_bytes=1 << 16, max_depth=8)
_CONTEXT = b"thingstead signed request 1"
"""Covered by the signature and not carried: no other signature of the same key can pass for a request."""
_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_SEAL = object()


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What somebody asks with their key; made by `authenticate` and by nothing else.

    Attributes:
        signer: whose key.
        challenge: what it answers; whether that is open, and not spent, the controller knows.
        operation: what is asked.
        arguments: with what.
        encoded: the whole as received.
    """

    signer: PublicKey
    challenge: bytes
    operation: str
    arguments: Mapping[str, Any]
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a SignedRequest is made by signed_request.authenticate")


def sign(operation: str, arguments: Mapping[str, Any], key: PrivateKey, *, domain: str, challenge: bytes) -> bytes:
    """Sign a request (ESP256); the `kid` is the thumbprint of the key (RFC 9679 §5)."""
    payload = codec.encode([_FORMAT, domain, challenge, operation, dict(arguments)])
    protected = {Label.KID: cose_key.thumbprint(key.public)}
    return sign1.sign(payload, key, signature_id=AlgorithmId.ESP256, protected=protected, external_aad=_CONTEXT)


def decode_signer(data: bytes) -> bytes:
    """The thumbprint of the key that a request says it was signed with; good for finding that key, and nothing else.

    Raises:
        DecodeError: not a COSE_Sign1.
        UnsupportedError: a critical header parameter.
    """
    return sign1.decode(data, limits=_LIMITS).headers.kid


def authenticate(data: bytes, public: PublicKey, *, domain: str) -> SignedRequest:
    """Verify who asks.

    Raises:
        DecodeError: not a request.
        UnsupportedError: another signature algorithm.
        AuthenticationError: another key signed it.
        UntrustedError: it was signed for another domain.
    """
    signed = sign1.authenticate(sign1.decode(data, limits=_LIMITS), public, accept=_ACCEPT, external_aad=_CONTEXT)
    match codec.decode_deterministic(signed.payload, limits=_LIMITS):
        case [int(version), str(named), bytes(challenge), str(operation), dict(arguments)] if (
            version == _FORMAT and len(challenge) == CHALLENGE_SIZE and all(isinstance(name, str) for name in arguments)
        ):
            pass
        case _:
            raise DecodeError(f"expected a signed request of format {_FORMAT}")
    if named != domain:
        raise UntrustedError("the request was signed for another domain", reason="audience")
    return SignedRequest(public, challenge, operation, arguments, data, seal=_SEAL)
