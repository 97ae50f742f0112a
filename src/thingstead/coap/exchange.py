"""What is said with a request, and what comes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypedDict

from thingstead.endpoint.drawing import code_text
from thingstead.endpoint.event import Address, ResponseReceived
from thingstead.errors import PeerFaultError, RequestRefusedError
from thingstead.protocols.coap.code import code_name, is_error
from thingstead.protocols.coap.option import decode_uint, encode_uint
from thingstead.protocols.coap.registry import OptionNumber

__all__ = ["Options", "Response", "request_options", "response_of"]

_CLIENT_ERROR = 4
_LONGEST_DIAGNOSTIC = 200


class Options(TypedDict, total=False):
    """What may be said with a request.

    Attributes:
        content_format: of the payload.
        accept: content format that is wanted.
        if_match: entity-tags of the states that this is meant for; an empty one is of any that exists (RFC 7252
            §5.10.8.1).
        if_none_match: only where there is nothing yet (RFC 7252 §5.10.8.2).
        etag: entity-tags of what the asker has; 2.03 says that one of it is still right (RFC 7252 §5.10.6.2).
        options: further (number, value) options.
        confirmable: False sends it once, and does not repeat it until it is acknowledged.
        timeout: seconds for the response, 30 if not given; of an observation for its first, of a group for all.
    """

    content_format: int
    accept: int
    if_match: Iterable[bytes]
    if_none_match: bool
    etag: Iterable[bytes]
    options: Iterable[tuple[int, bytes]]
    confirmable: bool
    timeout: float


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, body complete.

    Attributes:
        code: see `Code`.
        payload: whole, however many blocks it came in.
        content_format: of the payload; None where the peer does not say.
        options: (number, value), in order.
        source: where it came from.
        is_protected: it was verified under the OSCORE context.
    """

    code: int
    payload: bytes
    content_format: int | None
    options: tuple[tuple[int, bytes], ...]
    source: Address
    is_protected: bool

    @property
    def etag(self) -> bytes | None:
        """The entity-tag of the payload, for `Options`; None where the peer gives none."""
        return next((value for number, value in self.options if number == OptionNumber.ETAG), None)

    def require_success(self) -> Self:
        """This response, if it is none of an error.

        Raises:
            RequestRefusedError: 4.xx.
            PeerFaultError: 5.xx.
        """
        if not is_error(self.code):
            return self
        error = RequestRefusedError if self.code >> 5 == _CLIENT_ERROR else PeerFaultError
        raise error(f"the peer answered {code_text(self.code)}{self._diagnostic()}", reason=code_name(self.code))

    def _diagnostic(self) -> str:
        """What an error without a format says in words (RFC 7252 §5.5.2)."""
        if self.content_format is not None or not self.payload:
            return ""
        return f": {self.payload[:_LONGEST_DIAGNOSTIC].decode('utf-8', 'replace')}"


def response_of(event: ResponseReceived) -> Response:
    """What an endpoint tells of a response, for a program."""
    message = event.message
    content_format = message.option(OptionNumber.CONTENT_FORMAT)
    return Response(
        message.code,
        message.payload,
        None if content_format is None else decode_uint(content_format),
        tuple(message.options),
        event.source,
        event.association is not None,
    )


def request_options(given: Options) -> list[tuple[int, bytes]]:
    """The options of a request that says this, in order.

    Raises:
        TypeError: something else is said, which would be a condition or a time that nobody keeps.
    """
    unknown = given.keys() - Options.__annotations__.keys()
    if unknown:
        raise TypeError(f"expected of {', '.join(Options.__annotations__)}, got {', '.join(sorted(unknown))}")
    formats = (
        (OptionNumber.CONTENT_FORMAT, given.get("content_format")),
        (OptionNumber.ACCEPT, given.get("accept")),
    )
    stated = [(int(number), encode_uint(value)) for number, value in formats if value is not None]
    stated += [(int(OptionNumber.IF_MATCH), tag) for tag in given.get("if_match", ())]
    stated += [(int(OptionNumber.ETAG), tag) for tag in given.get("etag", ())]
    stated += [(int(OptionNumber.IF_NONE_MATCH), b"")] * given.get("if_none_match", False)
    return sorted([*given.get("options", ()), *stated], key=_number)


def _number(option: tuple[int, bytes]) -> int:
    return option[0]
