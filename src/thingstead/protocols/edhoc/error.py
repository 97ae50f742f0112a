"""EDHOC error messages, and which one answers which of our errors (RFC 9528 §6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from thingstead.errors import DecodeError, ProtocolError, ThingsteadError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec

__all__ = [
    "ErrorCode",
    "ErrorMessage",
    "PeerError",
    "UnknownCredentialError",
    "WrongSuiteError",
    "answer",
    "decode_error",
    "encode_error",
]

_LIMITS = codec.Limits(max_bytes=512, max_depth=3, max_items=2)


class ErrorCode(IntEnum):
    """RFC 9528 §6, Figure 8."""

    UNSPECIFIED = 1
    WRONG_SUITE = 2
    UNKNOWN_CREDENTIAL = 3


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """An error message: never protected, so nothing in it may be believed or acted upon by itself.

    Attributes:
        code: `ErrorCode`, or a number registered later.
        text: the diagnostic of code 1, else empty.
        suites: SUITES_R of code 2, else empty.
    """

    code: int
    text: str = ""
    suites: tuple[int, ...] = ()


class WrongSuiteError(UnsupportedError):
    """The suite selected is not ours, or a suite the Initiator prefers is (RFC 9528 §6.3).

    Args:
        suites: what SUITES_R will name.
    """

    reason = "wrong suite"

    def __init__(self, message: str, *, suites: tuple[int, ...]) -> None:
        super().__init__(message, spec="RFC 9528 §6.3")
        self.suites = suites


class UnknownCredentialError(UntrustedError):
    """ID_CRED_x refers to a credential that we do not have (RFC 9528 §6.4); for the application to raise."""

    reason = "unknown credential"


class PeerError(ProtocolError):
    """The peer answered with an error message, or somebody who is not the peer did."""

    reason = "peer error"

    def __init__(self, error: ErrorMessage) -> None:
        detail = error.text or error.suites or "no detail"
        super().__init__(f"the peer ended the session with error {error.code}: {detail!r}", spec="RFC 9528 §6")
        self.error = error


def encode_error(error: ErrorMessage) -> bytes:
    """Encode ERR_CODE and ERR_INFO (RFC 9528 §6).

    Raises:
        ValueError: the reserved code 0, or code 2 without suites.
    """
    if error.code == 0 or (error.code == ErrorCode.WRONG_SUITE and not error.suites):
        raise ValueError("code 0 is never sent, and code 2 names suites (RFC 9528 §6.1, §6.3)")
    if error.code == ErrorCode.WRONG_SUITE:
        info = error.suites[0] if len(error.suites) == 1 else list(error.suites)
        return codec.encode_sequence(int(error.code), info)
    return codec.encode_sequence(int(error.code), True if error.code == ErrorCode.UNKNOWN_CREDENTIAL else error.text)


def decode_error(data: bytes) -> ErrorMessage:
    """Decode an error message of at most 512 bytes.

    Raises:
        DecodeError: not a code and its information, or information of the wrong type.
    """
    items = codec.decode_sequence(data, limits=_LIMITS)
    if len(items) != 2 or type(items[0]) is not int:
        raise DecodeError("expected an error code and its information", spec="RFC 9528 §6")
    code, info = items
    if code == ErrorCode.UNSPECIFIED:
        if not isinstance(info, str):
            raise DecodeError("expected a text with error code 1", spec="RFC 9528 §6.2")
        return ErrorMessage(code, text=info)
    if code == ErrorCode.WRONG_SUITE:
        suites = info if isinstance(info, list) and len(info) > 1 else [info]
        if not all(type(suite) is int for suite in suites):
            raise DecodeError("expected cipher suites with error code 2", spec="RFC 9528 §6.3")
        return ErrorMessage(code, suites=tuple(suites))
    if code == ErrorCode.UNKNOWN_CREDENTIAL and info is not True:
        raise DecodeError("expected true with error code 3", spec="RFC 9528 §6.4")
    return ErrorMessage(code)


def answer(error: ThingsteadError) -> bytes | None:
    """The error message to send for `error`, or None where none may be sent (RFC 9528 §6).

    An error message travels in clear, so of most errors it says only that there was one.
    """
    if isinstance(error, PeerError):
        return None
    if isinstance(error, WrongSuiteError):
        return encode_error(ErrorMessage(ErrorCode.WRONG_SUITE, suites=error.suites))
    if isinstance(error, UnknownCredentialError):
        return encode_error(ErrorMessage(ErrorCode.UNKNOWN_CREDENTIAL))
    text = next((text for cls, text in _TEXTS.items() if isinstance(error, cls)), "refused")
    return encode_error(ErrorMessage(ErrorCode.UNSPECIFIED, text=text))


_TEXTS: dict[type[ThingsteadError], str] = {DecodeError: "malformed", UnsupportedError: "not supported"}
