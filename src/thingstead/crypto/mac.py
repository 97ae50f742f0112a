"""MACs by COSE number, HMAC and AES-CBC-MAC, and the key derivation that AES-CBC-MAC serves (RFC 9053 §3, §5.1)."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.crypto.digest import hmac_tag
from thingstead.errors import AuthenticationError
from thingstead.secret import Secret

__all__ = ["aes_expand", "mac_tag", "verify_mac"]

_BLOCK = 16
_AES_MACS = frozenset(
    {
        AlgorithmId.AES_MAC_128_64,
        AlgorithmId.AES_MAC_256_64,
        AlgorithmId.AES_MAC_128_128,
        AlgorithmId.AES_MAC_256_128,
    }
)


def mac_tag(secret: Secret, data: bytes, mac_id: int) -> bytes:
    """Compute a MAC, cut to the length that the algorithm names.

    AES-CBC-MAC is safe over inputs of which none begins another: COSE's begin with their count (RFC 9053 §3.2.1).

    Raises:
        UnsupportedError: not a MAC that we have.
        ValueError: a key of the wrong length.
    """
    row = algorithm(mac_id, Kind.MAC)
    if row.id not in _AES_MACS:
        return hmac_tag(secret, data, row.id)
    if len(secret) != row.key_size:
        raise ValueError(f"{row.name} takes a key of {row.key_size} bytes, got {len(secret)}")
    return _cbc_mac(secret, data)[: row.output_size]


def verify_mac(secret: Secret, data: bytes, tag: bytes, mac_id: int) -> None:
    """Check a MAC in constant time.

    Raises:
        AuthenticationError: it does not verify.
        UnsupportedError: not a MAC that we have.
    """
    if not hmac.compare_digest(mac_tag(secret, data, mac_id), tag):
        raise AuthenticationError("the MAC does not verify", spec="RFC 9052 §6.3")


def aes_expand(secret: Secret, *, info: bytes, size: int) -> bytes:
    """HKDF-Expand with AES-CBC-MAC as its function; the key is used as it is, without extraction (RFC 9053 §5.1).

    Raises:
        ValueError: a key of another length than 16, 24 or 32 bytes, or more than 255 blocks.
    """
    if not 0 < size <= 255 * _BLOCK:
        raise ValueError(f"expected 1 to {255 * _BLOCK} bytes to derive, got {size}")
    output, block = b"", b""
    for counter in range(1, -(-size // _BLOCK) + 1):
        block = _cbc_mac(secret, block + info + bytes([counter]))
        output += block
    return output[:size]


def _cbc_mac(secret: Secret, data: bytes) -> bytes:
    """The last block under an IV of zeros, the input padded with zeros (RFC 9053 §3.2)."""
    context = Cipher(algorithms.AES(secret.reveal()), modes.CBC(bytes(_BLOCK))).encryptor()
    padded = data + bytes(-len(data) % _BLOCK)
    return (context.update(padded) + context.finalize())[-_BLOCK:]
