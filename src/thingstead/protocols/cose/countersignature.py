"""Countersignatures, version 2 (RFC 9338): a second party signs a finished COSE structure.

Those of RFC 8152 (labels 7 and 9) leave the first signature or MAC uncovered and are not accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.crypto.key import PrivateKey, PublicKey, verify
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header
from thingstead.protocols.cose.header import Label

__all__ = [
    "Target",
    "countersign",
    "countersign0",
    "countersign_structure",
    "verify_countersign",
    "verify_countersign0",
]


@dataclass(frozen=True, slots=True)
class Target:
    """What is countersigned: the byte strings of one COSE structure, in their order (RFC 9338 §3.3).

    Attributes:
        protected: its protected bucket as received, empty when it holds nothing.
        payload: its payload or ciphertext; never nil.
        other_fields: every further byte string: the signature of a COSE_Sign1, the tag of a COSE_Mac0;
            nothing for COSE_Encrypt0.
    """

    protected: bytes
    payload: bytes
    other_fields: tuple[bytes, ...] = ()


def countersign_structure(target: Target, *, sign_protected: bytes | None, external_aad: bytes) -> bytes:
    """What a countersignature covers (RFC 9338 §3.3).

    Args:
        target: what is countersigned.
        sign_protected: protected bucket of the countersignature; None for the abbreviated kind.
        external_aad: what both sides know and the message does not carry.
    """
    context = "CounterSignature" if sign_protected is not None else "CounterSignature0"
    fields: list[Any] = [context + ("V2" if target.other_fields else ""), target.protected]
    if sign_protected is not None:
        fields.append(sign_protected)
    fields += [external_aad, target.payload]
    if target.other_fields:
        fields.append(list(target.other_fields))
    return codec.encode(fields)


def countersign(
    target: Target, key: PrivateKey, *, signature_id: int, kid: bytes = b"", external_aad: bytes = b""
) -> list[Any]:
    """Make a COSE_Countersignature, the value of header parameter 11 (RFC 9338 §3.1).

    Raises:
        UnsupportedError: the algorithm is not one of this key.
    """
    headers = header.build({Label.ALG: signature_id}, {Label.KID: kid} if kid else {})
    covered = countersign_structure(target, sign_protected=headers.encoded, external_aad=external_aad)
    return [*header.encode(headers), key.sign(covered, signature_id)]


def verify_countersign(
    value: Any, target: Target, public: PublicKey, *, accept: frozenset[int], external_aad: bytes = b""
) -> None:
    """Verify one COSE_Countersignature (RFC 9338 §3.1).

    Raises:
        DecodeError: not [protected, unprotected, signature].
        UnsupportedError: an algorithm outside `accept`, or not one of this key.
        AuthenticationError: the countersignature does not verify.
    """
    if not isinstance(value, list | tuple) or len(value) != 3 or not isinstance(value[2], bytes):
        raise DecodeError("expected a COSE_Countersignature of three elements", spec="RFC 9338 §3.1")
    headers = header.decode(value[0], value[1])
    covered = countersign_structure(target, sign_protected=headers.encoded, external_aad=external_aad)
    verify(public, signature=value[2], data=covered, signature_id=headers.algorithm(accept))


def countersign0(target: Target, key: PrivateKey, *, signature_id: int, external_aad: bytes = b"") -> bytes:
    """Make an abbreviated countersignature, the value of header parameter 12 (RFC 9338 §3.2).

    Raises:
        UnsupportedError: the algorithm is not one of this key.
    """
    return key.sign(countersign_structure(target, sign_protected=None, external_aad=external_aad), signature_id)


def verify_countersign0(
    signature: bytes, target: Target, public: PublicKey, *, signature_id: int, external_aad: bytes = b""
) -> None:
    """Verify an abbreviated countersignature; algorithm and key are known from elsewhere (RFC 9338 §3.2).

    Raises:
        UnsupportedError: the algorithm is not one of this key.
        AuthenticationError: the countersignature does not verify.
    """
    covered = countersign_structure(target, sign_protected=None, external_aad=external_aad)
    verify(public, signature=signature, data=covered, signature_id=signature_id)
