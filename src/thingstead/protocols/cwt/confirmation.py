"""The `cnf` claim: which key the presenter must prove (RFC 8747 §3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose.key import CoseKey

__all__ = ["Confirmation", "ConfirmationMethod", "decode", "for_credential", "for_kid", "for_public", "for_shared"]


class ConfirmationMethod(IntEnum):
    """IANA "CWT Confirmation Methods"; `kccs` as draft-ietf-ace-edhoc-oscore-profile-11 assumes it."""

    COSE_KEY = 1
    ENCRYPTED_COSE_KEY = 2
    KID = 3
    OSC = 4
    KCCS = 11


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Exactly one way to name the key.

    Attributes:
        key: the key itself; None where it is named or shared.
        kid: the identifier alone, or the one inside the key; may be empty with a key.
        credential: the claims set that the key was in, encoded anew; empty where it was in none.
        shared: an OSCORE_Input_Material that nobody has read yet (RFC 9203 §3.2.1); it holds a secret.
    """

    key: CoseKey | None
    kid: bytes
    credential: bytes = b""
    shared: Mapping[Any, Any] | None = field(default=None, repr=False)

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


def for_credential(claims: Mapping[Any, Any]) -> dict[int, Any]:
    """The value of `cnf` for a claims set with the key, as EDHOC takes it for a credential (`kccs`)."""
    return {ConfirmationMethod.KCCS.value: dict(claims)}


def for_shared(material: Mapping[Any, Any]) -> dict[int, Any]:
    """The value of `cnf` for a secret that both ends share, which must travel encrypted (RFC 9203 §3.2)."""
    return {ConfirmationMethod.OSC.value: dict(material)}


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
    reader = _READERS.get(method) if type(method) is int else None
    if reader is None:
        raise UnsupportedError(f"expected cnf by COSE_Key, kid, osc or kccs, got {method!r}", spec="RFC 8747 §3.1")
    return reader(body)


def _kid(body: Any) -> Confirmation:
    if not isinstance(body, bytes) or not body:
        raise DecodeError("expected a kid of bytes in cnf", spec="RFC 8747 §3.4")
    return Confirmation(None, body)


def _key(body: Any) -> Confirmation:
    key = cose_key.from_map(body)
    if key.private is not None or key.symmetric is not None:
        raise DecodeError("expected a public key in cnf, got a secret in the clear", spec="RFC 8747 §4")
    return Confirmation(key, key.kid)


def _shared(body: Any) -> Confirmation:
    if not isinstance(body, Mapping):
        raise DecodeError("expected an OSCORE_Input_Material in cnf", spec="RFC 9203 §3.2.1")
    return Confirmation(None, b"", shared=body)


def _credential(body: Any) -> Confirmation:
    """The key of a claims set, which names it by COSE_Key and by nothing else."""
    inner = body.get(_CNF) if isinstance(body, Mapping) else None
    if not isinstance(inner, Mapping) or list(inner) != [ConfirmationMethod.COSE_KEY]:
        raise DecodeError("expected a claims set with a COSE_Key in cnf", spec="RFC 9528 §3.5.2")
    return replace(_key(inner[ConfirmationMethod.COSE_KEY.value]), credential=codec.encode(dict(body)))


_CNF = 8
_READERS: dict[int, Callable[[Any], Confirmation]] = {
    ConfirmationMethod.COSE_KEY: _key,
    ConfirmationMethod.KID: _kid,
    ConfirmationMethod.OSC: _shared,
    ConfirmationMethod.KCCS: _credential,
}
