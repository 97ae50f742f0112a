"""The code registry: methods, response codes and signalling codes, c.dd in one octet (RFC 7252 §12.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "CODES",
    "Code",
    "CodeDefinition",
    "code_name",
    "is_error",
    "is_request",
    "is_reserved",
    "is_response",
    "is_signal",
]


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


@dataclass(frozen=True, slots=True)
class CodeDefinition:
    """One row of the registry.

    Attributes:
        code: the octet.
        name: IANA name.
        source: the clause that defines it.
    """

    code: Code
    name: str
    source: str


CODES: dict[int, CodeDefinition] = {
    row.code: row
    for row in (
        CodeDefinition(Code.EMPTY, "Empty", "RFC 7252 §4.1"),
        CodeDefinition(Code.GET, "GET", "RFC 7252 §5.8.1"),
        CodeDefinition(Code.POST, "POST", "RFC 7252 §5.8.2"),
        CodeDefinition(Code.PUT, "PUT", "RFC 7252 §5.8.3"),
        CodeDefinition(Code.DELETE, "DELETE", "RFC 7252 §5.8.4"),
        CodeDefinition(Code.FETCH, "FETCH", "RFC 8132 §2"),
        CodeDefinition(Code.PATCH, "PATCH", "RFC 8132 §3"),
        CodeDefinition(Code.IPATCH, "iPATCH", "RFC 8132 §3"),
        CodeDefinition(Code.CREATED, "Created", "RFC 7252 §5.9.1.1"),
        CodeDefinition(Code.DELETED, "Deleted", "RFC 7252 §5.9.1.2"),
        CodeDefinition(Code.VALID, "Valid", "RFC 7252 §5.9.1.3"),
        CodeDefinition(Code.CHANGED, "Changed", "RFC 7252 §5.9.1.4"),
        CodeDefinition(Code.CONTENT, "Content", "RFC 7252 §5.9.1.5"),
        CodeDefinition(Code.CONTINUE, "Continue", "RFC 7959 §2.9.1"),
        CodeDefinition(Code.BAD_REQUEST, "Bad Request", "RFC 7252 §5.9.2.1"),
        CodeDefinition(Code.UNAUTHORIZED, "Unauthorized", "RFC 7252 §5.9.2.2"),
        CodeDefinition(Code.BAD_OPTION, "Bad Option", "RFC 7252 §5.9.2.3"),
        CodeDefinition(Code.FORBIDDEN, "Forbidden", "RFC 7252 §5.9.2.4"),
        CodeDefinition(Code.NOT_FOUND, "Not Found", "RFC 7252 §5.9.2.5"),
        CodeDefinition(Code.METHOD_NOT_ALLOWED, "Method Not Allowed", "RFC 7252 §5.9.2.6"),
        CodeDefinition(Code.NOT_ACCEPTABLE, "Not Acceptable", "RFC 7252 §5.9.2.7"),
        CodeDefinition(Code.REQUEST_ENTITY_INCOMPLETE, "Request Entity Incomplete", "RFC 7959 §2.9.2"),
        CodeDefinition(Code.CONFLICT, "Conflict", "RFC 8132 §3.4"),
        CodeDefinition(Code.PRECONDITION_FAILED, "Precondition Failed", "RFC 7252 §5.9.2.8"),
        CodeDefinition(Code.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large", "RFC 7959 §2.9.3"),
        CodeDefinition(Code.UNSUPPORTED_CONTENT_FORMAT, "Unsupported Content-Format", "RFC 7252 §5.9.2.10"),
        CodeDefinition(Code.UNPROCESSABLE_ENTITY, "Unprocessable Entity", "RFC 8132 §3.4"),
        CodeDefinition(Code.TOO_MANY_REQUESTS, "Too Many Requests", "RFC 8516 §3"),
        CodeDefinition(Code.INTERNAL_SERVER_ERROR, "Internal Server Error", "RFC 7252 §5.9.3.1"),
        CodeDefinition(Code.NOT_IMPLEMENTED, "Not Implemented", "RFC 7252 §5.9.3.2"),
        CodeDefinition(Code.BAD_GATEWAY, "Bad Gateway", "RFC 7252 §5.9.3.3"),
        CodeDefinition(Code.SERVICE_UNAVAILABLE, "Service Unavailable", "RFC 7252 §5.9.3.4"),
        CodeDefinition(Code.GATEWAY_TIMEOUT, "Gateway Timeout", "RFC 7252 §5.9.3.5"),
        CodeDefinition(Code.PROXYING_NOT_SUPPORTED, "Proxying Not Supported", "RFC 7252 §5.9.3.6"),
        CodeDefinition(Code.HOP_LIMIT_REACHED, "Hop Limit Reached", "RFC 8768 §4"),
        CodeDefinition(Code.CSM, "CSM", "RFC 8323 §5.3"),
        CodeDefinition(Code.PING, "Ping", "RFC 8323 §5.4"),
        CodeDefinition(Code.PONG, "Pong", "RFC 8323 §5.4"),
        CodeDefinition(Code.RELEASE, "Release", "RFC 8323 §5.5"),
        CodeDefinition(Code.ABORT, "Abort", "RFC 8323 §5.6"),
    )
}


def is_request(code: int) -> bool:
    """Class 0 except 0.00 (RFC 7252 §3)."""
    return 0 < code < 0x20


def is_response(code: int) -> bool:
    """Classes 2, 4 and 5 (RFC 7252 §3)."""
    return code >> 5 in (2, 4, 5)


def is_signal(code: int) -> bool:
    """Class 7, which speaks about a connection (RFC 8323 §5)."""
    return code >> 5 == 7


def is_reserved(code: int) -> bool:
    """Classes 1, 6 and 7, which no message over UDP may have (RFC 7252 §4.2)."""
    return code >> 5 in (1, 6, 7)


def is_error(code: int) -> bool:
    """Classes 4 and 5."""
    return code >> 5 in (4, 5)


def code_name(code: int) -> str:
    """``4.04`` form of any octet."""
    return f"{code >> 5}.{code & 0x1F:02d}"
