"""Public keys as values, private keys as handles, and what a handle can do: sign, agree, and decapsulate."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, x448, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.crypto.hss_lms import HssPublicKey
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.secret import Secret

__all__ = ["KeyType", "PrivateKey", "PublicKey", "SoftwareKey", "generate", "private_key", "verify"]


class KeyType(IntEnum):
    """What a key is: one octet per curve or parameter set, ours alone and never on the wire."""

    P256 = 1
    P384 = 2
    P521 = 3
    X25519 = 4
    X448 = 5
    ED25519 = 6
    HSS_LMS = 46
    ML_DSA_44 = 48
    ML_DSA_65 = 49
    ML_DSA_87 = 50
    ML_KEM_1024 = 51


_CURVES: dict[KeyType, ec.EllipticCurve] = {
    KeyType.P256: ec.SECP256R1(),
    KeyType.P384: ec.SECP384R1(),
    KeyType.P521: ec.SECP521R1(),
}
_SIZES = {
    KeyType.P256: 32,
    KeyType.P384: 48,
    KeyType.P521: 66,
    KeyType.X25519: 32,
    KeyType.X448: 56,
    KeyType.ED25519: 32,
    KeyType.ML_DSA_44: 1312,
    KeyType.ML_DSA_65: 1952,
    KeyType.ML_DSA_87: 2592,
    KeyType.ML_KEM_1024: 1568,
}
_ENCODED_PUBLIC: dict[KeyType, Any] = {
    KeyType.X25519: x25519.X25519PublicKey,
    KeyType.X448: x448.X448PublicKey,
    KeyType.ED25519: ed25519.Ed25519PublicKey,
    KeyType.HSS_LMS: HssPublicKey,
    KeyType.ML_DSA_44: mldsa.MLDSA44PublicKey,
    KeyType.ML_DSA_65: mldsa.MLDSA65PublicKey,
    KeyType.ML_DSA_87: mldsa.MLDSA87PublicKey,
    KeyType.ML_KEM_1024: mlkem.MLKEM1024PublicKey,
}
_OKP_PRIVATE: dict[KeyType, Any] = {
    KeyType.X25519: x25519.X25519PrivateKey,
    KeyType.X448: x448.X448PrivateKey,
    KeyType.ED25519: ed25519.Ed25519PrivateKey,
}
_LATTICE_PRIVATE: dict[KeyType, Any] = {
    KeyType.ML_DSA_44: mldsa.MLDSA44PrivateKey,
    KeyType.ML_DSA_65: mldsa.MLDSA65PrivateKey,
    KeyType.ML_DSA_87: mldsa.MLDSA87PrivateKey,
    KeyType.ML_KEM_1024: mlkem.MLKEM1024PrivateKey,
}
_SIGNATURE_KEYS: dict[int, KeyType] = {
    AlgorithmId.ES256: KeyType.P256,
    AlgorithmId.ESP256: KeyType.P256,
    AlgorithmId.ES384: KeyType.P384,
    AlgorithmId.ESP384: KeyType.P384,
    AlgorithmId.ES512: KeyType.P521,
    AlgorithmId.ESP512: KeyType.P521,
    AlgorithmId.EDDSA: KeyType.ED25519,
    AlgorithmId.ED25519: KeyType.ED25519,
    AlgorithmId.ML_DSA_44: KeyType.ML_DSA_44,
    AlgorithmId.ML_DSA_65: KeyType.ML_DSA_65,
    AlgorithmId.ML_DSA_87: KeyType.ML_DSA_87,
    AlgorithmId.HSS_LMS: KeyType.HSS_LMS,
}
_FIELD, _SIGN_BIT = 2**255 - 19, 1 << 255
# y of the points of order 1, 2, 4 and 8 on Curve25519's Edwards form, p - 1 being the one of order 2 (RFC 8032 §5.1).
_ORDER_8_Y = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y = frozenset({0, 1, _ORDER_8_Y, _FIELD - _ORDER_8_Y})
_ECDSA: dict[KeyType, ec.ECDSA] = {
    KeyType.P256: ec.ECDSA(hashes.SHA256()),
    KeyType.P384: ec.ECDSA(hashes.SHA384()),
    KeyType.P521: ec.ECDSA(hashes.SHA512()),
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that has been checked to be one of its type.

    Attributes:
        type: curve or parameter set.
        x: the x coordinate, the OKP, AKP or HSS public key, or the encapsulation key, at its full length.
        y: the y coordinate on NIST curves, else empty; never left out once the key is here.
    """

    type: KeyType
    x: bytes
    y: bytes = b""
    # The library's object, 4 us to make: the one that checked the key serves all its uses.
    _loaded: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._loaded is None:
            object.__setattr__(self, "_loaded", self._load())

    @classmethod
    def from_x(cls, key_type: KeyType, x: bytes, *, odd: bool = False) -> PublicKey:
        """Complete a NIST-curve point from its x coordinate alone (RFC 9528 §3.7: either y serves ECDH).

        Raises:
            DecodeError: wrong length, or no point of the curve has this x.
        """
        if key_type not in _CURVES:
            return cls(key_type, x)
        if len(x) != _SIZES[key_type]:
            raise DecodeError(f"expected an x coordinate of {_SIZES[key_type]} bytes, got {len(x)}")
        try:
            point = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[key_type], bytes([2 + odd]) + x)
        except ValueError as error:
            raise DecodeError("expected a point on the curve", spec="RFC 9053 §7.1.1") from error
        return cls(key_type, x, point.public_numbers().y.to_bytes(_SIZES[key_type], "big"), point)

    @property
    def raw(self) -> bytes:
        """Coordinates x ‖ y: what a thumbprint or a comparison needs; not a wire format."""
        return self.x + self.y

    def encapsulate(self) -> tuple[bytes, Secret]:
        """A ciphertext for the holder of the decapsulation key, and the secret in it (FIPS 203 §7.2).

        Raises:
            UnsupportedError: not a key to encapsulate with.
        """
        if self.type is not KeyType.ML_KEM_1024:
            raise UnsupportedError(f"{self.type.name} keys do not encapsulate", spec="FIPS 203")
        secret, ciphertext = self._loaded.encapsulate()
        return ciphertext, Secret(secret)

    def subject_public_key_info(self) -> bytes:
        """DER of the key as certificates and vouchers carry it (RFC 5280 §4.1.2.7).

        Raises:
            UnsupportedError: a key that no certificate of ours carries.
        """
        if self.type is KeyType.HSS_LMS:
            raise UnsupportedError("certificates do not carry HSS-LMS keys here", spec="RFC 9802")
        encoded: bytes = self._loaded.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return encoded

    def _load(self) -> Any:
        size = _SIZES.get(self.type, len(self.x))
        if len(self.x) != size or len(self.y) != (size if self.type in _CURVES else 0):
            raise DecodeError(f"expected a {self.type.name} public key with coordinates of {size} bytes")
        try:
            if self.type in _CURVES:
                return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[self.type], b"\x04" + self.x + self.y)
            if self.type is KeyType.ED25519:
                _check_edwards(self.x)
            return _ENCODED_PUBLIC[self.type].from_public_bytes(self.x)
        except ValueError as error:
            raise DecodeError(f"expected a valid {self.type.name} public key", spec="RFC 9053 §7") from error


