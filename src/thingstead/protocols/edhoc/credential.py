"""Authentication credentials, and how messages refer to them (RFC 9528 §3.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import ccs, token
from thingstead.protocols.edhoc.identifier import decode_identifier, encode_identifier

__all__ = [
    "Credential",
    "CredentialReference",
    "compact_reference",
    "expand_reference",
    "kccs_reference",
    "kid_reference",
    "read_credential",
]

_MAX_PARAMETERS = 8
_MAX_CHAIN = 6
_MAX_URI = 255
_URI_TAG = 32


class _Header(IntEnum):
    """COSE header parameters that identify or carry a credential."""

    KID = 4
    KCWT = 13
    KCCS = 14
    X5CHAIN = 33
    X5T = 34
    X5U = 35


_KID_HEAD, _KCCS_HEAD = (b"\xa1" + codec.encode(int(label)) for label in (_Header.KID, _Header.KCCS))


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as the transcript sees it; whether it is to be trusted, the caller has decided.

    Attributes:
        id_cred: ID_CRED_x, the full COSE header map (RFC 9528 §3.5.3), as our side sends it.
        cred: CRED_x, one CBOR item, never re-encoded: a CCS or an untagged CWT as it came, a DER certificate
            wrapped as a byte string (RFC 9528 §3.5.2).
        public: the authentication key that `cred` holds.
    """

    id_cred: bytes
    cred: bytes
    public: PublicKey

    def __post_init__(self) -> None:
        codec.decode(self.cred)
        compact_reference(self.id_cred)


@dataclass(frozen=True, slots=True)
class CredentialReference:
    """ID_CRED_x as received: a hint where to look, proof of nothing (RFC 9528 §3.5.3).

    Attributes:
        id_cred: the full header map, by the bytes that the transcript covers.
        kid: key identifier; need not be unique.
        kccs: a CWT claims set by value, as it came: an unprotected public key.
        kcwt: a CWT by value, as it came.
        x5t: hash algorithm and certificate hash.
        x5chain: DER certificates, the end entity's first.
        x5u: where the sender says that its certificate can be fetched; the sender is a stranger still, so whoever
            fetches decides first which hosts may be asked (RFC 9360 §4).
    """

    id_cred: bytes
    kid: bytes | None = None
    kccs: bytes | None = None
    kcwt: bytes | None = None
    x5t: tuple[int | str, bytes] | None = None
    x5chain: tuple[bytes, ...] = ()
    x5u: str | None = None


def read_credential(encoded: bytes, id_cred: bytes) -> Credential:
    """The credential that a CWT claims set or a CWT is; no signature is looked at (RFC 9528 §3.5.2).

    CRED_x is the CWT without its tag 61, and otherwise the bytes as they came.

    Raises:
        DecodeError: neither of them, or one that holds no public key.
        UnsupportedError: a key of a type that we do not have.
    """
    return Credential(id_cred, encoded.removeprefix(token.CWT_HEAD), ccs.decode(encoded).public)


def kid_reference(kid: bytes) -> bytes:
    """ID_CRED_x that names a credential by key identifier."""
    return _KID_HEAD + codec.encode(kid)


def kccs_reference(ccs: bytes) -> bytes:
    """ID_CRED_x that carries the CWT claims set `ccs` by value, byte for byte (RFC 9528 §3.5.3.1)."""
    return _KCCS_HEAD + ccs


def compact_reference(id_cred: bytes) -> bytes:
    """ID_CRED_x as it stands in a plaintext: a map of `kid` alone shrinks to the bare identifier (RFC 9528 §3.5.3.2).

    Raises:
        DecodeError: not a header map, or a kid in other than its shortest encoding.
    """
    value = codec.decode(id_cred)
    if not isinstance(value, dict) or not value:
        raise DecodeError("expected ID_CRED as a COSE header map", spec="RFC 9528 §3.5.3")
    kid = _lone_kid(value)
    if kid is None:
        return id_cred
    if kid_reference(kid) != id_cred:
        raise DecodeError("expected deterministic CBOR around a kid", spec="RFC 9528 §3.5.3.2")
    return encode_identifier(kid)


