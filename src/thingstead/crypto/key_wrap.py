"""AES Key Wrap by COSE number (RFC 3394, RFC 9053 §6.2.1): a key under a key, with its own integrity check."""

from __future__ import annotations

from cryptography.hazmat.primitives import keywrap

from thingstead.crypto.algorithm import Kind, algorithm
from thingstead.errors import AuthenticationError, DecodeError
from thingstead.secret import Secret

__all__ = ["unwrap_key", "wrap_key"]

_STEP = 8


def wrap_key(key: Secret, wrapping: Secret, wrap_id: int) -> bytes:
    """Wrap `key` under `wrapping`; what comes out is 8 bytes longer.

    Raises:
        UnsupportedError: not a key wrap that we have.
        ValueError: a wrapping key of the wrong length, or a key that is not 16 bytes or more in steps of 8.
    """
    return keywrap.aes_key_wrap(_checked(wrapping, wrap_id), key.reveal())


def unwrap_key(wrapped: bytes, wrapping: Secret, wrap_id: int) -> Secret:
    """Unwrap a key.

    Raises:
        AuthenticationError: it was not wrapped under `wrapping`, or was changed.
        DecodeError: it has no length of a wrapped key.
        UnsupportedError: not a key wrap that we have.
        ValueError: a wrapping key of the wrong length.
    """
    kek = _checked(wrapping, wrap_id)
    if len(wrapped) < 3 * _STEP or len(wrapped) % _STEP:
        raise DecodeError(f"expected a wrapped key of 24 bytes or more in steps of 8, got {len(wrapped)}")
    try:
        return Secret(keywrap.aes_key_unwrap(kek, wrapped))
    except keywrap.InvalidUnwrap:
        raise AuthenticationError("the wrapped key does not unwrap", spec="RFC 3394 §2.2.3") from None


def _checked(wrapping: Secret, wrap_id: int) -> bytes:
    row = algorithm(wrap_id, Kind.KEY_WRAP)
    if len(wrapping) != row.key_size:
        raise ValueError(f"{row.name} takes a key of {row.key_size} bytes, got {len(wrapping)}")
    return wrapping.reveal()
