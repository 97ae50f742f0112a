"""What a client and an authorization server say to each other at the token endpoint (RFC 9200 §5.8).

The grant is client_credentials, the client being whom the secure association says; tokens are bound to its key. The
profile is coap_edhoc_oscore (draft-ietf-ace-edhoc-oscore-profile-11): the resource server is met by EDHOC, with the
token in EAD_3. Its number is not assigned yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError, ThingsteadError, UnsupportedError
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import confirmation

__all__ = [
    "EDHOC_PROFILE",
    "GrantType",
    "Parameter",
    "TokenError",
    "TokenRequest",
    "TokenResponse",
    "decode_refusal",
    "refusal",
]

EDHOC_PROFILE = 4
"""coap_edhoc_oscore: assumed, between the registered 3 and what comes next (draft-ietf-ace-edhoc-oscore-profile-11)."""

_LIMITS = codec.Limits(max_bytes=1 << 14, max_depth=8)
_MAX_NAME = 255
_MAX_NONCE = 64
_SPEC = "RFC 9200 §5.8"


class Parameter(IntEnum):
    """IANA "OAuth Parameters CBOR Mappings"."""

    ACCESS_TOKEN = 1
    EXPIRES_IN = 2
    REQ_CNF = 4
    AUDIENCE = 5
    SCOPE = 9
    ERROR = 30
    GRANT_TYPE = 33
    ACE_PROFILE = 38
    CNONCE = 39
    RS_CNF = 41


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
    """

    audience: str
    scope: Scope | None = None
    public: PublicKey | None = None
    cnonce: bytes | None = None

    def encode(self) -> bytes:
        """Encode for Content-Format application/ace+cbor; asks for the profile by null."""
        said: dict[int, Any] = {
            Parameter.GRANT_TYPE: int(GrantType.CLIENT_CREDENTIALS),
            Parameter.AUDIENCE: self.audience,
            Parameter.ACE_PROFILE: None,
        }
        if self.scope is not None:
            said[Parameter.SCOPE] = aif.encode(self.scope)
        if self.public is not None:
            said[Parameter.REQ_CNF] = confirmation.for_public(self.public)
        if self.cnonce is not None:
            said[Parameter.CNONCE] = self.cnonce
        return codec.encode(said)

    @classmethod
    def decode(cls, data: bytes) -> TokenRequest:
        """Read a request; parameters that we do not know are passed over (RFC 6749 §3.2).

        Raises:
            DecodeError: outside the grammar, or without an audience.
            UnsupportedError: a grant, key or profile that we do not have; `reason` is that of a `TokenError`.
        """
        said = _map(data)
        grant = said.get(Parameter.GRANT_TYPE, int(GrantType.CLIENT_CREDENTIALS))
        if type(grant) is not int or grant != GrantType.CLIENT_CREDENTIALS:
            raise UnsupportedError("expected the client_credentials grant", spec=_SPEC, reason="unsupported_grant_type")
        profile = said.get(Parameter.ACE_PROFILE)
        if profile is not None and (type(profile) is not int or profile != EDHOC_PROFILE):
            raise UnsupportedError("expected coap_edhoc_oscore", spec=_SPEC, reason="incompatible_ace_profiles")
        return cls(_name(said), _scope(said), _public(said, Parameter.REQ_CNF), _nonce(said))


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A token for the client (RFC 9200 §5.8.2).

    Attributes:
        access_token: opaque to the client.
        expires_in: seconds.
        scope: what it holds, where that is not what was asked for.
        rs_public: the resource server's key (`rs_cnf`, RFC 9201 §3.2).
    """

    access_token: bytes
    expires_in: int
    scope: Scope
    rs_public: PublicKey

    def encode(self) -> bytes:
        """Encode for Content-Format application/ace+cbor."""
        return codec.encode(
            {
                Parameter.ACCESS_TOKEN: self.access_token,
                Parameter.EXPIRES_IN: self.expires_in,
                Parameter.SCOPE: aif.encode(self.scope),
                Parameter.ACE_PROFILE: EDHOC_PROFILE,
                Parameter.RS_CNF: confirmation.for_public(self.rs_public),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> TokenResponse:
        """Read a response.

        Raises:
            DecodeError: outside the grammar, or without what a client needs.
            UnsupportedError: another profile, or a key that we do not have.
        """
        said = _map(data)
        access_token, expires_in = said.get(Parameter.ACCESS_TOKEN), said.get(Parameter.EXPIRES_IN)
        if not isinstance(access_token, bytes) or type(expires_in) is not int or expires_in < 0:
            raise DecodeError("expected a token and how long it lives", spec="RFC 9200 §5.8.2")
        if said.get(Parameter.ACE_PROFILE) != EDHOC_PROFILE:
            raise UnsupportedError("expected a token for coap_edhoc_oscore", spec="RFC 9200 §5.8.4.3")
        scope, public = _scope(said), _public(said, Parameter.RS_CNF)
        if scope is None or public is None:
            raise DecodeError("expected a scope and the resource server's key", spec="RFC 9201 §3.2")
        return cls(access_token, expires_in, scope, public)


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


def _public(said: Mapping[Any, Any], parameter: Parameter) -> PublicKey | None:
    value = said.get(parameter)
    if value is None:
        return None
    try:
        return confirmation.decode(value).require_public()
    except UnsupportedError as error:
        raise UnsupportedError(error.message, spec=error.spec, reason="unsupported_pop_key") from None


def _nonce(said: Mapping[Any, Any]) -> bytes | None:
    nonce = said.get(Parameter.CNONCE)
    if nonce is not None and not (isinstance(nonce, bytes) and 0 < len(nonce) <= _MAX_NONCE):
        raise DecodeError("expected a cnonce of bytes", spec="RFC 9200 §5.8.4.4")
    return nonce
