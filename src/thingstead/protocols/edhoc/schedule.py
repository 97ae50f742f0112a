"""The key schedule: extract, expand, transcript hashes and the cipher of messages 3 and 4 (RFC 9528 §4)."""

from __future__ import annotations

from enum import IntEnum

from thingstead.crypto.aead import Aead, aead
from thingstead.crypto.digest import digest, hkdf_expand, hkdf_extract
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose.structure import enc_structure
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.secret import Secret

__all__ = [
    "MESSAGE_3",
    "MESSAGE_4",
    "Label",
    "apply_keystream",
    "expand",
    "expand_secret",
    "following_transcript",
    "mix",
    "open_sealed",
    "seal",
    "second_transcript",
    "transcript_hash",
]


class Label(IntEnum):
    """info_label of EDHOC_KDF (RFC 9528 §4.1.2, Figure 6)."""

    KEYSTREAM_2 = 0
    SALT_3E2M = 1
    MAC_2 = 2
    K_3 = 3
    IV_3 = 4
    SALT_4E3M = 5
    MAC_3 = 6
    PRK_OUT = 7
    K_4 = 8
    IV_4 = 9
    PRK_EXPORTER = 10
    KEY_UPDATE = 11  # Appendix H
    KEYSTREAM_3A = 12  # draft-ietf-lake-edhoc-psk-08 §4


# A handshake derives eleven values on either side, and nearly all of their labels and sizes are here.
_INTEGERS = tuple([codec.encode(number) for number in range(256)])

MESSAGE_3 = (Label.K_3, Label.IV_3)
MESSAGE_4 = (Label.K_4, Label.IV_4)


def expand(suite: CipherSuite, prk: Secret, label: int, *, context: bytes, size: int) -> bytes:
    """EDHOC_KDF (RFC 9528 §4.1.2).

    Raises:
        ValueError: more than 255 times the hash size asked for.
    """
    info = _integer(label) + codec.encode(context) + _integer(size)
    return hkdf_expand(prk, info=info, size=size, digest_id=suite.digest)


def _integer(number: int) -> bytes:
    return _INTEGERS[number] if 0 <= number < len(_INTEGERS) else codec.encode(number)


def expand_secret(suite: CipherSuite, prk: Secret, label: int, *, context: bytes) -> Secret:
    """EDHOC_KDF of one more pseudorandom key, as long as the hash."""
    return Secret(expand(suite, prk, label, context=context, size=suite.hash_size))


def mix(suite: CipherSuite, salt: bytes, shared: Secret) -> Secret:
    """EDHOC_Extract (RFC 9528 §4.1.1)."""
    return hkdf_extract(shared, salt=salt, digest_id=suite.digest)


def transcript_hash(suite: CipherSuite, data: bytes) -> bytes:
    """H of the suite, over message_1 or a CBOR sequence."""
    return digest(data, suite.digest)


def second_transcript(suite: CipherSuite, g_y: bytes, h_message_1: bytes) -> bytes:
    """TH_2 (RFC 9528 §5.3.2)."""
    return transcript_hash(suite, codec.encode_sequence(g_y, h_message_1))


def following_transcript(suite: CipherSuite, th: bytes, plaintext: bytes, cred: bytes) -> bytes:
    """TH_3 from TH_2, PLAINTEXT_2 and CRED_R; TH_4 from TH_3, PLAINTEXT_3 and CRED_I (RFC 9528 §5.4.2)."""
    return transcript_hash(suite, codec.encode(th) + plaintext + cred)


def apply_keystream(suite: CipherSuite, prk: Secret, label: Label, data: bytes, *, th: bytes) -> bytes:
    """Encrypt PLAINTEXT_2 or decrypt CIPHERTEXT_2: a stream cipher, no integrity (RFC 9528 §5.3.2)."""
    stream = expand(suite, prk, label, context=th, size=len(data))
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")


def seal(
    suite: CipherSuite,
    prk: Secret,
    labels: tuple[int, int],
    *,
    th: bytes,
    plaintext: bytes,
    external_aad: bytes | None = None,
) -> bytes:
    """CIPHERTEXT_3 or CIPHERTEXT_4 (RFC 9528 §5.4.2, §5.5.2): once for each key, or the nonce is used twice.

    The transcript hash is the external_aad where none is given.
    """
    cipher, nonce, aad = _cipher(suite, prk, labels, th, external_aad)
    return cipher.encrypt(nonce, plaintext, aad)


def open_sealed(
    suite: CipherSuite,
    prk: Secret,
    labels: tuple[int, int],
    *,
    th: bytes,
    ciphertext: bytes,
    external_aad: bytes | None = None,
) -> bytes:
    """Verify and decrypt CIPHERTEXT_3 or CIPHERTEXT_4.

    Raises:
        AuthenticationError: the tag does not verify.
        DecodeError: shorter than a tag.
    """
    cipher, nonce, aad = _cipher(suite, prk, labels, th, external_aad)
    return cipher.decrypt(nonce, ciphertext, aad)


def _cipher(
    suite: CipherSuite, prk: Secret, labels: tuple[int, int], th: bytes, external_aad: bytes | None
) -> tuple[Aead, bytes, bytes]:
    key = Secret(expand(suite, prk, labels[0], context=th, size=suite.key_size))
    nonce = expand(suite, prk, labels[1], context=th, size=suite.nonce_size)
    return (
        aead(suite.aead, key),
        nonce,
        enc_structure("Encrypt0", protected=b"", external_aad=th if external_aad is None else external_aad),
    )
