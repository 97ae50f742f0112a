"""What client and resource server derive OSCORE keys from, made by the authorization server (RFC 9203 §3.2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.secret import Secret

__all__ = ["InputMaterial", "MaterialLabel", "decode_map"]

_VERSION = 1
_MAX_ID = 32
_SECRET_SIZES = range(16, 65)
_MAX_SALT = 64
_MAX_CONTEXT = 16
_SPEC = "RFC 9203 §3.2.1"
# HKDF goes by its HMAC (RFC 9053 §3.1); that of COSE's own key derivation names the same one.
_DIGESTS = {
    int(AlgorithmId.HMAC_256_256): int(AlgorithmId.SHA_256),
    int(AlgorithmId.HMAC_512_512): int(AlgorithmId.SHA_512),
    int(AlgorithmId.HKDF_SHA_256): int(AlgorithmId.SHA_256),
    int(AlgorithmId.HKDF_SHA_512): int(AlgorithmId.SHA_512),
}


class MaterialLabel(IntEnum):
    """IANA "OSCORE Security Context Parameters", as far as a material holds them."""

    ID = 0
    VERSION = 1
    MS = 2
    HKDF = 3
    ALG = 4
    SALT = 5
    CONTEXT_ID = 6


@dataclass(frozen=True, slots=True)
class InputMaterial:
    """An OSCORE_Input_Material; what it leaves out has the default of RFC 8613 §3.2.

    Attributes:
        id: names the material, between authorization server, client and resource server.
        master_secret: `ms`, known to these three.
        salt: what the Master Salt begins with.
        aead_id: COSE number of the AEAD.
        digest_id: COSE number of the hash for HKDF.
        id_context: ID Context, which travels in clear; None for none.
    """

    id: bytes
    master_secret: Secret
    salt: bytes = b""
    aead_id: int = int(AlgorithmId.AES_CCM_16_64_128)
    digest_id: int = int(AlgorithmId.SHA_256)
    id_context: bytes | None = None

    def as_map(self) -> dict[int, Any]:
        """The value of `osc` in `cnf`, secret and all; defaults are left out."""
        said: dict[int, Any] = {
            MaterialLabel.ID.value: self.id,
            MaterialLabel.MS.value: self.master_secret.reveal(),
        }
        if self.digest_id != AlgorithmId.SHA_256:
            said[MaterialLabel.HKDF.value] = int(AlgorithmId.HMAC_512_512)
        if self.aead_id != AlgorithmId.AES_CCM_16_64_128:
            said[MaterialLabel.ALG.value] = self.aead_id
        if self.salt:
            said[MaterialLabel.SALT.value] = self.salt
        if self.id_context is not None:
            said[MaterialLabel.CONTEXT_ID.value] = self.id_context
        return said

    def master_salt(self, nonce_1: bytes, nonce_2: bytes) -> bytes:
        """The Master Salt: salt and both nonces, each as CBOR (RFC 9203 §4.3)."""
        return codec.encode_sequence(self.salt, nonce_1, nonce_2)

    def context(self, *, nonce_1: bytes, nonce_2: bytes, sender_id: bytes, recipient_id: bytes) -> SecurityContext:
        """The Security Context of one exchange of nonces; its numbers begin at zero and live in memory alone (§4.3).

        Args:
            nonce_1: the client's, fresh for this material.
            nonce_2: the resource server's, fresh for this material.
            sender_id: what the other end chose for itself to receive by.
            recipient_id: what we chose.

        Raises:
            ValueError: identifiers that are equal or too long.
        """
        return SecurityContext.derive(
            self.master_secret,
            master_salt=self.master_salt(nonce_1, nonce_2),
            sender_id=sender_id,
            recipient_id=recipient_id,
            id_context=self.id_context,
            aead_id=self.aead_id,
            digest_id=self.digest_id,
        )

    @property
    def max_identifier(self) -> int:
        """How long a Recipient ID may be (RFC 8613 §3.3)."""
        return algorithm(self.aead_id, Kind.AEAD).nonce_size - 6


def decode_map(value: Any) -> InputMaterial:
    """Read the value of `osc` (RFC 9203 §3.2.1).

    Raises:
        DecodeError: not a map, no `id` or `ms`, or a value of another type or size.
        UnsupportedError: an algorithm or version that we do not have, or a parameter that nobody here knows: keys
            derived without it would be others than the sender's.
    """
    if not isinstance(value, Mapping):
        raise DecodeError("expected an OSCORE_Input_Material", spec=_SPEC)
    unknown = [label for label in value if type(label) is not int or label not in _LABELS]
    if unknown:
        raise UnsupportedError("expected no parameter of OSCORE_Input_Material that we do not know", spec=_SPEC)
    version = value.get(MaterialLabel.VERSION, _VERSION)
    if type(version) is not int or version != _VERSION:
        raise UnsupportedError(f"expected OSCORE version {_VERSION}", spec="RFC 8613 §5.4")
    identifier = _bytes(value, MaterialLabel.ID, range(1, _MAX_ID + 1))
    secret = _bytes(value, MaterialLabel.MS, _SECRET_SIZES)
    context = (
        None
        if MaterialLabel.CONTEXT_ID not in value
        else _bytes(value, MaterialLabel.CONTEXT_ID, range(_MAX_CONTEXT + 1))
    )
    salt = _bytes(value, MaterialLabel.SALT, range(_MAX_SALT + 1)) if MaterialLabel.SALT in value else b""
    return InputMaterial(identifier, Secret(secret), salt, _aead(value), _digest(value), context)


_LABELS = frozenset(label.value for label in MaterialLabel)


def _bytes(value: Mapping[Any, Any], label: MaterialLabel, sizes: range) -> bytes:
    entry = value.get(label)
    if not isinstance(entry, bytes) or len(entry) not in sizes:
        raise DecodeError(f"expected {label.name.lower()} of {sizes.start} to {sizes.stop - 1} bytes", spec=_SPEC)
    return entry


def _aead(value: Mapping[Any, Any]) -> int:
    number = value.get(MaterialLabel.ALG, int(AlgorithmId.AES_CCM_16_64_128))
    if type(number) is not int:
        raise UnsupportedError("expected an AEAD by its number", spec=_SPEC)
    return int(algorithm(number, Kind.AEAD).id)


def _digest(value: Mapping[Any, Any]) -> int:
    number = value.get(MaterialLabel.HKDF, int(AlgorithmId.HMAC_256_256))
    if type(number) is not int or number not in _DIGESTS:
        raise UnsupportedError("expected HKDF with HMAC 256/256 or HMAC 512/512", spec=_SPEC)
    return _DIGESTS[number]
