"""The algorithms of a group, and what follows from them (RFC 10021 §2.1, §3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from thingstead.crypto.aead import aead, apply_stream
from thingstead.crypto.algorithm import REGISTRY, AlgorithmId, Kind, algorithm
from thingstead.errors import UnsupportedError
from thingstead.secret import Secret

__all__ = ["Cipher", "GroupAlgorithms", "group_cipher"]

_SPEC = "RFC 10021 §2.1"
_AGREEMENT_HASH = {
    AlgorithmId.ECDH_SS_HKDF_256: AlgorithmId.SHA_256,
    AlgorithmId.ECDH_SS_HKDF_512: AlgorithmId.SHA_512,
}


class Cipher(Protocol):
    """What encrypts a message under one key."""

    def encrypt(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Ciphertext, with a tag behind it where the algorithm has one."""
        ...

    def decrypt(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
        """The plaintext, verified where the algorithm can."""
        ...


@dataclass(frozen=True, slots=True)
class GroupAlgorithms:
    """What the Group Manager chose: group mode, pairwise mode or both.

    Attributes:
        aead_id: of the pairwise mode, or None.
        group_encryption_id: of the group mode, an AEAD or AES-CTR, or None.
        signature_id: of the group mode, or None.
        agreement_id: of the pairwise mode, or None; its hash is the group's.
        digest_id: hash of the group's HKDF, SHA-256 or SHA-512.
    """

    aead_id: int | None = AlgorithmId.AES_CCM_16_64_128
    group_encryption_id: int | None = AlgorithmId.AES_CCM_16_64_128
    signature_id: int | None = AlgorithmId.ESP256
    agreement_id: int | None = AlgorithmId.ECDH_SS_HKDF_256
    digest_id: int = AlgorithmId.SHA_256

    def __post_init__(self) -> None:
        if self.aead_id is not None:
            algorithm(self.aead_id, Kind.AEAD)
        if self.group_encryption_id is not None:
            _group_encryption(self.group_encryption_id)
        if self.signature_id is not None:
            algorithm(self.signature_id, Kind.SIGNATURE)
        if self.digest_id not in _AGREEMENT_HASH.values():
            raise UnsupportedError(
                f"expected SHA-256 or SHA-512 for HKDF, got {self.digest_id}", spec="RFC 10021 §2.1.3"
            )
        if self.agreement_id is not None and _AGREEMENT_HASH.get(_agreement(self.agreement_id)) != self.digest_id:
            raise UnsupportedError("the key agreement must use the hash of the group's HKDF", spec="RFC 10021 §2.1.10")
        if not self.has_group_mode and not self.has_pairwise_mode:
            raise UnsupportedError("expected the algorithms of the group mode or of the pairwise mode", spec=_SPEC)

    @property
    def has_group_mode(self) -> bool:
        """Group Encryption Algorithm and Signature Algorithm are set."""
        return self.group_encryption_id is not None and self.signature_id is not None

    @property
    def has_pairwise_mode(self) -> bool:
        """AEAD Algorithm and Pairwise Key Agreement Algorithm are set."""
        return self.aead_id is not None and self.agreement_id is not None

    def require_group_mode(self) -> tuple[int, int]:
        """Group Encryption Algorithm and Signature Algorithm.

        Raises:
            UnsupportedError: the group has no group mode.
        """
        if self.group_encryption_id is None or self.signature_id is None:
            raise UnsupportedError("the group has no group mode", spec="RFC 10021 §5.4")
        return self.group_encryption_id, self.signature_id

    def require_pairwise_mode(self) -> int:
        """The AEAD Algorithm.

        Raises:
            UnsupportedError: the group has no pairwise mode.
        """
        if self.aead_id is None or self.agreement_id is None:
            raise UnsupportedError("the group has no pairwise mode", spec="RFC 10021 §5.4")
        return self.aead_id

    @property
    def derivation_id(self) -> int:
        """What stands for alg_aead when Sender Keys and the Common IV are derived (RFC 10021 §2.3)."""
        return self._encryption_ids[0]

    @property
    def nonce_sizes(self) -> list[int]:
        """Of the algorithms that are set, the smallest first."""
        return sorted(REGISTRY[number].nonce_size for number in self._encryption_ids)

    @property
    def _encryption_ids(self) -> list[int]:
        return [number for number in (self.group_encryption_id, self.aead_id) if number is not None]


def group_cipher(algorithm_id: int, key: Secret) -> Cipher:
    """Bind a Sender Key to the Group Encryption Algorithm.

    Raises:
        UnsupportedError: neither an AEAD nor a stream algorithm that we have.
    """
    if _group_encryption(algorithm_id) is Kind.AEAD:
        return aead(algorithm_id, key)
    return _StreamCipher(algorithm_id, key)


class _StreamCipher:
    """AES-CTR: the countersignature, which covers the AAD, is all the integrity there is (RFC 10021 §2.1.7)."""

    __slots__ = ("_algorithm_id", "_key")

    def __init__(self, algorithm_id: int, key: Secret) -> None:
        self._algorithm_id = algorithm_id
        self._key = key

    def encrypt(self, nonce: bytes, plaintext: bytes, _aad: bytes) -> bytes:
        return apply_stream(self._algorithm_id, self._key, nonce, plaintext)

    decrypt = encrypt


def _group_encryption(number: int) -> Kind:
    row = REGISTRY.get(number)
    if row is None or row.kind not in (Kind.AEAD, Kind.STREAM):
        raise UnsupportedError(f"expected a group encryption algorithm, got {number}", spec="RFC 10021 §2.1.7")
    return row.kind


def _agreement(number: int) -> AlgorithmId:
    return algorithm(number, Kind.AGREEMENT).id
