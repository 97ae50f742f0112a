"""A token that only one resource server can read: the signed CWT, encrypted whole (RFC 8392 §7.1, RFC 9203 §3.2).

The key is derived from the Master Secret that the domain has in common with the thing, beside the keys of OSCORE. Who
does not have it cannot make the thing verify a signature: what strangers bring is refused for the price of a cipher.
"""

from __future__ import annotations

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import encrypt0
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.oscore.derivation import KeyDerivation
from thingstead.secret import Secret

__all__ = ["NONCE_SIZE", "is_sealed", "seal", "token_key", "unseal"]

NONCE_SIZE = 13
"""Bytes, random: of so many that the tokens of one key do not meet."""

_AEAD = AlgorithmId.AES_CCM_16_128_128
_ACCEPT = frozenset({int(_AEAD)})
_KEY_SIZE = 16
_HEAD = cwt.CWT_HEAD + b"\xd0"
_OF_THREE, _NOTHING_OPEN = b"\x83", b"\xa0"


def token_key(master_secret: Secret, *, master_salt: bytes, digest_id: int) -> Secret:
    """The key of all tokens for one resource server, a sibling of its OSCORE keys (RFC 8613 §3.2.1)."""
    keys = KeyDerivation(master_secret, master_salt=master_salt, id_context=None, digest_id=digest_id)
    return Secret(keys.derive("Token", id_=b"", algorithm_id=int(_AEAD), size=_KEY_SIZE))


def is_sealed(data: bytes) -> bool:
    """Whether it begins as such a token does."""
    return data.startswith(_HEAD)


def seal(signed: bytes, key: Secret, *, nonce: bytes) -> bytes:
    """Encrypt a signed token as 61(16([...])), with nothing unprotected (RFC 9770 §3).

    Args:
        signed: 61(18([...])).
        key: of `token_key`.
        nonce: 13 fresh random bytes.
    """
    return cwt.CWT_HEAD + encrypt0.protect(signed, key, aead_id=_AEAD, nonce=nonce, covers_nonce=True)


def unseal(data: bytes, key: Secret) -> bytes:
    """The signed token inside, of which nothing is verified yet but that somebody with the key made it.

    Raises:
        DecodeError: outside the grammar, or another encoding of the same token.
        UnsupportedError: another algorithm.
        AuthenticationError: made under another key.
    """
    if not is_sealed(data):
        raise DecodeError("expected a token as 61(16(...))", spec="RFC 9770 §3")
    message = encrypt0.decode(data.removeprefix(cwt.CWT_HEAD), limits=cwt.LIMITS)
    plaintext = encrypt0.unprotect(message, key, accept=_ACCEPT)
    protected, ciphertext = codec.encode(message.headers.encoded), codec.encode(message.ciphertext)
    if data != _HEAD + _OF_THREE + protected + _NOTHING_OPEN + ciphertext:
        raise DecodeError("expected a token in shortest form, with nothing unprotected", spec="RFC 9770 §3")
    return plaintext