class PrivateKey(Protocol):
    """A handle on a private key that may live in a file, in hardware or in another process."""

    @property
    def public(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, data: bytes, signature_id: int) -> bytes:
        """Sign with the algorithm `signature_id`, which must fit the key (ECDSA as r ‖ s, fixed width)."""
        ...

    def agree(self, peer: PublicKey) -> Secret:
        """The Diffie-Hellman secret with `peer`, of the same curve."""
        ...


class SoftwareKey:
    """A private key in this process's memory; its representation shows the type only."""

    __slots__ = ("_key", "_public")

    def __init__(self, key: Any, public: PublicKey) -> None:
        self._key = key
        self._public = public

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, data: bytes, signature_id: int) -> bytes:
        """Sign `data`; ECDSA comes out as r ‖ s (RFC 9053 §2.1), ML-DSA pure with empty context (RFC 9964).

        Raises:
            UnsupportedError: the algorithm is not a signature, or not one of this key.
        """
        _require_fit(self._public, signature_id)
        if self._public.type in _CURVES:
            r, s = decode_dss_signature(self._key.sign(data, _ECDSA[self._public.type]))
            size = _SIZES[self._public.type]
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        signature: bytes = self._key.sign(data)
        return signature

    def agree(self, peer: PublicKey) -> Secret:
        """ECDH with `peer`: the x coordinate, or the X25519 or X448 output.

        Ed25519 keys agree by their Montgomery form, which RFC 10021 §2.4.1 proves safe for Group OSCORE.

        Raises:
            UnsupportedError: keys of two curves, or keys that cannot agree.
            DecodeError: a peer key of small order (RFC 7748 §6.1).
        """
        if peer.type is not self._public.type:
            raise UnsupportedError(f"expected a {self._public.type.name} key to agree with, got {peer.type.name}")
        try:
            if peer.type in _CURVES:
                return Secret(self._key.exchange(ec.ECDH(), peer._loaded))
            if peer.type in {KeyType.X25519, KeyType.X448}:
                return Secret(self._key.exchange(peer._loaded))
            if peer.type is KeyType.ED25519:
                scalar = hashlib.sha512(self._key.private_bytes_raw()).digest()[:32]
                public = x25519.X25519PublicKey.from_public_bytes(_montgomery(peer.x))
                return Secret(x25519.X25519PrivateKey.from_private_bytes(scalar).exchange(public))
        except ValueError as error:
            raise DecodeError("expected a public key of the full group", spec="RFC 7748 §6.1") from error
        raise UnsupportedError(f"{peer.type.name} keys do not agree on secrets")

    def decapsulate(self, ciphertext: bytes) -> Secret:
        """The secret that `encapsulate` put into a ciphertext; of a forged one, a secret that nobody shares.

        Raises:
            UnsupportedError: not a key to decapsulate with.
            DecodeError: a ciphertext of another length (FIPS 203 §7.3).
        """
        if self._public.type is not KeyType.ML_KEM_1024:
            raise UnsupportedError(f"{self._public.type.name} keys do not decapsulate", spec="FIPS 203")
        try:
            return Secret(self._key.decapsulate(ciphertext))
        except ValueError as error:
            raise DecodeError("expected an ML-KEM-1024 ciphertext of 1568 bytes", spec="FIPS 203 §7.3") from error

    def private_bytes(self) -> Secret:
        """Scalar or seed: what a key store writes and `private_key` reads; nobody else asks."""
        if self._public.type in _CURVES:
            return Secret(self._key.private_numbers().private_value.to_bytes(_SIZES[self._public.type], "big"))
        return Secret(self._key.private_bytes_raw())

    def __repr__(self) -> str:
        return f"<SoftwareKey {self._public.type.name}>"


