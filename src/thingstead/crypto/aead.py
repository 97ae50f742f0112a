"""Authenticated encryption by COSE number. Build once per key and keep: construction costs more than a message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.errors import AuthenticationError, DecodeError
from thingstead.secret import Secret

__all__ = ["Aead", "aead", "apply_stream", "decrypt_pieces"]

# CCM with L = 2 counts at most 2**16 - 1 bytes (RFC 9053 §4.2); the library below aborts instead of refusing.
_CCM_MAX = (1 << 16) - 1
_BLOCK = 16


class _Cipher(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


def _ccm_8(key: bytes) -> _Cipher:
    return AESCCM(key, tag_length=8)


_CIPHERS: dict[int, Callable[[bytes], _Cipher]] = {
    AlgorithmId.A128GCM: AESGCM,
    AlgorithmId.A192GCM: AESGCM,
    AlgorithmId.A256GCM: AESGCM,
    AlgorithmId.AES_CCM_16_64_128: _ccm_8,
    AlgorithmId.AES_CCM_16_64_256: _ccm_8,
    AlgorithmId.AES_CCM_64_64_128: _ccm_8,
    AlgorithmId.AES_CCM_64_64_256: _ccm_8,
    AlgorithmId.AES_CCM_16_128_128: AESCCM,
    AlgorithmId.AES_CCM_16_128_256: AESCCM,
    AlgorithmId.AES_CCM_64_128_128: AESCCM,
    AlgorithmId.AES_CCM_64_128_256: AESCCM,
    AlgorithmId.CHACHA20_POLY1305: ChaCha20Poly1305,
}


class Aead:
    """One key of one AEAD algorithm. Nonce uniqueness is the caller's promise."""

    __slots__ = ("_cipher", "_max", "nonce_size", "tag_size")

    def __init__(self, cipher: _Cipher, *, nonce_size: int, tag_size: int, max_size: int) -> None:
        self._cipher = cipher
        self._max = max_size
        self.nonce_size = nonce_size
        self.tag_size = tag_size

    def encrypt(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Ciphertext followed by the tag.

        Raises:
            ValueError: a nonce of the wrong size, or a plaintext longer than the algorithm can count.
        """
        if len(nonce) != self.nonce_size:
            raise ValueError(f"expected a nonce of {self.nonce_size} bytes, got {len(nonce)}")
        if len(plaintext) > self._max:
            raise ValueError(f"at most {self._max} bytes fit under this algorithm")
        return self._cipher.encrypt(nonce, plaintext, aad)

    def decrypt(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
        """Verify and decrypt ciphertext ‖ tag.

        Raises:
            AuthenticationError: the tag does not verify.
            DecodeError: a nonce of the wrong size (GCM alone would take any), or a ciphertext
                shorter than a tag or longer than the algorithm can count.
        """
        if len(nonce) != self.nonce_size:
            raise DecodeError(f"expected a nonce of {self.nonce_size} bytes, got {len(nonce)}", spec="RFC 9053 §4")
        if not self.tag_size <= len(ciphertext) <= self._max + self.tag_size:
            raise DecodeError(f"expected {self.tag_size} to {self._max} bytes of ciphertext, got {len(ciphertext)}")
        try:
            return self._cipher.decrypt(nonce, ciphertext, aad)
        except InvalidTag:
            raise AuthenticationError("the AEAD tag does not verify", spec="RFC 9052 §5.3") from None


def aead(aead_id: int, key: Secret, *, max_size: int = 1 << 30) -> Aead:
    """Bind `key` to the algorithm `aead_id`.

    Args:
        aead_id: COSE number.
        key: as long as the algorithm says.
        max_size: bytes of the longest plaintext, where the caller wants fewer than the algorithm can count.

    Raises:
        UnsupportedError: not an AEAD that we have.
        ValueError: a key of the wrong length.
    """
    row = algorithm(aead_id, Kind.AEAD)
    if len(key) != row.key_size:
        raise ValueError(f"{row.name} takes a key of {row.key_size} bytes, got {len(key)}")
    longest = min(max_size, _CCM_MAX) if row.nonce_size == 13 else max_size
    cipher = _CIPHERS[row.id](key.reveal())
    return Aead(cipher, nonce_size=row.nonce_size, tag_size=row.output_size, max_size=longest)


def decrypt_pieces(
    algorithm_id: int, key: Secret, nonce: bytes, pieces: Iterable[bytes], *, aad: bytes = b"", tag: bytes = b""
) -> Iterator[bytes]:
    """Decrypt what does not fit into memory, with AES-GCM or AES-CTR: the plaintext comes before it is proved.

    Args:
        algorithm_id: COSE number.
        key: of the algorithm's length.
        nonce: of the algorithm's length, or 16 bytes for AES-CTR.
        pieces: the ciphertext without its tag.
        aad: authenticated with it; empty for AES-CTR.
        tag: of 16 bytes; empty for AES-CTR, which has none.

    Raises:
        AuthenticationError: after the last piece, the tag does not verify.
        DecodeError: a nonce or a tag of another size.
        ValueError: another algorithm, or a key that does not fit.
    """
    mode: modes.CTR | modes.GCM
    row = algorithm(algorithm_id, Kind.STREAM if algorithm_id in _CTR else Kind.AEAD)
    if row.id not in _CTR | _GCM or len(key) != row.key_size:
        raise ValueError(f"{row.name} is not decrypted in pieces, or with another key")
    if row.id in _CTR:
        if len(nonce) != _BLOCK:
            raise DecodeError("expected an IV of 16 bytes", spec="RFC 9459 §4")
        mode = modes.CTR(nonce)
    else:
        if len(nonce) != row.nonce_size or len(tag) != row.output_size:
            raise DecodeError(f"expected a nonce of {row.nonce_size} bytes and a whole tag", spec="RFC 9053 §4")
        mode = modes.GCM(nonce, tag)
    context = Cipher(algorithms.AES(key.reveal()), mode).decryptor()
    if row.id in _GCM:
        context.authenticate_additional_data(aad)  # type: ignore[attr-defined]  # what GCM gives has it
    for piece in pieces:
        yield context.update(piece)
    try:
        yield context.finalize()
    except InvalidTag:
        raise AuthenticationError("the AEAD tag does not verify", spec="RFC 9052 §5.3") from None


_GCM = frozenset({AlgorithmId.A128GCM, AlgorithmId.A192GCM, AlgorithmId.A256GCM})
_CTR = frozenset({AlgorithmId.A128CTR, AlgorithmId.A256CTR})


def apply_stream(stream_id: int, key: Secret, nonce: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt with AES-CTR: no integrity by itself (RFC 9459 §4); the caller signs around it.

    Args:
        stream_id: COSE number.
        key: of the algorithm's length.
        nonce: the first counter block of 16 bytes, or its beginning of the algorithm's length before zeros.
        data: plaintext or ciphertext.

    Raises:
        UnsupportedError: not a stream algorithm that we have.
        ValueError: a key or nonce of the wrong length.
    """
    row = algorithm(stream_id, Kind.STREAM)
    if len(nonce) not in {row.nonce_size, _BLOCK} or len(key) != row.key_size:
        raise ValueError(f"{row.name} takes a nonce of {row.nonce_size} or 16 bytes and a {row.key_size}-byte key")
    context = Cipher(algorithms.AES(key.reveal()), modes.CTR(nonce.ljust(_BLOCK, b"\x00"))).encryptor()
    return context.update(data) + context.finalize()
