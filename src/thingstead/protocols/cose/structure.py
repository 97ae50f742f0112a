"""What is signed, authenticated and encrypted, and the arrays that carry it (RFC 9052 §2, §4.4, §5.3, §6.3)."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

__all__ = ["CoseTag", "enc_structure", "mac_structure", "open_array", "sig_structure", "wrap_array"]


class CoseTag(IntEnum):
    """CBOR tags of the COSE messages (RFC 9052 §2)."""

    ENCRYPT0 = 16
    MAC0 = 17
    SIGN1 = 18
    ENCRYPT = 96
    MAC = 97
    SIGN = 98


_SIZES = {
    CoseTag.ENCRYPT0: 3,
    CoseTag.MAC0: 4,
    CoseTag.SIGN1: 4,
    CoseTag.ENCRYPT: 4,
    CoseTag.MAC: 5,
    CoseTag.SIGN: 4,
}

_HEADS = {tag: codec.encode(codec.Tag(tag, 0))[:-1] for tag in CoseTag}
_SIGNATURE1 = b"\x84" + codec.encode("Signature1")
_ENC_HEADS = {context: b"\x83" + codec.encode(context) for context in ("Encrypt0", "Encrypt")}


def sig_structure(
    *, body_protected: bytes, external_aad: bytes, payload: bytes, sign_protected: bytes | None = None
) -> bytes:
    """What a signature covers (RFC 9052 §4.4).

    Args:
        body_protected: the protected bucket as received, empty when it holds nothing.
        external_aad: what both sides know and the message does not carry.
        payload: attached or detached.
        sign_protected: the signer's bucket for COSE_Sign; None for COSE_Sign1.
    """
    if sign_protected is None:
        return _SIGNATURE1 + codec.encode(body_protected) + codec.encode(external_aad) + codec.encode(payload)
    return codec.encode(["Signature", body_protected, sign_protected, external_aad, payload])


def mac_structure(context: str, *, protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """What a MAC covers; `context` is ``MAC0`` or ``MAC`` (RFC 9052 §6.3)."""
    return codec.encode([context, protected, external_aad, payload])


def enc_structure(context: str, *, protected: bytes, external_aad: bytes) -> bytes:
    """The additional data of an AEAD; `context` is ``Encrypt0`` or ``Encrypt`` (RFC 9052 §5.3)."""
    return _ENC_HEADS[context] + codec.encode(protected) + codec.encode(external_aad)


def open_array(data: bytes, tag: CoseTag, *, limits: codec.Limits) -> list[Any]:
    """Decode one COSE message, tagged with exactly `tag` or untagged where the context says what it is.

    Raises:
        DecodeError: not CBOR, another tag, or an array of another size.
    """
    # The head is taken off by hand: what stands inside a tag comes out immutable, and so in other types.
    head = _HEADS[tag]
    value = codec.decode(data[len(head) :] if data.startswith(head) else data, limits=limits)
    if isinstance(value, codec.Tag):
        raise DecodeError(f"expected tag {tag.value} (COSE_{tag.name}), got tag {value.tag}", spec="RFC 9052 §2")
    if not isinstance(value, list) or len(value) != _SIZES[tag]:
        raise DecodeError(f"expected COSE_{tag.name}: an array of {_SIZES[tag]} elements", spec="RFC 9052 §2")
    return value


def wrap_array(elements: list[Any], tag: CoseTag, *, tagged: bool) -> bytes:
    """Encode one COSE message."""
    return codec.encode(codec.Tag(tag, elements) if tagged else elements)
