"""The `cnf` claim: which key the presenter must prove (RFC 8747 §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose.key import CoseKey

__all__ = ["Confirmation", "ConfirmationMethod", "decode", "for_kid", "for_public"]


class ConfirmationMethod(IntEnum):
    """IANA "CWT Confirmation Methods"."""

    COSE_KEY = 1
    ENCRYPTED_COSE_KEY = 2
    KID = 3


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Exactly one way to name the key.

    Attributes:
        key: the key itself; None where only its identifier is given.
        kid: the identifier alone, or the one inside the key; may be empty with a key.
    """

    key: CoseKey | None
    kid: bytes

    def require_public(self) -> PublicKey:
        """The public key that the presenter must prove.

        Raises:
            DecodeError: only an identifier, or a symmetric key.
        """
        if self.key is None:
            raise DecodeError("expected cnf with a COSE_Key", spec="RFC 8747 §3.2")
        return self.key.require_public()


def for_public(public: PublicKey, *, kid: bytes = b"") -> dict[int, Any]:
    """The value of `cnf` for a public key (RFC 8747 §3.2)."""
    return {ConfirmationMethod.COSE_KEY.value: cose_key.public_map(public, kid=kid)}


def for_kid(kid: bytes) -> dict[int, Any]:
    """The value of `cnf` for a key that the recipient knows by its identifier (RFC 8747 §3.4)."""
    return {ConfirmationMethod.KID.value: kid}


def decode(value: Any) -> Confirmation:
    """Read the value of `cnf` (RFC 8747 §3.1).

    Raises:
        DecodeError: not a map with exactly one method, or a method outside its grammar; a private
            key too: whoever reads a token must not learn how to impersonate its presenter.
        UnsupportedError: a method, key type or curve that we do not have.
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        raise DecodeError("expected cnf with exactly one confirmation method", spec="RFC 8747 §3.1")
    ((method, body),) = value.items()
    if type(method) is int and method == ConfirmationMethod.KID:
        if not isinstance(body, bytes) or not body:
            raise DecodeError("expected a kid of bytes in cnf", spec="RFC 8747 §3.4")
        return Confirmation(None, body)
    if type(method) is not int or method != ConfirmationMethod.COSE_KEY:
        raise UnsupportedError(f"expected cnf by COSE_Key or kid, got {method!r}", spec="RFC 8747 §3.1")
    key = cose_key.from_map(body)
    if key.private is not None or key.symmetric is not None:
        raise DecodeError("expected a public key in cnf, got a secret in the clear", spec="RFC 8747 §4")
    return Confirmation(key, key.kid)
