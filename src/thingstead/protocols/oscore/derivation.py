"""Keys, Common IV and nonces from a Master Secret (RFC 8613 §3.2.1, §5.2)."""

from __future__ import annotations

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import hkdf
from thingstead.errors import UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

__all__ = ["KeyDerivation", "nonce_base"]

_HASHES = (AlgorithmId.SHA_256, AlgorithmId.SHA_512)


class KeyDerivation:
    """HKDF over one Master Secret, Master Salt and ID Context: kept only while keys may still be derived."""

    __slots__ = ("_digest_id", "_id_context", "_salt", "_secret")

    def __init__(self, master_secret: Secret, *, master_salt: bytes, id_context: bytes | None, digest_id: int) -> None:
        if digest_id not in _HASHES:
            raise UnsupportedError(f"expected HKDF with SHA-256 or SHA-512, got {digest_id}", spec="RFC 8613 §3.2")
        self._secret = master_secret
        self._salt = master_salt
        self._id_context = id_context
        self._digest_id = digest_id

    def derive(self, label: str, *, id_: bytes, algorithm_id: int, size: int) -> bytes:
        """``HKDF(salt, secret, [id, id_context, alg, label, L], L)``; the Common IV has an empty id."""
        info = codec.encode([id_, self._id_context, algorithm_id, label, size])
        return hkdf(self._secret, salt=self._salt, info=info, size=size, digest_id=self._digest_id)


def nonce_base(common_iv: bytes, id_piv: bytes) -> int:
    """The nonce of Partial IV zero, as a number: XOR with a sequence number gives that number's nonce.

    Args:
        common_iv: as long as the nonce, at least 7 bytes.
        id_piv: Sender ID of whoever generated the Partial IV, at most 6 bytes shorter than the nonce.
    """
    size = len(common_iv)
    padded = bytes((len(id_piv),)) + id_piv.rjust(size - 6, b"\0") + bytes(5)
    return int.from_bytes(common_iv, "big") ^ int.from_bytes(padded, "big")
