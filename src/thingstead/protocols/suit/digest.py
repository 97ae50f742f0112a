"""SUIT_Digest: which hash, and its bytes (draft-ietf-suit-manifest §10)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.crypto.digest import digest
from thingstead.errors import AuthenticationError, DecodeError
from thingstead.protocols.cbor import codec

__all__ = ["Digest", "decode_digest", "digest_of", "digest_of_member"]

_SPEC = "draft-ietf-suit-manifest §10"


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest of the length that its algorithm names.

    Attributes:
        algorithm_id: COSE number of a hash that we have.
        value: its output.
    """

    algorithm_id: int
    value: bytes

    def __post_init__(self) -> None:
        size = algorithm(self.algorithm_id, Kind.DIGEST).output_size
        if len(self.value) != size:
            raise DecodeError(f"expected a digest of {size} bytes, got {len(self.value)}", spec=_SPEC)

    def verify(self, data: bytes, *, what: str, reason: str) -> None:
        """Compare with the digest of `data`.

        Args:
            data: all of it.
            what: name for the error, e.g. ``"manifest"``.
            reason: slug for the error.

        Raises:
            AuthenticationError: another digest.
        """
        if not hmac.compare_digest(digest(data, self.algorithm_id), self.value):
            raise AuthenticationError(f"the {what} is not the one that was digested", spec=_SPEC, reason=reason)

    def encode(self) -> bytes:
        """The CBOR array."""
        return codec.encode([self.algorithm_id, self.value])


def digest_of(data: bytes, algorithm_id: int = AlgorithmId.SHA_256) -> Digest:
    """Digest `data` as it is: an image."""
    return Digest(int(algorithm_id), digest(data, algorithm_id))


def digest_of_member(body: bytes, algorithm_id: int = AlgorithmId.SHA_256) -> Digest:
    """Digest a manifest or a severed member, which counts with its byte string's head (§8.3, §8.4.12)."""
    return digest_of(codec.encode(body), algorithm_id)


def decode_digest(value: Any) -> Digest:
    """Read a SUIT_Digest out of a decoded array.

    Raises:
        DecodeError: not an algorithm and a digest of its length.
        UnsupportedError: a hash that we do not have.
    """
    match value:
        case [int() as number, bytes() as octets] if type(number) is int:
            return Digest(number, octets)
    raise DecodeError("expected an array of hash algorithm and digest", spec=_SPEC)
