"""Encrypted payloads: the content key for each recipient, beside the payload (draft-ietf-suit-firmware-encryption).

Neither way says who encrypted: under ECDH-ES anybody can, under a wrapping key whoever has it, and AES-CTR shows no
change at all. What was decrypted is worth something once it matches the digest of an authentic manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from thingstead.crypto.aead import aead, apply_stream
from thingstead.crypto.aead import decrypt_pieces as aead_pieces
from thingstead.crypto.algorithm import REGISTRY, Algorithm, AlgorithmId, Kind, fitting
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.crypto.key_wrap import wrap_key
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import encrypt0, header, recipient
from thingstead.protocols.cose.encrypt0 import Encrypted
from thingstead.protocols.cose.header import Label
from thingstead.protocols.cose.key import public_map
from thingstead.protocols.cose.key_derivation import derive, kdf_context
from thingstead.protocols.cose.recipient import Receiver
from thingstead.protocols.cose.structure import CoseTag, enc_structure, wrap_array
from thingstead.protocols.suit.registry import FIRMWARE_ENCRYPTION
from thingstead.secret import Secret

__all__ = ["DecryptionKeys", "EncryptedPayload", "Shared", "Static", "decrypt", "decrypt_pieces", "encrypt"]

DecryptionKeys = Mapping[bytes, Secret | PrivateKey]
"""What a recipient holds, by kid: wrapping keys of 16, 24 or 32 bytes, and private keys for ECDH-ES."""

_CONTEXT = b"SUIT Payload Encryption"
_EPHEMERAL_KEY = -1
_A = AlgorithmId
_AEADS = frozenset({_A.A128GCM, _A.A192GCM, _A.A256GCM, _A.CHACHA20_POLY1305})
_WHOLE = frozenset({_A.CHACHA20_POLY1305})
_PIECE = 1 << 14
_STREAMS = frozenset({_A.A128CTR, _A.A256CTR})
_WRAPS = {16: _A.A128KW, 24: _A.A192KW, 32: _A.A256KW}
_AGREEMENTS = frozenset({_A.ECDH_ES_A128KW, _A.ECDH_ES_A192KW, _A.ECDH_ES_A256KW})


@dataclass(frozen=True, slots=True)
class Shared:
    """A recipient that shares a wrapping key with the sender: AES-KW of the key's length."""

    kid: bytes
    key: Secret


@dataclass(frozen=True, slots=True)
class Static:
    """A recipient with a key pair: ECDH-ES + A128KW.

    Attributes:
        kid: what it calls its key.
        key: its public key, on P-256.
        ephemeral: a fresh key of the sender, on the same curve, for this recipient and payload alone.
    """

    kid: bytes
    key: PublicKey
    ephemeral: PrivateKey


@dataclass(frozen=True, slots=True)
class EncryptedPayload:
    """What goes into the manifest (`info`, SUIT_Encryption_Info), and what travels."""

    info: bytes
    ciphertext: bytes


def encrypt(
    payload: bytes, recipients: Sequence[Shared | Static], *, content_id: int, content_key: Secret, iv: bytes
) -> EncryptedPayload:
    """Encrypt once for all `recipients` (§6).

    Args:
        payload: all of it.
        recipients: at least one.
        content_id: an AES-GCM, ChaCha20/Poly1305 or AES-CTR number.
        content_key: random, of the algorithm's length, and never used before.
        iv: of the algorithm's length; 16 bytes for AES-CTR.

    Raises:
        UnsupportedError: another algorithm, or a key that does not fit.
        ValueError: an IV of another length.
    """
    if content_id in _STREAMS:
        fitting(content_id, Kind.STREAM, content_key)
        headers = header.build({}, {Label.ALG: content_id, Label.IV: iv})
        ciphertext = apply_stream(content_id, content_key, iv, payload)
    else:
        row = _known_aead(content_id)
        headers = header.build({Label.ALG: row.id.value}, {Label.IV: iv})
        aad = enc_structure("Encrypt", protected=headers.encoded, external_aad=b"")
        ciphertext = aead(row.id, content_key).encrypt(iv, payload, aad)
    entries = [
        _shared(one, content_key) if isinstance(one, Shared) else _static(one, content_key) for one in recipients
    ]
    info = wrap_array([*header.encode(headers), None, entries], CoseTag.ENCRYPT, tagged=True)
    return EncryptedPayload(info, ciphertext)


def decrypt(
    info: bytes, ciphertext: bytes, keys: DecryptionKeys, *, limits: codec.Limits = codec.DEFAULT_LIMITS
) -> bytes:
    """Decrypt under the first of `keys` that one of the recipients is for.

    A recipient that names no key is tried with each of them.

    Raises:
        DecodeError: outside the grammar, or a ciphertext inside the structure.
        UnsupportedError: an algorithm that we do not have.
        UntrustedError: for others only.
        AuthenticationError: the ciphertext is not the one that was made with this content key.
    """
    opened = _open(info, keys, limits)
    if opened.row.kind is Kind.STREAM:
        return _unstreamed(opened.row, opened.key, opened.iv, ciphertext)
    return aead(opened.row.id, opened.key).decrypt(opened.iv, ciphertext, opened.aad)


