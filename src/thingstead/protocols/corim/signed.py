"""A CoRIM under its maker's signature: COSE_Sign1 whose protected header says who signed (§4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Any

from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.shape import Check, members, text
from thingstead.protocols.corim import rim
from thingstead.protocols.corim.common import Validity, read_uri, read_validity
from thingstead.protocols.corim.registry import DRAFT, MEDIA_TYPE
from thingstead.protocols.corim.rim import Corim
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Headers, Label

__all__ = ["AuthenticCorim", "Signer", "authenticate", "read_signer", "sign"]

_META, _PAYLOAD_HASH = 8, 258
_ISSUER, _EXPIRES, _BEGINS = 1, 4, 5
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, as the header says.

    Attributes:
        name: of the organisation.
        validity: of the signature; None where none is named.
    """

    name: str
    validity: Validity | None = None


@dataclass(frozen=True, slots=True)
class AuthenticCorim:
    """A CoRIM whose signature verified; made by `authenticate` and by nothing else.

    Attributes:
        corim: what it says.
        signer: who says so.
        key: under which it verified, chosen by the caller.
    """

    corim: Corim
    signer: Signer
    key: PublicKey
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an AuthenticCorim is made by signed.authenticate")


def sign(corim: bytes, key: PrivateKey, *, signature_id: int, signer: str) -> bytes:
    """Sign an encoded CoRIM; the signer is named as the issuer (§4.2.2)."""
    protected = {Label.CONTENT_TYPE: MEDIA_TYPE, Label.CWT_CLAIMS: {_ISSUER: signer}}
    return sign1.sign(corim, key, signature_id=signature_id, protected=protected)


def authenticate(data: bytes, public: PublicKey, *, accept: frozenset[int], at: datetime) -> AuthenticCorim:
    """Verify a signed CoRIM under a key that the caller chose, and what dates it names.

    Raises:
        DecodeError: outside the grammar of §4.
        UnsupportedError: an algorithm outside `accept`, or a hash in place of the CoRIM.
        AuthenticationError: the signature does not verify.
        ExpiredError: outside the validity of the signature or of the CoRIM.
    """
    signed = sign1.authenticate(sign1.decode(data, limits=rim.LIMITS), public, accept=accept)
    signer = read_signer(signed.headers)
    if signer.validity is not None:
        signer.validity.require(at)
    corim = rim.decode(signed.payload)
    if corim.validity is not None:
        corim.validity.require(at)
    return AuthenticCorim(corim, signer, public, _SEAL)


def read_signer(headers: Headers) -> Signer:
    """Who the protected header says has signed (§4.2.1).

    Raises:
        DecodeError: another content type, nobody named, or two who differ.
        UnsupportedError: the hash of a CoRIM is signed, not the CoRIM.
    """
    protected = headers.protected
    if _PAYLOAD_HASH in protected:
        raise UnsupportedError("expected the CoRIM itself under the signature, got its hash", spec="RFC 9995 §2")
    if protected.get(Label.CONTENT_TYPE) != MEDIA_TYPE:
        raise DecodeError(f"expected the content type {MEDIA_TYPE}", spec=f"{DRAFT} §4.2.1")
    named = [
        read(protected[label]) for label, read in ((_META, _meta), (Label.CWT_CLAIMS, _issuer)) if label in protected
    ]
    if not named or named[0].name != named[-1].name:
        raise DecodeError("expected one signer in the protected header", spec=f"{DRAFT} §4.2.1")
    return named[0] if named[0].validity is not None else named[-1]


def _meta(value: Any) -> Signer:
    if not isinstance(value, bytes):
        raise DecodeError("expected corim-meta as a byte string", spec=f"{DRAFT} §4.2.3")
    found = members(codec.decode(value, limits=rim.LIMITS), _META_MAP, what="corim-meta-map", needs=(0,))
    return Signer(found[0], found.get(1))


def _name(value: Any) -> str:
    found = members(value, {0: text, 1: read_uri}, what="corim-signer-map", needs=(0,), extensible=True)
    name: str = found[0]
    return name


def _issuer(value: Any) -> Signer:
    found = members(value, {_ISSUER: text}, what="CWT claims", needs=(_ISSUER,), extensible=True)
    ends = found.get(_EXPIRES)
    if ends is None:
        return Signer(found[_ISSUER])
    begins = found.get(_BEGINS)
    dates = {1: codec.Tag(1, ends)} | ({} if begins is None else {0: codec.Tag(1, begins)})
    return Signer(found[_ISSUER], read_validity(dates))


_META_MAP: Mapping[int, Check] = {0: _name, 1: read_validity}
