"""One message in its two modes: the AAD, the cipher, and the encrypted countersignature (RFC 10021 §3, §4)."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.crypto.algorithm import REGISTRY
from thingstead.crypto.digest import hkdf
from thingstead.crypto.key import verify
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose.structure import enc_structure
from thingstead.protocols.group_oscore.context import Credential, GroupContext, Member
from thingstead.protocols.oscore.option import decode_partial_iv

__all__ = ["Envelope", "external_aad", "open_group", "open_pairwise", "seal_group", "seal_pairwise"]

_OSCORE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Envelope:
    """Everything about one message but its sender and content.

    Attributes:
        context: the epoch that it is protected in.
        request_kid: Sender ID of the client.
        request_piv: Partial IV of the request.
        request_kid_context: Gid of the request.
        option: value of this message's own OSCORE option, finished.
        piv: Partial IV that the nonce is made of: this message's own, or the request's.
        id_piv: Sender ID of whoever generated it.
        is_request: this message is the request.
    """

    context: GroupContext
    request_kid: bytes
    request_piv: bytes
    request_kid_context: bytes
    option: bytes
    piv: bytes
    id_piv: bytes
    is_request: bool


def external_aad(envelope: Envelope, sender: Credential) -> bytes:
    """The encoded aad_array; credentials go in as they were issued (RFC 10021 §3.4)."""
    algorithms = envelope.context.algorithms
    return codec.encode(
        [
            _OSCORE_VERSION,
            [algorithms.aead_id, algorithms.group_encryption_id, algorithms.signature_id, algorithms.agreement_id],
            envelope.request_kid,
            envelope.request_piv,
            b"",  # no Class I option is defined (RFC 8613 §4.1)
            envelope.request_kid_context,
            envelope.option,
            sender.original,
            envelope.context.gm_credential,
        ]
    )


def seal_group(envelope: Envelope, plaintext: bytes) -> bytes:
    """Ciphertext ‖ encrypted countersignature, by our own key (RFC 10021 §4.1, §6.1).

    Raises:
        UnsupportedError: no group mode in this group, or our key does not fit its signature algorithm.
    """
    context = envelope.context
    encryption_id, signature_id = context.algorithms.require_group_mode()
    aad = external_aad(envelope, context.own.credential)
    ciphertext = context.own_group_cipher.encrypt(_nonce(envelope, encryption_id), plaintext, _enc(aad))
    signature = context.own.key.sign(_countersigned(aad, ciphertext), signature_id)
    return ciphertext + _mask(envelope, signature)


def open_group(envelope: Envelope, payload: bytes, *, sender: Member) -> bytes:
    """Verify the countersignature, then decrypt (RFC 10021 §6.2, §6.4).

    Raises:
        AuthenticationError: the countersignature is not the sender's, or the tag does not verify.
        DecodeError: too short to hold a countersignature.
        UnsupportedError: no group mode in this group.
    """
    context = envelope.context
    encryption_id, signature_id = context.algorithms.require_group_mode()
    size = REGISTRY[signature_id].output_size
    if len(payload) <= size:
        raise DecodeError(f"expected a ciphertext and {size} bytes of countersignature", spec="RFC 10021 §4.1")
    ciphertext, signature = payload[:-size], _mask(envelope, payload[-size:])
    aad = external_aad(envelope, sender.credential)
    signed = _countersigned(aad, ciphertext)
    verify(sender.credential.public, signature=signature, data=signed, signature_id=signature_id)
    return context.group_cipher_of(sender).decrypt(_nonce(envelope, encryption_id), ciphertext, _enc(aad))


def seal_pairwise(envelope: Envelope, plaintext: bytes, *, recipient: Member) -> bytes:
    """Ciphertext under the pairwise key to one member (RFC 10021 §7.3).

    Raises:
        UnsupportedError: no pairwise mode in this group.
    """
    aead_id = envelope.context.algorithms.require_pairwise_mode()
    cipher, _ = envelope.context.pairwise_ciphers(recipient)
    aad = external_aad(envelope, envelope.context.own.credential)
    return cipher.encrypt(_nonce(envelope, aead_id), plaintext, _enc(aad))


def open_pairwise(envelope: Envelope, payload: bytes, *, sender: Member) -> bytes:
    """Verify and decrypt under the pairwise key from one member (RFC 10021 §7.4).

    Raises:
        AuthenticationError: the tag does not verify.
        DecodeError: too short to hold a tag.
        UnsupportedError: no pairwise mode in this group.
    """
    aead_id = envelope.context.algorithms.require_pairwise_mode()
    _, cipher = envelope.context.pairwise_ciphers(sender)
    aad = external_aad(envelope, sender.credential)
    return cipher.decrypt(_nonce(envelope, aead_id), payload, _enc(aad))


def _nonce(envelope: Envelope, algorithm_id: int) -> bytes:
    return envelope.context.nonce(envelope.id_piv, decode_partial_iv(envelope.piv), algorithm_id=algorithm_id)


def _enc(aad: bytes) -> bytes:
    return enc_structure("Encrypt0", protected=b"", external_aad=aad)


def _countersigned(aad: bytes, ciphertext: bytes) -> bytes:
    """The Countersign_structure of an abbreviated countersignature on a COSE_Encrypt0 (RFC 9338 §3.3).

    It has no other fields, so its context is not the V2 text and the signer's protected bucket, empty, stays in;
    aiocoap and Californium read the clause so too.
    """
    return codec.encode(["CounterSignature0", b"", b"", aad, ciphertext])


def _mask(envelope: Envelope, signature: bytes) -> bytes:
    """Encrypt or decrypt a countersignature: XOR with its keystream (RFC 10021 §4.2)."""
    context = envelope.context
    size = len(signature)
    info = codec.encode([envelope.id_piv, context.gid, envelope.is_request, size])
    stream = hkdf(
        context.signature_encryption_key,
        salt=envelope.piv,
        info=info,
        size=size,
        digest_id=context.algorithms.digest_id,
    )
    return (int.from_bytes(signature, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")
