"""COSE_Key: keys on the wire, and their thumbprints (RFC 9052 §7, RFC 9053 §7, RFC 8778, RFC 9679, RFC 9964)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, PublicKey, SoftwareKey, private_key
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

__all__ = ["CoseKey", "KeyLabel", "KeyOperation", "Kty", "decode", "from_map", "public_map", "thumbprint"]


class Kty(IntEnum):
    """IANA "COSE Key Types"."""

    OKP = 1
    EC2 = 2
    SYMMETRIC = 4
    HSS_LMS = 5
    AKP = 7


class KeyLabel(IntEnum):
    """Labels of every key type; those below zero belong to the key type."""

    KTY = 1
    KID = 2
    ALG = 3
    KEY_OPS = 4
    CRV = -1
    X = -2
    Y = -3
    D = -4


class KeyOperation(IntEnum):
    """Values of `key_ops` (RFC 9052 §7.1)."""

    SIGN = 1
    VERIFY = 2
    ENCRYPT = 3
    DECRYPT = 4
    DERIVE_KEY = 7
    DERIVE_BITS = 8
    MAC_CREATE = 9
    MAC_VERIFY = 10


# Other types reuse -1 and -2 for other things (RFC 9964 §3, RFC 9053 §6.1, RFC 8778 §5).
_AKP_PUB, _AKP_PRIV, _SYMMETRIC_K, _HSS_PUB = -1, -2, -1, -1

# (kty, crv) -> key type; crv numbers are IANA "COSE Elliptic Curves".
_CURVES: dict[tuple[int, int], KeyType] = {
    (Kty.EC2, 1): KeyType.P256,
    (Kty.EC2, 2): KeyType.P384,
    (Kty.EC2, 3): KeyType.P521,
    (Kty.OKP, 4): KeyType.X25519,
    (Kty.OKP, 5): KeyType.X448,
    (Kty.OKP, 6): KeyType.ED25519,
}
_CURVE_OF = {key_type: pair for pair, key_type in _CURVES.items()}
_AKP: dict[int, KeyType] = {
    AlgorithmId.ML_DSA_44: KeyType.ML_DSA_44,
    AlgorithmId.ML_DSA_65: KeyType.ML_DSA_65,
    AlgorithmId.ML_DSA_87: KeyType.ML_DSA_87,
}
_AKP_OF = {key_type: alg for alg, key_type in _AKP.items()}


@dataclass(frozen=True, slots=True)
class CoseKey:
    """A decoded COSE_Key: exactly one of `public` and `symmetric` is there.

    Attributes:
        kid: empty when there is none.
        alg: algorithm that the key is bound to; None when it is free. A caller with a policy
            intersects it, never widens.
        key_ops: operations that the key is bound to; empty when it is free.
        public: the public half of an asymmetric key.
        private: its private half, where the map held it.
        symmetric: the secret of a symmetric key.
    """

    kid: bytes = b""
    alg: int | None = None
    key_ops: frozenset[int] = frozenset()
    public: PublicKey | None = None
    private: SoftwareKey | None = None
    symmetric: Secret | None = None

    def require_public(self) -> PublicKey:
        """The public half.

        Raises:
            DecodeError: the key is symmetric.
        """
        if self.public is None:
            raise DecodeError("expected a COSE_Key with a public key", spec="RFC 9052 §7")
        return self.public


def decode(data: bytes, *, limits: codec.Limits = codec.DEFAULT_LIMITS) -> CoseKey:
    """Decode a COSE_Key.

    Raises:
        DecodeError: not one map, or a key outside its type's grammar or off its curve.
        UnsupportedError: a key type, curve or algorithm that we do not have.
    """
    return from_map(codec.decode(data, limits=limits))


def from_map(value: Any) -> CoseKey:
    """Read a COSE_Key out of a decoded map (RFC 9052 §7).

    Raises:
        DecodeError: as for `decode`.
        UnsupportedError: as for `decode`.
    """
    if not isinstance(value, Mapping):
        raise DecodeError("expected a COSE_Key map", spec="RFC 9052 §7")
    # Python finds 1 under 1.0 and True; RFC 9052 §7 does not.
    if not all(type(label) in {int, str} for label in value):
        raise DecodeError("expected labels of int or tstr in a COSE_Key", spec="RFC 9052 §7")
    kid = value.get(KeyLabel.KID, b"")
    alg = value.get(KeyLabel.ALG)
    ops = value.get(KeyLabel.KEY_OPS)
    if not isinstance(kid, bytes):
        raise DecodeError("expected a kid of bytes", spec="RFC 9052 §7.1")
    if alg is not None and type(alg) is not int:
        raise UnsupportedError(f"expected a COSE_Key of a numbered algorithm, got {alg!r}", spec="RFC 9052 §7.1")
    if ops is not None and not (isinstance(ops, list | tuple) and ops and all(type(op) is int for op in ops)):
        raise DecodeError("expected key_ops of numbered operations", spec="RFC 9052 §7.1")
    public, private, symmetric = _material(value, alg)
    return CoseKey(kid, alg, frozenset(ops or ()), public, private, symmetric)


def public_map(public: PublicKey, *, kid: bytes = b"", alg: int | None = None) -> dict[int, Any]:
    """The COSE_Key map of a public key, for `cnf` or a credential; y is never compressed.

    Args:
        public: the key.
        kid: left out when empty.
        alg: binds the key to one algorithm; an AKP key always carries its own (RFC 9964 §3).
    """
    entries = _required(public)
    if kid:
        entries[KeyLabel.KID.value] = kid
    if alg is not None:
        entries[KeyLabel.ALG.value] = int(alg)
    return entries


def thumbprint(public: PublicKey, digest_id: int = AlgorithmId.SHA_256) -> bytes:
    """Hash of the deterministic encoding of the required parameters alone (RFC 9679 §3, §4; RFC 9964 §3)."""
    return digest(codec.encode(_required(public)), digest_id)


def _required(public: PublicKey) -> dict[int, Any]:
    if public.type in _AKP_OF:
        return {
            KeyLabel.KTY.value: Kty.AKP.value,
            KeyLabel.ALG.value: int(_AKP_OF[public.type]),
            _AKP_PUB: public.x,
        }
    if public.type is KeyType.HSS_LMS:
        return {KeyLabel.KTY.value: Kty.HSS_LMS.value, _HSS_PUB: public.x}
    kty, curve = _CURVE_OF[public.type]
    entries = {KeyLabel.KTY.value: int(kty), KeyLabel.CRV.value: curve, KeyLabel.X.value: public.x}
    return {**entries, KeyLabel.Y.value: public.y} if public.y else entries


def _material(value: Mapping[Any, Any], alg: int | None) -> tuple[PublicKey | None, SoftwareKey | None, Secret | None]:
    kty = value.get(KeyLabel.KTY)
    if type(kty) is not int:
        raise DecodeError("expected a numbered kty", spec="RFC 9052 §7.1")
    if kty == Kty.SYMMETRIC:
        return None, None, Secret(_bytes(value, _SYMMETRIC_K))
    if kty == Kty.AKP:
        if alg not in _AKP:
            raise UnsupportedError(f"expected an AKP key of ML-DSA, got alg {alg}", spec="RFC 9964 §3")
        public = PublicKey(_AKP[alg], _bytes(value, _AKP_PUB))
        return public, _private(value, public, _AKP_PRIV), None
    if kty == Kty.HSS_LMS:
        if alg not in {None, AlgorithmId.HSS_LMS}:
            raise UnsupportedError(f"expected an HSS-LMS key of its own algorithm, got alg {alg}", spec="RFC 8778 §5")
        return PublicKey(KeyType.HSS_LMS, _bytes(value, _HSS_PUB)), None, None
    curve = value.get(KeyLabel.CRV)
    key_type = _CURVES.get((kty, curve)) if type(curve) is int else None
    if key_type is None:
        raise UnsupportedError(
            f"expected a key type and curve that we have, got {kty!r}, {curve!r}", spec="RFC 9053 §7"
        )
    public = _point(value, key_type) if kty == Kty.EC2 else PublicKey(key_type, _bytes(value, KeyLabel.X))
    return public, _private(value, public, KeyLabel.D), None


def _point(value: Mapping[Any, Any], key_type: KeyType) -> PublicKey:
    y = value.get(KeyLabel.Y)
    if isinstance(y, bool):
        return PublicKey.from_x(key_type, _bytes(value, KeyLabel.X), odd=y)
    return PublicKey(key_type, _bytes(value, KeyLabel.X), _bytes(value, KeyLabel.Y))


def _private(value: Mapping[Any, Any], public: PublicKey, label: int) -> SoftwareKey | None:
    if label not in value:
        return None
    key = private_key(public.type, Secret(_bytes(value, label)))
    if key.public != public:
        raise DecodeError("expected the private half of the public key beside it", spec="RFC 9053 §7")
    return key


def _bytes(value: Mapping[Any, Any], label: int) -> bytes:
    entry = value.get(label)
    if not isinstance(entry, bytes):
        raise DecodeError(f"expected bytes under label {int(label)} of a COSE_Key", spec="RFC 9053 §7")
    return entry
