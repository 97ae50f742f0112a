"""Hashes, HMAC and HKDF by COSE number (RFC 9054, RFC 2104, RFC 5869)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.errors import AuthenticationError, UnsupportedError
from thingstead.secret import Secret

__all__ = ["Hash", "digest", "hasher", "hkdf", "hkdf_expand", "hkdf_extract", "hmac_tag", "verify_hmac"]

_HASHLIB = {
    AlgorithmId.SHA_256: hashlib.sha256,
    AlgorithmId.SHA_384: hashlib.sha384,
    AlgorithmId.SHA_512: hashlib.sha512,
}
_MAC_HASH = {
    AlgorithmId.HMAC_256_64: "sha256",
    AlgorithmId.HMAC_256_256: "sha256",
    AlgorithmId.HMAC_384_384: "sha384",
    AlgorithmId.HMAC_512_512: "sha512",
}
_HASHES: dict[int, hashes.HashAlgorithm] = {
    AlgorithmId.SHA_256: hashes.SHA256(),
    AlgorithmId.SHA_384: hashes.SHA384(),
    AlgorithmId.SHA_512: hashes.SHA512(),
}


class Hash(Protocol):
    """A running hash."""

    def update(self, data: bytes, /) -> None:
        """Take more input."""
        ...

    def digest(self) -> bytes:
        """The hash of what came so far."""
        ...


def hasher(digest_id: int = AlgorithmId.SHA_256) -> Hash:
    """Start a running hash.

    Raises:
        UnsupportedError: not a hash that we have.
    """
    row = algorithm(digest_id, Kind.DIGEST)
    if row.id is AlgorithmId.SHAKE256:
        return _Shake256()
    return _HASHLIB[row.id]()


class _Shake256:
    """SHAKE256 with the 64 bytes of output that RFC 9054 §3.3 gives it."""

    def __init__(self) -> None:
        self._state = hashlib.shake_256()

    def update(self, data: bytes, /) -> None:
        self._state.update(data)

    def digest(self) -> bytes:
        return self._state.digest(64)


def digest(data: bytes, digest_id: int = AlgorithmId.SHA_256) -> bytes:
    """Hash `data` at once.

    Raises:
        UnsupportedError: not a hash that we have.
    """
    running = hasher(digest_id)
    running.update(data)
    return running.digest()


def hkdf(secret: Secret, *, salt: bytes, info: bytes, size: int, digest_id: int = AlgorithmId.SHA_256) -> bytes:
    """HKDF extract and expand (RFC 5869); an empty salt counts as hash-length zeros.

    Raises:
        UnsupportedError: not a hash that HKDF is used with here.
    """
    derivation = HKDF(algorithm=_hash(digest_id), length=size, salt=salt or None, info=info)
    return derivation.derive(secret.reveal())


def hkdf_extract(secret: Secret, *, salt: bytes, digest_id: int = AlgorithmId.SHA_256) -> Secret:
    """HKDF-Extract (RFC 5869 §2.2): a pseudorandom key of the hash's length.

    Raises:
        UnsupportedError: not a hash that HKDF is used with here.
    """
    chosen = _hash(digest_id)
    return Secret(hmac.digest(salt or bytes(chosen.digest_size), secret.reveal(), chosen.name))


def hkdf_expand(secret: Secret, *, info: bytes, size: int, digest_id: int = AlgorithmId.SHA_256) -> bytes:
    """HKDF-Expand (RFC 5869 §2.3) of a pseudorandom key.

    Raises:
        UnsupportedError: not a hash that HKDF is used with here.
    """
    return HKDFExpand(algorithm=_hash(digest_id), length=size, info=info).derive(secret.reveal())


def hmac_tag(secret: Secret, data: bytes, mac_id: int = AlgorithmId.HMAC_256_256) -> bytes:
    """Compute an HMAC, cut to the length that the algorithm names (RFC 9053 §3.1).

    Raises:
        UnsupportedError: not an HMAC that we have.
        ValueError: a key of the wrong length.
    """
    row = algorithm(mac_id, Kind.MAC)
    if row.id not in _MAC_HASH:
        raise UnsupportedError(f"expected an HMAC, got {row.name}", spec="RFC 9053 §3.1")
    if len(secret) != row.key_size:
        raise ValueError(f"{row.name} takes a key of {row.key_size} bytes, got {len(secret)}")
    return hmac.digest(secret.reveal(), data, _MAC_HASH[row.id])[: row.output_size]


def verify_hmac(secret: Secret, data: bytes, tag: bytes, mac_id: int = AlgorithmId.HMAC_256_256) -> None:
    """Check an HMAC in constant time.

    Raises:
        AuthenticationError: it does not verify.
        UnsupportedError: not an HMAC that we have.
    """
    if not hmac.compare_digest(hmac_tag(secret, data, mac_id), tag):
        raise AuthenticationError("the MAC does not verify", spec="RFC 9052 §6.3")


def _hash(digest_id: int) -> hashes.HashAlgorithm:
    chosen = _HASHES.get(digest_id)
    if chosen is None:
        raise UnsupportedError(f"expected a hash for HKDF, got {digest_id}", spec="RFC 9053 §5.1")
    return chosen
