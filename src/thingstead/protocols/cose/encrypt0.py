"""Authenticated encryption: COSE_Encrypt0, and COSE_Encrypt with recipients (RFC 9052 §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.crypto.aead import aead
from thingstead.crypto.algorithm import Kind, algorithm, fitting
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header, hpke, recipient
from thingstead.protocols.cose.header import Headers, Label
from thingstead.protocols.cose.recipient import Receiver, Recipient
from thingstead.protocols.cose.sign1 import choose_payload
from thingstead.protocols.cose.structure import CoseTag, enc_structure, open_array, wrap_array
from thingstead.secret import Secret

__all__ = ["Encrypted", "decode", "decode_encrypt", "protect", "unprotect"]


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A COSE_Encrypt0 or COSE_Encrypt as it came: nothing in it is proved.

    Attributes:
        headers: both buckets.
        ciphertext: ciphertext ‖ tag; None when it travels detached.
        recipients: none for COSE_Encrypt0, at least one for COSE_Encrypt; which of the two it is, is covered.
        encoded: the whole message as received.
    """

    headers: Headers
    ciphertext: bytes | None
    recipients: tuple[Recipient, ...]
    encoded: bytes


def protect(
    plaintext: bytes,
    key: Secret,
    *,
    aead_id: int,
    nonce: bytes,
    kid: bytes = b"",
    external_aad: bytes = b"",
    covers_nonce: bool = False,
) -> bytes:
    """Make a tagged COSE_Encrypt0 whose IV is the whole nonce (RFC 9052 §5.3).

    Args:
        plaintext: what is encrypted.
        key: of the algorithm's length.
        aead_id: COSE algorithm.
        nonce: of the algorithm's length, never used with this key before: the caller's promise.
        kid: key identifier, left out when empty.
        external_aad: covered and not carried.
        covers_nonce: the IV is told in the protected bucket, so that nothing stands outside (RFC 9770 §3).

    Raises:
        UnsupportedError: not an AEAD that we have, or not one of this key's length.
        ValueError: a nonce of the wrong length.
    """
    fitting(aead_id, Kind.AEAD, key)
    protected, unprotected = {Label.ALG: aead_id}, {Label.KID: kid} if kid else {}
    bucket: dict[Any, Any] = protected if covers_nonce else unprotected
    bucket[Label.IV] = nonce
    headers = header.build(protected, unprotected)
    aad = enc_structure("Encrypt0", protected=headers.encoded, external_aad=external_aad)
    ciphertext = aead(aead_id, key).encrypt(nonce, plaintext, aad)
    return wrap_array([*header.encode(headers), ciphertext], CoseTag.ENCRYPT0, tagged=True)


def decode(data: bytes, *, limits: codec.Limits = codec.DEFAULT_LIMITS) -> Encrypted:
    """Parse a COSE_Encrypt0 and prove nothing.

    Raises:
        DecodeError: outside the grammar of RFC 9052 §5.2.
        UnsupportedError: a critical header parameter.
    """
    encoded, unprotected, ciphertext = open_array(data, CoseTag.ENCRYPT0, limits=limits)
    return Encrypted(header.decode(encoded, unprotected, limits=limits), _ciphertext(ciphertext), (), data)


def decode_encrypt(data: bytes, *, limits: codec.Limits = codec.DEFAULT_LIMITS) -> Encrypted:
    """Parse a COSE_Encrypt and prove nothing.

    Raises:
        DecodeError: outside the grammar of RFC 9052 §5.1.
        UnsupportedError: a critical header parameter, or recipients of recipients.
    """
    encoded, unprotected, ciphertext, entries = open_array(data, CoseTag.ENCRYPT, limits=limits)
    headers = header.decode(encoded, unprotected, limits=limits)
    return Encrypted(headers, _ciphertext(ciphertext), recipient.decode(entries, limits=limits), data)


def unprotect(
    message: Encrypted | bytes,
    key: Secret | Receiver,
    *,
    accept: frozenset[int],
    external_aad: bytes = b"",
    ciphertext: bytes | None = None,
    context_iv: bytes = b"",
) -> bytes:
    """Verify and decrypt under a key that the caller chose (RFC 9052 §5.3).

    What decrypts was made by somebody who had the key: under ECDH-ES that is anybody, and under a wrapped
    key every other recipient as well.

    Args:
        message: parsed, or a COSE_Encrypt0 as received.
        key: the shared key, or what one recipient of a COSE_Encrypt holds to come to it.
        accept: algorithms that the caller's policy accepts.
        external_aad: covered and not carried.
        ciphertext: the detached ciphertext; None when the message must carry its own.
        context_iv: what a Partial IV is combined with, of the nonce's length; empty where none is agreed.

    Returns:
        The plaintext.

    Raises:
        DecodeError: outside the grammar, no nonce, or the ciphertext in the wrong place.
        UnsupportedError: an algorithm outside `accept` or not one of this key's length, or a recipient
            by another way to the key than the caller's.
        UntrustedError: a static key of the sender that is not the one expected.
        AuthenticationError: the tag does not verify, or the key does not unwrap.
    """
    if not isinstance(message, Encrypted):
        message = decode(message)
    aead_id = message.headers.algorithm(accept)
    if isinstance(key, Receiver) and not message.recipients:
        return _open_integrated(message, key, external_aad=external_aad, ciphertext=ciphertext)
    secret = recipient.content_key(message.recipients, key, content=algorithm(aead_id, Kind.AEAD))
    row = fitting(aead_id, Kind.AEAD, secret)
    nonce = _nonce(message.headers, context_iv, row.nonce_size)
    context = "Encrypt" if message.recipients else "Encrypt0"
    aad = enc_structure(context, protected=message.headers.encoded, external_aad=external_aad)
    return aead(aead_id, secret).decrypt(nonce, choose_payload(message.ciphertext, ciphertext), aad)


def _open_integrated(message: Encrypted, receiver: Receiver, *, external_aad: bytes, ciphertext: bytes | None) -> bytes:
    """Content that is encrypted to the receiver itself, without a content key (draft-ietf-cose-hpke §3.2)."""
    if isinstance(receiver.key, Secret):
        raise UnsupportedError("expected a private key for a message without recipients", spec="RFC 9052 §5.2")
    aad = enc_structure("Encrypt0", protected=message.headers.encoded, external_aad=external_aad)
    content = choose_payload(message.ciphertext, ciphertext)
    return hpke.open_content(message.headers, content, receiver.key, aad=aad, agreed=receiver.agreed)


def _nonce(headers: Headers, context_iv: bytes, size: int) -> bytes:
    """The IV itself, or a Partial IV padded on the left and combined with the agreed one (RFC 9052 §3.1)."""
    iv = headers.parameter(Label.IV)
    if isinstance(iv, bytes):
        return iv
    partial = headers.parameter(Label.PARTIAL_IV)
    if not isinstance(partial, bytes) or len(context_iv) != size or not 0 < len(partial) <= size:
        raise DecodeError(f"expected an IV of {size} bytes, or a Partial IV and an agreed one", spec="RFC 9052 §3.1")
    padded = partial.rjust(size, b"\x00")
    return bytes(a ^ b for a, b in zip(padded, context_iv, strict=True))


def _ciphertext(value: object) -> bytes | None:
    if not isinstance(value, bytes | None):
        raise DecodeError("expected a ciphertext of bstr or nil", spec="RFC 9052 §5")
    return value
