"""The wipe: a domain asks a thing to forget it, and the thing signs what it forgot, so that it can be shown later.

The request is a CBOR byte string, a nonce; or an array of it and the link of custody that names the next owner. The
receipt is a COSE_Sign1 by the thing's identity key over
``[format, thing, domain, [what was erased], seconds since 1970, nonce]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime, timedelta

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1

__all__ = ["WipeReceipt", "WipeRequest", "authenticate", "decode_request", "encode_request", "sign"]

_FORMAT = 1
_NONCE_SIZES = range(8, 33)
_LIMITS = codec.Limits(max_bytes=1 << 13, max_depth=3)
_CONTEXT = b"thingstead wipe receipt 1"
"""Covered by the signature and not carried: no other signature of the same key can pass for a receipt."""
_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_SECONDS = 1 << 37
_SEAL = object()


@dataclass(frozen=True, slots=True)
class WipeReceipt:
    """What a thing has signed; made by `authenticate` and by nothing else.

    Attributes:
        thing: the id that the domain gave it.
        domain: which domain it forgot.
        erased: names of what it erased.
        at: when, by the thing's own clock.
        encoded: the receipt as received.
    """

    thing: str
    domain: str
    erased: tuple[str, ...]
    at: datetime
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a WipeReceipt is made by wipe.authenticate")


@dataclass(frozen=True, slots=True)
class WipeRequest:
    """What a domain asks for.

    Attributes:
        nonce: 8 to 32 fresh random bytes that the receipt must hold.
        link: of custody, which names the next owner; empty where there is none.
    """

    nonce: bytes
    link: bytes = b""


def encode_request(nonce: bytes, link: bytes = b"") -> bytes:
    """The payload of the POST; see `WipeRequest`."""
    return codec.encode([nonce, link] if link else nonce)


def decode_request(payload: bytes) -> WipeRequest:
    """Read the payload.

    Raises:
        DecodeError: no nonce of 8 to 32 bytes, or something else beside it than a link.
    """
    match codec.decode(payload, limits=_LIMITS):
        case bytes(nonce) if len(nonce) in _NONCE_SIZES:
            return WipeRequest(nonce)
        case [bytes(nonce), bytes(link)] if len(nonce) in _NONCE_SIZES and link:
            return WipeRequest(nonce, link)
        case _:
            raise DecodeError("expected a nonce of 8 to 32 bytes in a request to wipe")


def sign(thing: str, domain: str, erased: Sequence[str], *, at: datetime, nonce: bytes, key: PrivateKey) -> bytes:
    """Sign a receipt with the thing's identity key (ESP256)."""
    seconds = (at - _EPOCH) // timedelta(seconds=1)
    payload = codec.encode([_FORMAT, thing, domain, list(erased), seconds, nonce])
    return sign1.sign(payload, key, signature_id=AlgorithmId.ESP256, external_aad=_CONTEXT)


def authenticate(data: bytes, public: PublicKey, *, thing: str, domain: str, nonce: bytes) -> WipeReceipt:
    """Verify that `thing` has forgotten `domain`, on this request.

    Raises:
        DecodeError: not a receipt.
        UnsupportedError: another signature algorithm.
        AuthenticationError: another key signed it.
        UntrustedError: about another thing, domain or request.
    """
    signed = sign1.authenticate(sign1.decode(data, limits=_LIMITS), public, accept=_ACCEPT, external_aad=_CONTEXT)
    match codec.decode_deterministic(signed.payload, limits=_LIMITS):
        case [int(version), str(named), str(issuer), list(erased), int(seconds), bytes(answered)] if (
            version == _FORMAT and all(isinstance(name, str) for name in erased) and 0 <= seconds < _MAX_SECONDS
        ):
            about = (named, issuer, answered)
        case _:
            raise DecodeError(f"expected a wipe receipt of format {_FORMAT}")
    if about != (thing, domain, nonce):
        raise UntrustedError("the wipe receipt is about another thing, domain or request", reason="receipt")
    return WipeReceipt(thing, domain, tuple(erased), _EPOCH + timedelta(seconds=seconds), data, seal=_SEAL)
