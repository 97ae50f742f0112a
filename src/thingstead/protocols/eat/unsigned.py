"""Claims without a signature of their own: inside a secure channel, and beside a token that has their digest."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.cbor.shape import octets, record, text
from thingstead.protocols.eat import claims as claims_set
from thingstead.protocols.eat.claims import LIMITS, ClaimsSet, DetachedDigest
from thingstead.protocols.eat.evidence import AuthenticEvidence

__all__ = ["Bundle", "ConveyedClaims", "decode_bundle", "decode_conveyed", "detached_claims"]

_UCCS, _BUNDLE = 601, 602
_MAX_DETACHED = 32
_HASHES = frozenset({int(AlgorithmId.SHA_256), int(AlgorithmId.SHA_384), int(AlgorithmId.SHA_512)})
_SEAL = object()


@dataclass(frozen=True, slots=True)
class ConveyedClaims:
    """Claims that came over a channel whose other end was authenticated; made by `decode_conveyed` alone.

    Attributes:
        claims: what was said.
        peer: who said it: they are worth what that one is, and no more to anybody else (RFC 9781 §3).
    """

    claims: ClaimsSet
    peer: str
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a ConveyedClaims is made by unsigned.decode_conveyed")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A detached EAT bundle: a token, and claims of which it has the digests (RFC 9711 §5).

    Attributes:
        token: CBOR as bytes, JSON as text; nothing in it is proved.
        detached: encoded Claims-Sets by the name of their submodule.
    """

    token: bytes | str
    detached: Mapping[str, bytes]


def decode_conveyed(data: bytes, *, peer: str) -> ConveyedClaims:
    """Decode unprotected claims under tag 601 (RFC 9781 §2).

    Args:
        data: as received.
        peer: who a secure channel proved the other end to be; empty where it came in clear.

    Raises:
        UntrustedError: it came in clear.
        DecodeError: another tag, or outside the grammar.
    """
    if not peer:
        raise UntrustedError("expected unsigned claims inside a secure channel", spec="RFC 9781 §3", reason="unsigned")
    value = codec.decode(data, limits=LIMITS)
    if not isinstance(value, Tag) or value.tag != _UCCS:
        raise DecodeError(f"expected tag {_UCCS} in front of unprotected claims", spec="RFC 9781 §2")
    return ConveyedClaims(claims_set.from_map(value.value), peer, _SEAL)


def decode_bundle(data: bytes) -> Bundle:
    """Decode a detached bundle, under tag 602 or without it, and prove nothing.

    Raises:
        DecodeError: outside the grammar.
    """
    value = codec.decode(data, limits=LIMITS)
    is_tagged = isinstance(value, Tag) and value.tag == _BUNDLE
    return Bundle(*record(_token, _detached)(value.value if is_tagged else value))


def detached_claims(bundle: Bundle, evidence: AuthenticEvidence) -> dict[str, ClaimsSet]:
    """The claims of a bundle for whose digests the token vouches.

    Args:
        bundle: as it came.
        evidence: its token, authenticated.

    Raises:
        UntrustedError: claims that the token has no digest of, or a token of another bundle.
        AuthenticationError: other claims than those that were digested.
        UnsupportedError: a hash that we do not have.
        DecodeError: claims outside their grammar.
    """
    if bundle.token != evidence.encoded:
        raise UntrustedError("the bundle is of another token", spec="RFC 9711 §5", reason="bundle")
    found = {}
    for name, encoded in bundle.detached.items():
        said = evidence.claims.submodules.get(name)
        if not isinstance(said, DetachedDigest):
            raise UntrustedError(f"the token has no digest of {name!r:.40}", spec="RFC 9711 §5", reason="bundle")
        if said.digest_id not in _HASHES or not isinstance(said.digest_id, int):
            raise UnsupportedError(f"expected a hash that we have, got {said.digest_id!r:.40}", spec="RFC 9711 §4.2.18")
        if not hmac.compare_digest(digest(encoded, said.digest_id), said.digest):
            raise AuthenticationError(f"{name!r:.40} is not what was digested", spec="RFC 9711 §5", reason="digest")
        found[name] = claims_set.decode(encoded)
    return found


def _token(value: Any) -> bytes | str:
    if not isinstance(value, bytes | str):
        raise DecodeError("expected the main token as bytes or text", spec="RFC 9711 §5")
    return value


def _detached(value: Any) -> dict[str, bytes]:
    if not isinstance(value, Mapping) or not 0 < len(value) <= _MAX_DETACHED:
        raise DecodeError(f"expected 1 to {_MAX_DETACHED} detached Claims-Sets", spec="RFC 9711 §5")
    return {text(name): octets()(encoded) for name, encoded in value.items()}
