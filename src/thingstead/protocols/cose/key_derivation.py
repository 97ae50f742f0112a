"""How two sides that share a secret make a key of it: the KDF and its context (RFC 9053 §5)."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from thingstead.crypto.algorithm import Algorithm, AlgorithmId
from thingstead.crypto.digest import hkdf
from thingstead.crypto.mac import aes_expand
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose.header import Headers
from thingstead.secret import Secret

__all__ = ["KdfLabel", "derive", "kdf_context"]


class KdfLabel(IntEnum):
    """Header parameters that enter a derivation (RFC 9053 §5.1, §5.2)."""

    SALT = -20
    PARTY_U_IDENTITY = -21
    PARTY_U_NONCE = -22
    PARTY_U_OTHER = -23
    PARTY_V_IDENTITY = -24
    PARTY_V_NONCE = -25
    PARTY_V_OTHER = -26


_PARTY_U = (KdfLabel.PARTY_U_IDENTITY, KdfLabel.PARTY_U_NONCE, KdfLabel.PARTY_U_OTHER)
_PARTY_V = (KdfLabel.PARTY_V_IDENTITY, KdfLabel.PARTY_V_NONCE, KdfLabel.PARTY_V_OTHER)
_NONCES = frozenset({KdfLabel.PARTY_U_NONCE, KdfLabel.PARTY_V_NONCE})


def kdf_context(
    headers: Headers, target: Algorithm, *, supp_pub_other: bytes | None = None, supp_priv: Secret | None = None
) -> bytes:
    """The COSE_KDF_Context of one recipient (RFC 9053 §5.2).

    Args:
        headers: of the recipient; its protected bucket enters as received.
        target: the algorithm that the derived key is for, of the content or of the key wrap.
        supp_pub_other: public data that both sides know and the message does not carry.
        supp_priv: a further secret that both sides hold.

    Raises:
        DecodeError: a parameter of a party that is no bstr (a nonce may be an int).
    """
    supp_pub: list[Any] = [target.key_size * 8, headers.encoded]
    if supp_pub_other is not None:
        supp_pub.append(supp_pub_other)
    context: list[Any] = [int(target.id), _party(headers, _PARTY_U), _party(headers, _PARTY_V), supp_pub]
    if supp_priv is not None:
        context.append(supp_priv.reveal())
    return codec.encode(context)


def derive(kdf_id: AlgorithmId, secret: Secret, headers: Headers, *, info: bytes, size: int) -> Secret:
    """Make `size` bytes of `secret` by the KDF that `kdf_id` names: a hash for HKDF, or HKDF on AES-CBC-MAC.

    The latter leaves extraction out, and the salt with it (RFC 9053 §5.1).

    Raises:
        DecodeError: a salt that is no bstr.
        UnsupportedError: HKDF on AES-CBC-MAC over a secret that is no key of its length.
    """
    salt = headers.parameter(KdfLabel.SALT)
    if not isinstance(salt, bytes | None):
        raise DecodeError("expected a salt of bstr", spec="RFC 9053 §5.1")
    if kdf_id in _AES_KEYS:
        if len(secret) != _AES_KEYS[kdf_id]:
            raise UnsupportedError(f"expected a secret of {_AES_KEYS[kdf_id]} bytes", spec="RFC 9053 §5.1")
        return Secret(aes_expand(secret, info=info, size=size))
    return Secret(hkdf(secret, salt=salt or b"", info=info, size=size, digest_id=kdf_id))


_AES_KEYS = {AlgorithmId.HKDF_AES_128: 16, AlgorithmId.HKDF_AES_256: 32}


def _party(headers: Headers, labels: tuple[KdfLabel, KdfLabel, KdfLabel]) -> list[Any]:
    values = [headers.parameter(label) for label in labels]
    for label, value in zip(labels, values, strict=True):
        if not (isinstance(value, bytes | None) or (label in _NONCES and type(value) is int)):
            raise DecodeError(f"expected another type under label {label.value}", spec="RFC 9053 §5.2")
    return values