def private_key(key_type: KeyType, value: Secret) -> SoftwareKey:
    """Rebuild a key from its scalar (big-endian, curve length) or seed (OKP its own, ML-DSA 32 bytes, ML-KEM 64).

    Raises:
        UnsupportedError: HSS-LMS, whose private keys have a state and are none of this process's.
        DecodeError: not a private key of this type.
    """
    raw = value.reveal()
    try:
        if key_type in _CURVES:
            if len(raw) != _SIZES[key_type]:
                raise ValueError("length")
            return _software(key_type, ec.derive_private_key(int.from_bytes(raw, "big"), _CURVES[key_type]))
        if key_type in _OKP_PRIVATE:
            return _software(key_type, _OKP_PRIVATE[key_type].from_private_bytes(raw))
        return _software(key_type, _seeded(key_type).from_seed_bytes(raw))
    except ValueError:
        raise DecodeError(f"expected a {key_type.name} private key", spec="RFC 9053 §7") from None


def generate(key_type: KeyType) -> SoftwareKey:
    """Make a fresh key with the library's own random source.

    Raises:
        UnsupportedError: as for `private_key`.
    """
    if key_type in _CURVES:
        return _software(key_type, ec.generate_private_key(_CURVES[key_type]))
    if key_type in _OKP_PRIVATE:
        return _software(key_type, _OKP_PRIVATE[key_type].generate())
    return _software(key_type, _seeded(key_type).generate())


def verify(public: PublicKey, *, signature: bytes, data: bytes, signature_id: int) -> None:
    """Verify a signature; the key decides which algorithms may stand, never the message alone.

    Raises:
        AuthenticationError: it does not verify, or has the wrong length.
        UnsupportedError: the algorithm is not a signature, or not one of this key.
    """
    row = _require_fit(public, signature_id)
    if row.output_size and len(signature) != row.output_size:
        raise AuthenticationError(f"expected a {row.name} signature of {row.output_size} bytes, got {len(signature)}")
    try:
        if public.type in _CURVES:
            half = len(signature) // 2
            encoded = encode_dss_signature(
                int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            )
            public._loaded.verify(encoded, data, _ECDSA[public.type])
        else:
            public._loaded.verify(signature, data)
    except InvalidSignature:
        raise AuthenticationError(f"the {row.name} signature does not verify", spec="RFC 9052 §4.4") from None


def _montgomery(edwards: bytes) -> bytes:
    """The u coordinate of a checked Ed25519 key, so y is not 1 (RFC 7748 §4.1); it is public, so time may vary."""
    y = int.from_bytes(edwards, "little") & _SIGN_BIT - 1
    return ((1 + y) * pow(1 - y, -1, _FIELD) % _FIELD).to_bytes(32, "little")


def _check_edwards(encoded: bytes) -> None:
    """Refuse points of small order and second names of a point.

    Under such a key one signature fits many messages, and the Montgomery form of y = 1 or -1 is
    degenerate (RFC 10021 §2.5.2).

    Raises:
        ValueError: it is one of them.
    """
    y = int.from_bytes(encoded, "little") & _SIGN_BIT - 1
    if y >= _FIELD - 1 or y in _SMALL_ORDER_Y:
        raise ValueError("a point of small order, or y outside the field")


def _require_fit(public: PublicKey, signature_id: int) -> Any:
    row = algorithm(signature_id, Kind.SIGNATURE)
    if _SIGNATURE_KEYS[row.id] is not public.type:
        raise UnsupportedError(f"expected an algorithm of a {public.type.name} key, got {row.name}")
    return row


def _seeded(key_type: KeyType) -> Any:
    if key_type not in _LATTICE_PRIVATE:
        raise UnsupportedError(f"{key_type.name} keys are not made from a seed here", spec="RFC 8554 §5.2")
    return _LATTICE_PRIVATE[key_type]


def _software(key_type: KeyType, key: Any) -> SoftwareKey:
    public = key.public_key()
    if key_type in _CURVES:
        numbers = public.public_numbers()
        size = _SIZES[key_type]
        x, y = numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big")
        return SoftwareKey(key, PublicKey(key_type, x, y, public))
    return SoftwareKey(key, PublicKey(key_type, public.public_bytes_raw()))