def expand_reference(value: Any, raw: bytes) -> CredentialReference:
    """Read ID_CRED_x from a plaintext, where `value` was decoded from `raw`.

    Raises:
        DecodeError: neither identifier nor header map, a map of `kid` alone, a label that is none, or a parameter of
            the wrong type.
    """
    if not isinstance(value, dict):
        kid = decode_identifier(value)
        return CredentialReference(kid_reference(kid), kid=kid)
    if not all(type(label) is int or isinstance(label, str) for label in value):
        raise DecodeError("expected integers and text as labels of ID_CRED", spec="RFC 9052 §1.5")
    if _lone_kid(value) is not None or not 0 < len(value) <= _MAX_PARAMETERS:
        raise DecodeError("expected a bare kid, or a map that holds more than one", spec="RFC 9528 §3.5.3.2")
    raw_values = dict(_entries(raw))
    return CredentialReference(
        raw,
        kid=_bytes_or_none(value.get(_Header.KID)),
        kccs=_raw_map(value.get(_Header.KCCS), raw_values.get(_Header.KCCS)),
        kcwt=raw_values.get(_Header.KCWT),
        x5t=_certificate_hash(value.get(_Header.X5T)),
        x5chain=_certificates(value.get(_Header.X5CHAIN)),
        x5u=_uri(value.get(_Header.X5U)),
    )


def _lone_kid(value: dict[Any, Any]) -> bytes | None:
    kid = value.get(_Header.KID)
    return kid if len(value) == 1 and isinstance(kid, bytes) else None


def _entries(raw: bytes) -> Iterator[tuple[Any, bytes]]:
    """Labels and the bytes of their values, from a map that has decoded well."""
    if raw[0] & 0x1F > _MAX_PARAMETERS:
        raise DecodeError("expected a header map of definite, shortest length", spec="RFC 9528 §3.1")
    offset = 1
    while offset < len(raw):
        label, size = codec.decode_prefix(raw[offset:])
        offset += size
        _value, size = codec.decode_prefix(raw[offset:])
        yield label, raw[offset : offset + size]
        offset += size


def _bytes_or_none(value: Any) -> bytes | None:
    if value is not None and not isinstance(value, bytes):
        raise DecodeError("expected a byte string as kid", spec="RFC 9052 §3.1")
    return value


def _raw_map(value: Any, raw: bytes | None) -> bytes | None:
    if raw is not None and not isinstance(value, dict):
        raise DecodeError("expected a map of claims as kccs", spec="RFC 9528 §3.5.3.1")
    return raw


def _certificate_hash(value: Any) -> tuple[int | str, bytes] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise DecodeError("expected x5t as algorithm and hash", spec="RFC 9360 §2")
    number, digest = value
    if not (type(number) is int or isinstance(number, str)) or not isinstance(digest, bytes):
        raise DecodeError("expected x5t as algorithm and hash", spec="RFC 9360 §2")
    return number, digest


def _certificates(value: Any) -> tuple[bytes, ...]:
    if value is None:
        return ()
    chain = value if isinstance(value, list) and len(value) > 1 else [value]
    if len(chain) > _MAX_CHAIN or not all(isinstance(certificate, bytes) for certificate in chain):
        raise DecodeError(f"expected x5chain as one certificate, or an array of 2 to {_MAX_CHAIN}", spec="RFC 9360 §2")
    return tuple(chain)


def _uri(value: Any) -> str | None:
    if value is None:
        return None
    uri = value.value if isinstance(value, codec.Tag) and value.tag == _URI_TAG else None
    if not isinstance(uri, str) or not uri.isprintable() or not 0 < len(uri) <= _MAX_URI:
        raise DecodeError(f"expected x5u as a tagged URI of 1 to {_MAX_URI} characters", spec="RFC 9360 §2")
    return uri
