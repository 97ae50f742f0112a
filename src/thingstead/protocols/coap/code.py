"""CoAP codes: c.dd in one octet (RFC 7252 §12.1, RFC 8132, RFC 8323, RFC 8768)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Code", "code_name", "is_error", "is_request", "is_response"]


class Code(IntEnum):
    """Request methods, response codes and signalling codes, each with its value on the wire."""

    EMPTY = 0x00
    GET = 0x01
    POST = 0x02
    PUT = 0x03
    DELETE = 0x04
    FETCH = 0x05
    PATCH = 0x06
    IPATCH = 0x07
    CREATED = 0x41
    DELETED = 0x42
    VALID = 0x43
    CHANGED = 0x44
    CONTENT = 0x45
    CONTINUE = 0x5F
    BAD_REQUEST = 0x80
    UNAUTHORIZED = 0x81
    BAD_OPTION = 0x82
    FORBIDDEN = 0x83
    NOT_FOUND = 0x84
    METHOD_NOT_ALLOWED = 0x85
    NOT_ACCEPTABLE = 0x86
    REQUEST_ENTITY_INCOMPLETE = 0x88
    CONFLICT = 0x89
    PRECONDITION_FAILED = 0x8C
    REQUEST_ENTITY_TOO_LARGE = 0x8D
    UNSUPPORTED_CONTENT_FORMAT = 0x8F
    UNPROCESSABLE_ENTITY = 0x96
    TOO_MANY_REQUESTS = 0x9D
    INTERNAL_SERVER_ERROR = 0xA0
    NOT_IMPLEMENTED = 0xA1
    BAD_GATEWAY = 0xA2
    SERVICE_UNAVAILABLE = 0xA3
    GATEWAY_TIMEOUT = 0xA4
    PROXYING_NOT_SUPPORTED = 0xA5
    HOP_LIMIT_REACHED = 0xA8
    CSM = 0xE1
    PING = 0xE2
    PONG = 0xE3
    RELEASE = 0xE4
    ABORT = 0xE5


def is_request(code: int) -> bool:
    """Class 0 except 0.00 (RFC 7252 §3)."""
    return 0 < code < 0x20


def is_response(code: int) -> bool:
    """Classes 2, 4 and 5 (RFC 7252 §3)."""
    return code >> 5 in (2, 4, 5)


def is_error(code: int) -> bool:
    """Classes 4 and 5."""
    return code >> 5 in (4, 5)


def code_name(code: int) -> str:
    """``4.04`` form of any octet."""
    return f"{code >> 5}.{code & 0x1F:02d}"