def decrypt_pieces(
    info: bytes,
    read: Callable[[int, int], bytes],
    size: int,
    keys: DecryptionKeys,
    *,
    limits: codec.Limits = codec.DEFAULT_LIMITS,
) -> Iterator[bytes]:
    """As `decrypt`, of a ciphertext of `size` bytes that is read where it lies, at most so many from an offset on.

    The plaintext comes before the tag was compared, so that it must be worth nothing until all of it has come. Errors
    as for `decrypt`; ChaCha20/Poly1305 is decrypted at once.
    """
    opened = _open(info, keys, limits)
    if opened.row.id in _WHOLE:
        yield aead(opened.row.id, opened.key).decrypt(opened.iv, read(0, size), opened.aad)
        return
    tag_size = 0 if opened.row.kind is Kind.STREAM else opened.row.output_size
    end = max(size - tag_size, 0)
    pieces = (read(offset, min(_PIECE, end - offset)) for offset in range(0, end, _PIECE))
    tag = read(end, tag_size) if tag_size else b""
    yield from aead_pieces(opened.row.id, opened.key, opened.iv, pieces, aad=opened.aad, tag=tag)


class _Opened(NamedTuple):
    """What decrypts a payload."""

    row: Algorithm
    key: Secret
    iv: bytes
    aad: bytes


def _open(info: bytes, keys: DecryptionKeys, limits: codec.Limits) -> _Opened:
    message = encrypt0.decode_encrypt(info, limits=limits)
    if message.ciphertext is not None:
        raise DecodeError("expected a detached ciphertext", spec=f"{FIRMWARE_ENCRYPTION} §6")
    row = _content_algorithm(message)
    content_key = _content_key(message, keys, row)
    iv = message.headers.parameter(Label.IV)
    if not isinstance(iv, bytes):
        raise DecodeError("expected an IV", spec=f"{FIRMWARE_ENCRYPTION} §7")
    fitting(row.id, row.kind, content_key)
    is_aead = row.kind is not Kind.STREAM
    aad = enc_structure("Encrypt", protected=message.headers.encoded, external_aad=b"") if is_aead else b""
    return _Opened(row, content_key, iv, aad)


def _unstreamed(row: Algorithm, content_key: Secret, iv: bytes, ciphertext: bytes) -> bytes:
    try:
        return apply_stream(row.id, content_key, iv, ciphertext)
    except ValueError:
        raise DecodeError("expected an IV of 16 bytes", spec="RFC 9459 §4") from None


def _known_aead(number: int) -> Algorithm:
    if number not in _AEADS:
        raise UnsupportedError(f"payloads are not encrypted with {number!r}", spec=f"{FIRMWARE_ENCRYPTION} §7")
    return REGISTRY[number]


def _content_algorithm(message: Encrypted) -> Algorithm:
    """Protected for an AEAD; AES-CTR, which can protect nothing, stands in the other bucket (§7)."""
    headers = message.headers
    if headers.encoded:
        return _known_aead(headers.algorithm(_AEADS))
    number = headers.parameter(Label.ALG)
    if number not in _STREAMS:
        raise DecodeError(
            "expected a protected alg, or AES-CTR and nothing protected", spec=f"{FIRMWARE_ENCRYPTION} §7"
        )
    return REGISTRY[number]


def _content_key(message: Encrypted, keys: DecryptionKeys, row: Algorithm) -> Secret:
    failure: AuthenticationError | None = None
    for receiver in _receivers(message, keys):
        try:
            return recipient.content_key(message.recipients, receiver, content=row)
        except AuthenticationError as error:
            failure = error
    if failure is not None:
        raise failure
    raise UntrustedError("the payload is encrypted for others", spec=f"{FIRMWARE_ENCRYPTION} §6", reason="recipient")


def _receivers(message: Encrypted, keys: DecryptionKeys) -> Iterator[Receiver]:
    for index, one in enumerate(message.recipients):
        number = one.headers.parameter(Label.ALG)
        for kid, key in keys.items():
            accept = _AGREEMENTS if not isinstance(key, Secret) else frozenset({_WRAPS[len(key)]})
            if one.headers.kid in {b"", kid} and number in accept:
                yield Receiver(key, accept, index, supp_pub_other=_CONTEXT if accept is _AGREEMENTS else None)


def _shared(one: Shared, content_key: Secret) -> list[Any]:
    number = _WRAPS[len(one.key)]
    return [b"", {Label.ALG.value: number.value, Label.KID.value: one.kid}, wrap_key(content_key, one.key, number)]


def _static(one: Static, content_key: Secret) -> list[Any]:
    carried = {_EPHEMERAL_KEY: public_map(one.ephemeral.public), Label.KID.value: one.kid}
    headers = header.build({Label.ALG: _A.ECDH_ES_A128KW}, carried)
    target = REGISTRY[_A.A128KW]
    info = kdf_context(headers, target, supp_pub_other=_CONTEXT)
    wrapping = derive(_A.SHA_256, one.ephemeral.agree(one.key), headers, info=info, size=target.key_size)
    return [*header.encode(headers), wrap_key(content_key, wrapping, target.id)]
