"""What a client and an authorization server say to each other at the token endpoint (RFC 9200 §5.8).

The grant is client_credentials, the client being whom the secure association says. A token is bound to the key that the
client has proved, and its resource server met by EDHOC with the token in EAD_3 (`edhoc_profile`); or it is bound to a
secret that the response brings, and uploaded (RFC 9203).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError, ThingsteadError, UnsupportedError
from thingstead.protocols.ace import aif, edhoc_profile, input_material, token_upload
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import confirmation

__all__ = [
    "PROFILES",
    "GrantType",
    "Parameter",
    "TokenError",
    "TokenRequest",
    "TokenResponse",
    "decode_refusal",
    "refusal",
]

PROFILES = frozenset((token_upload.PROFILE, edhoc_profile.PROFILE))
"""Those that end in OSCORE: coap_oscore, and coap_edhoc_oscore."""

_LIMITS = codec.Limits(max_bytes=1 << 14, max_depth=8)
_MAX_NAME = 255
_MAX_NONCE = 64
_SPEC = "RFC 9200 §5.8"
_OTHER_PROFILE = "incompatible_ace_profiles"


class Parameter(IntEnum):
    """IANA "OAuth Parameters CBOR Mappings"."""

    ACCESS_TOKEN = 1
    EXPIRES_IN = 2
    REQ_CNF = 4
    AUDIENCE = 5
    CNF = 8
    SCOPE = 9
    ERROR = 30
    GRANT_TYPE = 33
    ACE_PROFILE = 38
    CNONCE = 39
    RS_CNF = 41
    EDHOC_INFO = edhoc_profile.EDHOC_INFO


class GrantType(IntEnum):
    """IANA "OAuth Grant Type CBOR Mappings"."""

    PASSWORD = 0
    AUTHORIZATION_CODE = 1
    CLIENT_CREDENTIALS = 2
    REFRESH_TOKEN = 3


class TokenError(IntEnum):
    """IANA "OAuth Error Code CBOR Mappings"; an error of ours finds its number by the name, which is its `reason`."""

    INVALID_REQUEST = 1
    INVALID_CLIENT = 2
    INVALID_GRANT = 3
    UNAUTHORIZED_CLIENT = 4
    UNSUPPORTED_GRANT_TYPE = 5
    INVALID_SCOPE = 6
    UNSUPPORTED_POP_KEY = 7
    INCOMPATIBLE_ACE_PROFILES = 8


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request for a token (RFC 9200 §5.8.1).

    Attributes:
        audience: name of the resource server.
        scope: what the client wants there; None for what it may have.
        public: key that the token is to be bound to (`req_cnf`); None for the one that the server knows.
        cnonce: what the resource server gave the client to prove that the token is fresh (RFC 9200 §5.3.1).
        series: of which the token is to be another, under keys that are in use (`edhoc_info`); empty for a first one.
        kid: the same by the name of the secret that client and resource server have (RFC 9203 §3.1).
    """

    audience: str
    scope: Scope | None = None
    public: PublicKey | None = None
    cnonce: bytes | None = None
    series: bytes = b""
    kid: bytes = b""

    def encode(self) -> bytes:
        """Encode for Content-Format application/ace+cbor; asks for the profile by null."""
        said: dict[int, Any] = {
            Parameter.GRANT_TYPE: int(GrantType.CLIENT_CREDENTIALS),
            Parameter.AUDIENCE: self.audience,
            Parameter.ACE_PROFILE: None,
        }
        if self.scope is not None:
            said[Parameter.SCOPE] = aif.encode(self.scope)
        if self.kid:
            said[Parameter.REQ_CNF] = confirmation.for_kid(self.kid)
        elif self.public is not None:
            said[Parameter.REQ_CNF] = confirmation.for_public(self.public)
        if self.cnonce is not None:
            said[Parameter.CNONCE] = self.cnonce
        if self.series:
            said[Parameter.EDHOC_INFO] = edhoc_profile.information(self.series)
        return codec.encode(said)

    @classmethod
    def decode(cls, data: bytes) -> TokenRequest:
        """Read a request; parameters that we do not know are passed over (RFC 6749 §3.2).

        Raises:
            DecodeError: outside the grammar, without an audience, or a series and a key at once.
            UnsupportedError: a grant, key or profile that we do not have; `reason` is that of a `TokenError`.
        """
        said = _map(data)
        grant = said.get(Parameter.GRANT_TYPE, int(GrantType.CLIENT_CREDENTIALS))
        if type(grant) is not int or grant != GrantType.CLIENT_CREDENTIALS:
            raise UnsupportedError("expected the client_credentials grant", spec=_SPEC, reason="unsupported_grant_type")
        profile = said.get(Parameter.ACE_PROFILE)
        if profile is not None and (type(profile) is not int or profile not in PROFILES):
            raise UnsupportedError("expected a profile that ends in OSCORE", spec=_SPEC, reason=_OTHER_PROFILE)
        public, kid = _proof(said)
        series = _series(said)
        if series and Parameter.REQ_CNF in said:
            raise DecodeError("expected a series, or a key of its own", spec=f"{edhoc_profile.DRAFT} §3.1")
        return cls(_name(said), _scope(said), public, _nonce(said), series, kid)


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A token for the client (RFC 9200 §5.8.2).

    Attributes:
        access_token: opaque to the client.
        expires_in: seconds.
        scope: what it holds, where that is not what was asked for.
        rs_credential: the resource server's, for who meets it by EDHOC (`rs_cnf`, RFC 9201 §3.2): a claims set with its
            key; empty elsewhere.
        profile: how the client is to meet it, one of `PROFILES`.
        material: what it has in common with the resource server (`cnf`), where that is all that it needs (RFC 9203).
        series: of which this is the first token, in EDHOC's profile; empty elsewhere.
    """

    access_token: bytes
    expires_in: int
    scope: Scope
    rs_credential: bytes = b""
    profile: int = edhoc_profile.PROFILE
    material: InputMaterial | None = None
    series: bytes = b""

    def encode(self) -> bytes:
        """Encode for Content-Format application/ace+cbor."""
        said: dict[int, Any] = {
            Parameter.ACCESS_TOKEN: self.access_token,
            Parameter.EXPIRES_IN: self.expires_in,
            Parameter.SCOPE: aif.encode(self.scope),
            Parameter.ACE_PROFILE: self.profile,
        }
        if self.rs_credential:
            said[Parameter.RS_CNF] = confirmation.for_credential(codec.decode(self.rs_credential))
        if self.material is not None:
            said[Parameter.CNF] = confirmation.for_shared(self.material.as_map())
        if self.series:
            said[Parameter.EDHOC_INFO] = edhoc_profile.information(self.series)
        return codec.encode(said)

    @classmethod
    def decode(cls, data: bytes) -> TokenResponse:
        """Read a response; what keys it needs, and has, is for the client to know: a further token brings none.

        Raises:
            DecodeError: outside the grammar, or without what every client needs.
            UnsupportedError: another profile, or keys that we do not have.
        """
        said = _map(data)
        access_token, expires_in = said.get(Parameter.ACCESS_TOKEN), said.get(Parameter.EXPIRES_IN)
        if not isinstance(access_token, bytes) or type(expires_in) is not int or expires_in < 0:
            raise DecodeError("expected a token and how long it lives", spec="RFC 9200 §5.8.2")
        profile = said.get(Parameter.ACE_PROFILE)
        if type(profile) is not int or profile not in PROFILES:
            raise UnsupportedError("expected a token of a profile that ends in OSCORE", spec="RFC 9200 §5.8.4.3")
        scope, server, shared = _scope(said), said.get(Parameter.RS_CNF), said.get(Parameter.CNF)
        if scope is None:
            raise DecodeError("expected a scope", spec="RFC 9200 §5.8.2")
        credential = b"" if server is None else confirmation.decode(server).credential
        material = None if shared is None else input_material.decode_map(confirmation.decode(shared).shared)
        return cls(access_token, expires_in, scope, credential, profile, material, _series(said))


def refusal(error: ThingsteadError) -> tuple[Code, bytes]:
    """Code and payload that tell a client what its request lacks (RFC 9200 §5.8.3)."""
    found = TokenError.__members__.get(error.reason.upper(), TokenError.INVALID_REQUEST)
    code = Code.UNAUTHORIZED if found is TokenError.INVALID_CLIENT else Code.BAD_REQUEST
    return code, codec.encode({Parameter.ERROR: int(found)})


def decode_refusal(data: bytes) -> TokenError | None:
    """Why a token was refused, as the server says; None for a number that we do not know.

    Raises:
        DecodeError: it does not say.
    """
    number = _map(data).get(Parameter.ERROR)
    if type(number) is not int:
        raise DecodeError("expected an error code", spec="RFC 9200 §5.8.3")
    return next((one for one in TokenError if one == number), None)


def _map(data: bytes) -> Mapping[Any, Any]:
    said = codec.decode(data, limits=_LIMITS)
    if not isinstance(said, dict):
        raise DecodeError("expected a map of parameters", spec=_SPEC)
    return said


def _name(said: Mapping[Any, Any]) -> str:
    audience = said.get(Parameter.AUDIENCE)
    if not isinstance(audience, str) or not 0 < len(audience) <= _MAX_NAME:
        raise DecodeError("expected an audience", spec="RFC 9200 §5.8.1")
    return audience


def _scope(said: Mapping[Any, Any]) -> Scope | None:
    scope = said.get(Parameter.SCOPE)
    if scope is None:
        return None
    if not isinstance(scope, bytes):
        raise UnsupportedError("expected a scope of AIF in a byte string", spec="RFC 9237 §3", reason="invalid_scope")
    return aif.decode(scope)


def _proof(said: Mapping[Any, Any]) -> tuple[PublicKey | None, bytes]:
    """A key, or the name of one."""
    value = said.get(Parameter.REQ_CNF)
    if value is None:
        return None, b""
    try:
        found = confirmation.decode(value)
        if found.shared is not None:
            raise UnsupportedError("expected a key, or the name of one", spec="RFC 9203 §3.1")
        return (found.require_public(), b"") if found.key is not None else (None, found.kid)
    except UnsupportedError as error:
        raise UnsupportedError(error.message, spec=error.spec, reason="unsupported_pop_key") from None


def _series(said: Mapping[Any, Any]) -> bytes:
    value = said.get(Parameter.EDHOC_INFO)
    return b"" if value is None else edhoc_profile.series_of(value)


def _nonce(said: Mapping[Any, Any]) -> bytes | None:
    nonce = said.get(Parameter.CNONCE)
    if nonce is not None and not (isinstance(nonce, bytes) and 0 < len(nonce) <= _MAX_NONCE):
        raise DecodeError("expected a cnonce of bytes", spec="RFC 9200 §5.8.4.4")
    return nonce
