"""Hybrid public-key encryption, one message at a time, with and without a pre-shared key (RFC 9180 §5.1, §6.1).

The library's own HPKE takes neither additional data nor a pre-shared key, both of which COSE needs. So its key
schedule is here, over the library's key agreement, HKDF and AEADs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from thingstead.crypto.aead import Aead, aead
from thingstead.crypto.algorithm import REGISTRY, AlgorithmId
from thingstead.crypto.digest import hkdf_expand, hkdf_extract
from thingstead.crypto.key import KeyType, PrivateKey, PublicKey, generate
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.secret import Secret

__all__ = ["NO_PSK", "Psk", "Suite", "open_sealed", "seal"]

_VERSION = b"HPKE-v1"
_BASE, _PSK = 0, 1
_MIN_PSK = 32
_POINT = b"\x04"
_KEMS = {
    0x10: (KeyType.P256, AlgorithmId.SHA_256),
    0x11: (KeyType.P384, AlgorithmId.SHA_384),
    0x12: (KeyType.P521, AlgorithmId.SHA_512),
    0x20: (KeyType.X25519, AlgorithmId.SHA_256),
    0x21: (KeyType.X448, AlgorithmId.SHA_512),
}
_KDFS = {1: AlgorithmId.SHA_256, 2: AlgorithmId.SHA_384, 3: AlgorithmId.SHA_512}
_AEADS = {1: AlgorithmId.A128GCM, 2: AlgorithmId.A256GCM, 3: AlgorithmId.CHACHA20_POLY1305}


@dataclass(frozen=True, slots=True)
class Suite:
    """Three numbers of IANA's "HPKE" registry.

    Attributes:
        kem_id: DHKEM with one of the five curves.
        kdf_id: HKDF with one of three hashes.
        aead_id: AES-GCM or ChaCha20Poly1305.

    Raises:
        UnsupportedError: one that we do not have.
    """

    kem_id: int
    kdf_id: int
    aead_id: int

    def __post_init__(self) -> None:
        if self.kem_id not in _KEMS or self.kdf_id not in _KDFS or self.aead_id not in _AEADS:
            raise UnsupportedError(
                f"expected an HPKE suite that we have, got {self.kem_id:#x}, {self.kdf_id}, {self.aead_id}",
                spec="RFC 9180 §7",
            )

    @property
    def curve(self) -> KeyType:
        """What keys of its recipients are."""
        return _KEMS[self.kem_id][0]


@dataclass(frozen=True, slots=True)
class Psk:
    """A secret that both sides have beside the recipient's key (RFC 9180 §5.1.2).

    Attributes:
        secret: at least 32 bytes, of as many bytes of entropy; empty for none.
        identifier: says which; empty for none.

    Raises:
        DecodeError: one without the other, or a secret that is too short (§9.5).
    """

    secret: Secret
    identifier: bytes

    def __post_init__(self) -> None:
        if bool(self.identifier) is not bool(len(self.secret)):
            raise DecodeError("expected a pre-shared key together with its identifier", spec="RFC 9180 §5.1")
        if self.identifier and len(self.secret) < _MIN_PSK:
            raise DecodeError(f"expected a pre-shared key of at least {_MIN_PSK} bytes", spec="RFC 9180 §9.5")


NO_PSK = Psk(Secret(b""), b"")


def seal(
    plaintext: bytes,
    recipient: PublicKey,
    suite: Suite,
    *,
    info: bytes = b"",
    aad: bytes = b"",
    psk: Psk = NO_PSK,
    ephemeral: Callable[[KeyType], PrivateKey] = generate,
) -> tuple[bytes, bytes]:
    """Encrypt for who holds a private key: the encapsulated key, and ciphertext ‖ tag (RFC 9180 §6.1).

    Args:
        plaintext: what is encrypted.
        recipient: the public key.
        suite: which algorithms.
        info: what both sides know and the key depends on.
        aad: covered and not carried.
        psk: a secret that both sides have.
        ephemeral: makes the key of this one message.

    Raises:
        UnsupportedError: a recipient's key of another curve.
    """
    own = ephemeral(suite.curve)
    encapsulated = _serialized(own.public)
    shared = _shared_secret(own.agree(recipient), encapsulated + _serialized(recipient), suite)
    cipher, nonce = _schedule(shared, suite, info, psk)
    return encapsulated, cipher.encrypt(nonce, plaintext, aad)


def open_sealed(
    encapsulated: bytes,
    ciphertext: bytes,
    key: PrivateKey,
    suite: Suite,
    *,
    info: bytes = b"",
    aad: bytes = b"",
    psk: Psk = NO_PSK,
) -> bytes:
    """Decrypt what was sealed for `key`; without a pre-shared key anybody may have sealed it.

    Raises:
        DecodeError: an encapsulated key that is no point of the curve, or of small order.
        UnsupportedError: a key of another curve.
        AuthenticationError: sealed for another, altered, or under other information.
    """
    sender = _deserialized(encapsulated, suite)
    shared = _shared_secret(key.agree(sender), encapsulated + _serialized(key.public), suite)
    cipher, nonce = _schedule(shared, suite, info, psk)
    return cipher.decrypt(nonce, ciphertext, aad)


def _shared_secret(agreed: Secret, context: bytes, suite: Suite) -> Secret:
    """ExtractAndExpand of DHKEM (§4.1)."""
    digest_id = _KEMS[suite.kem_id][1]
    labels = _Labels(b"KEM" + suite.kem_id.to_bytes(2, "big"), digest_id)
    key = labels.extract(b"", b"eae_prk", agreed.reveal())
    return Secret(labels.expand(key, b"shared_secret", context, REGISTRY[digest_id].output_size))


def _schedule(shared: Secret, suite: Suite, info: bytes, psk: Psk) -> tuple[Aead, bytes]:
    """KeySchedule (§5.1): the cipher, and the nonce of the one message under it."""
    numbers = (suite.kem_id, suite.kdf_id, suite.aead_id)
    labels = _Labels(b"HPKE" + b"".join(number.to_bytes(2, "big") for number in numbers), _KDFS[suite.kdf_id])
    mode = _PSK if psk.identifier else _BASE
    hashes = [labels.extract(b"", b"psk_id_hash", psk.identifier), labels.extract(b"", b"info_hash", info)]
    context = bytes([mode]) + b"".join(one.reveal() for one in hashes)
    secret = labels.extract(shared.reveal(), b"secret", psk.secret.reveal())
    row = REGISTRY[_AEADS[suite.aead_id]]
    key = Secret(labels.expand(secret, b"key", context, row.key_size))
    return aead(row.id, key), labels.expand(secret, b"base_nonce", context, row.nonce_size)


@dataclass(frozen=True, slots=True)
class _Labels:
    """LabeledExtract and LabeledExpand (§4)."""

    suite_id: bytes
    digest_id: AlgorithmId

    def extract(self, salt: bytes, label: bytes, keying: bytes) -> Secret:
        return hkdf_extract(Secret(_VERSION + self.suite_id + label + keying), salt=salt, digest_id=self.digest_id)

    def expand(self, key: Secret, label: bytes, info: bytes, size: int) -> bytes:
        labeled = size.to_bytes(2, "big") + _VERSION + self.suite_id + label + info
        return hkdf_expand(key, info=labeled, size=size, digest_id=self.digest_id)


def _serialized(public: PublicKey) -> bytes:
    """SerializePublicKey (§7.1.1)."""
    return _POINT + public.x + public.y if public.y else public.x


def _deserialized(encoded: bytes, suite: Suite) -> PublicKey:
    if suite.curve in {KeyType.X25519, KeyType.X448}:
        return PublicKey(suite.curve, encoded)
    half = len(encoded) // 2
    if not encoded.startswith(_POINT):
        raise DecodeError("expected an uncompressed point", spec="RFC 9180 §7.1.1")
    return PublicKey(suite.curve, encoded[1 : 1 + half], encoded[1 + half :])
