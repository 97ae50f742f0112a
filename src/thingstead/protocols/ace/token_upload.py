"""What a client brings to ``/authz-info``, and what it is told there (RFC 9200 §5.10.1, RFC 9203 §4.1, §4.2).

::

    client                                         resource server
      | POST {access_token, nonce1, client's ID} ------> |  in clear: the token is for this server's eyes alone
      | <------------------- 2.01 {nonce2, server's ID}  |
      | both derive a Security Context                   |
      | a request under it ----------------------------> |  whose keys are right has the secret of the token
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

__all__ = ["MAX_UPLOAD", "PROFILE", "TokenUpload", "UploadAnswer", "UploadParameter"]

PROFILE = 2
"""coap_oscore among the ACE profiles (RFC 9203 §9.1)."""

MAX_UPLOAD = 1 << 11
"""Bytes that anybody may send here: a token for one server takes a quarter of it."""

_LIMITS = codec.Limits(max_bytes=MAX_UPLOAD, max_depth=3)
_NONCES = range(1, 65)
_MAX_IDENTIFIER = 16
_SPEC = "RFC 9203 §4.1"


class UploadParameter(IntEnum):
    """IANA "OAuth Parameters CBOR Mappings", as far as they are used here."""

    ACCESS_TOKEN = 1
    NONCE1 = 40
    NONCE2 = 42
    ACE_CLIENT_RECIPIENTID = 43
    ACE_SERVER_RECIPIENTID = 44


@dataclass(frozen=True, slots=True)
class TokenUpload:
    """A token, and what keys are derived with.

    Attributes:
        access_token: as the authorization server sent it.
        nonce: N1, fresh for the token's secret; None where a token of more or fewer rights comes under keys in use.
        recipient_id: by which the client will know what is meant for it; None likewise.
    """

    access_token: bytes
    nonce: bytes | None = None
    recipient_id: bytes | None = None

    def encode(self) -> bytes:
        """Encode for Content-Format application/ace+cbor."""
        said: dict[int, Any] = {UploadParameter.ACCESS_TOKEN: self.access_token}
        if self.nonce is not None:
            said[UploadParameter.NONCE1] = self.nonce
        if self.recipient_id is not None:
            said[UploadParameter.ACE_CLIENT_RECIPIENTID] = self.recipient_id
        return codec.encode(said)

    @classmethod
    def decode(cls, data: bytes) -> TokenUpload:
        """Read an upload; whether both of nonce and identifier are needed is for the reader to know.

        Raises:
            DecodeError: not a map with a token, or a value of another type or size.
        """
        said = _map(data)
        access_token = said.get(UploadParameter.ACCESS_TOKEN)
        if not isinstance(access_token, bytes) or not access_token:
            raise DecodeError("expected an access token", spec=_SPEC)
        nonce = _optional(said, UploadParameter.NONCE1, _NONCES)
        return cls(access_token, nonce, _optional(said, UploadParameter.ACE_CLIENT_RECIPIENTID, _IDENTIFIERS))


@dataclass(frozen=True, slots=True)
class UploadAnswer:
    """What the resource server adds.

    Attributes:
        nonce: N2, fresh for the token's secret.
        recipient_id: by which it will know what is meant for it; never the client's own.
    """

    nonce: bytes
    recipient_id: bytes

    def encode(self) -> bytes:
        """Encode for Content-Format application/ace+cbor."""
        return codec.encode(
            {UploadParameter.NONCE2: self.nonce, UploadParameter.ACE_SERVER_RECIPIENTID: self.recipient_id}
        )

    @classmethod
    def decode(cls, data: bytes, *, own_id: bytes) -> UploadAnswer:
        """Read an answer to the upload that named `own_id`.

        Raises:
            DecodeError: not a map with both, a value of another type or size, or our own identifier: no context may
                be derived then (RFC 9203 §4.3).
        """
        said = _map(data)
        nonce = _optional(said, UploadParameter.NONCE2, _NONCES)
        recipient_id = _optional(said, UploadParameter.ACE_SERVER_RECIPIENTID, _IDENTIFIERS)
        if nonce is None or recipient_id is None:
            raise DecodeError("expected nonce2 and ace_server_recipientid", spec="RFC 9203 §4.2")
        if recipient_id == own_id:
            raise DecodeError("expected another identifier than our own", spec="RFC 9203 §4.3")
        return cls(nonce, recipient_id)


_IDENTIFIERS = range(_MAX_IDENTIFIER + 1)


def _map(data: bytes) -> Mapping[Any, Any]:
    said = codec.decode(data, limits=_LIMITS)
    if not isinstance(said, dict):
        raise DecodeError("expected a map of parameters", spec=_SPEC)
    return said


def _optional(said: Mapping[Any, Any], parameter: UploadParameter, sizes: range) -> bytes | None:
    value = said.get(parameter)
    if value is not None and (not isinstance(value, bytes) or len(value) not in sizes):
        raise DecodeError(f"expected {parameter.name.lower()} of {sizes.start} to {sizes.stop - 1} bytes", spec=_SPEC)
    return value
