"""Which fields of a message are protected, and the plaintext that holds them (RFC 8613 §4, §5.3)."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.errors import DecodeError, ProtocolError
from thingstead.protocols.coap.code import is_request, is_response
from thingstead.protocols.coap.message import Message, decode_options, encode_options
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.uri import compose, parse

__all__ = [
    "OPTION_CLASSES",
    "OptionClass",
    "compose_request",
    "compose_response",
    "open_plaintext",
    "outer_options",
    "protected",
]


@dataclass(frozen=True, slots=True)
class OptionClass:
    """How one option is protected.

    Attributes:
        inner: class E: goes into the plaintext; an outer instance is discarded on receipt.
        outer: class U: may stand outside, where proxies read and change it.
        source: the clause that says so.
    """

    inner: bool
    outer: bool
    source: str


_FIGURE_5 = "RFC 8613 §4.1 Figure 5"
_E = OptionClass(inner=True, outer=False, source=_FIGURE_5)
_U = OptionClass(inner=False, outer=True, source=_FIGURE_5)
_BOTH = OptionClass(inner=True, outer=True, source=_FIGURE_5)

OPTION_CLASSES: dict[int, OptionClass] = {
    OptionNumber.IF_MATCH: _E,
    OptionNumber.URI_HOST: _U,
    OptionNumber.ETAG: _E,
    OptionNumber.IF_NONE_MATCH: _E,
    OptionNumber.OBSERVE: _BOTH,
    OptionNumber.URI_PORT: _U,
    OptionNumber.LOCATION_PATH: _E,
    OptionNumber.OSCORE: _U,
    OptionNumber.URI_PATH: _E,
    OptionNumber.CONTENT_FORMAT: _E,
    OptionNumber.MAX_AGE: _BOTH,
    OptionNumber.URI_QUERY: _E,
    OptionNumber.HOP_LIMIT: OptionClass(inner=False, outer=True, source="RFC 8768 §3"),
    OptionNumber.ACCEPT: _E,
    OptionNumber.LOCATION_QUERY: _E,
    OptionNumber.EDHOC: OptionClass(inner=False, outer=True, source="RFC 9668 §3.1"),
    OptionNumber.BLOCK2: _BOTH,
    OptionNumber.BLOCK1: _BOTH,
    OptionNumber.SIZE2: _BOTH,
    OptionNumber.PROXY_URI: _U,
    OptionNumber.PROXY_SCHEME: _U,
    OptionNumber.SIZE1: _BOTH,
    OptionNumber.ECHO: OptionClass(inner=True, outer=True, source="RFC 9175 §2.2.1"),
    OptionNumber.NO_RESPONSE: _BOTH,
    OptionNumber.REQUEST_TAG: OptionClass(inner=True, outer=True, source="RFC 9175 §3.2.1"),
}
"""The one table: option number -> protection. An option without a row is class E (RFC 8613 §4.1)."""

# What is of both classes is written inside by the origin endpoints; outside it is for proxies (§4.1.3).
_OUTER_ONLY = frozenset(number for number, row in OPTION_CLASSES.items() if row.outer and not row.inner)
_OUTER = frozenset(number for number, row in OPTION_CLASSES.items() if row.outer)
_OSCORE = int(OptionNumber.OSCORE)
_OBSERVE = int(OptionNumber.OBSERVE)
_SURVIVING = _OUTER_ONLY - {_OSCORE}
_PROXY_URI = int(OptionNumber.PROXY_URI)
_Options = list[tuple[int, bytes]]
_NOTHING: _Options = []
_CHANGED = int(Code.CHANGED)


def compose_request(message: Message) -> tuple[bytes, _Options, int]:
    """Split a request: plaintext, outer options, outer code: POST, or FETCH with Observe (RFC 8613 §4.2).

    Raises:
        ValueError: not a request, already protected, or with a Proxy-Uri that cannot be decomposed.
    """
    if not is_request(message.code):
        raise ValueError(f"expected a request to protect, got code {message.code}")
    inner, outer, observe = _split(message.options)
    if observe is None:
        return _plaintext(message, inner), outer, Code.POST
    return _plaintext(message, inner), _sorted([*outer, (_OBSERVE, observe)]), Code.FETCH


def compose_response(message: Message) -> tuple[bytes, _Options, int]:
    """Split a response: plaintext, outer options, outer code: 2.04, or 2.05 with Observe (RFC 8613 §4.2).

    A notification keeps its Observe value outside; inside it is empty (§4.1.3.5.2).

    Raises:
        ValueError: not a response, or already protected.
    """
    if not is_response(message.code):
        raise ValueError(f"expected a response to protect, got code {message.code}")
    if not message.options:
        return _plaintext(message, message.options), _NOTHING, _CHANGED
    inner, outer, observe = _split(message.options)
    if observe is None:
        return _plaintext(message, inner), outer, _CHANGED
    emptied = [(number, b"" if number == _OBSERVE else value) for number, value in inner]
    return _plaintext(message, emptied), _sorted([*outer, (_OBSERVE, observe)]), Code.CONTENT


def protected(message: Message, code: int, outer: _Options, oscore: bytes, payload: bytes) -> Message:
    """The OSCORE message: type, message ID and token of `message`, everything else as given."""
    options = [(_OSCORE, oscore)]
    if outer:
        options = _sorted([*outer, *options])
    return Message(code, message.type, message.mid, message.token, options, payload)


def open_plaintext(message: Message, plaintext: bytes) -> Message:
    """The original message: what was inside, and of the outside of a request only class U (RFC 8613 §8.2, §8.4).

    What is class U alone means nothing in a response (RFC 7252 §5.4), where nobody but a proxy can have put it. An
    option that stands inside and outside is taken from the inside. Whether the code fits is the caller's
    question.

    Raises:
        DecodeError: an empty plaintext, one that is not well-formed, or OSCORE within OSCORE (§4.1.3.7).
    """
    if not plaintext:
        raise DecodeError("expected a plaintext that begins with a code", spec="RFC 8613 §5.3")
    inner, payload = decode_options(plaintext, 1)
    for number, _ in inner:
        if number >= _OSCORE:
            if number == _OSCORE:
                raise DecodeError("expected no OSCORE option within an OSCORE message", spec="RFC 8613 §4.1.3.7")
            break
    is_bare = len(message.options) == 1 or not is_request(plaintext[0])
    options = inner if is_bare else _with_surviving(inner, message.options)
    return Message(plaintext[0], message.type, message.mid, message.token, options, payload)


def outer_options(options: _Options) -> _Options:
    """Those of a received OSCORE message that may stand outside; the others, and unknown ones, are class E alone.

    What is class E has no meaning outside and is discarded, critical or not (RFC 8613 §4.1, §8.2 step 1).
    """
    return [option for option in options if option[0] in _OUTER]


def _with_surviving(inner: _Options, outer: _Options) -> _Options:
    """The inner options, and those outer ones that survive and stand not inside; the OSCORE option never does."""
    numbers = {number for number, _ in inner}
    kept = [option for option in outer if option[0] in _SURVIVING and option[0] not in numbers]
    return _sorted(inner + kept) if kept else inner


def _split(options: _Options) -> tuple[_Options, _Options, bytes | None]:
    inner: _Options = []
    outer: _Options = []
    observe: bytes | None = None
    for option in options:
        number = option[0]
        if number in _OUTER_ONLY:
            if number == _OSCORE:
                raise ValueError("a protected message is not protected again (RFC 8613 §4.1.3.7)")
            if number == _PROXY_URI:
                path, left = _decomposed(option[1])
                inner = _sorted(inner + path)
                outer.append(left)
            else:
                outer.append(option)
            continue
        if number == _OBSERVE:
            observe = option[1]
        inner.append(option)
    return inner, outer, observe


def _decomposed(proxy_uri: bytes) -> tuple[_Options, tuple[int, bytes]]:
    """Path and query, which go inside, and the Proxy-Uri without them, which a proxy reads (§4.1.3.3)."""
    try:
        uri = parse(proxy_uri.decode())
    except (ProtocolError, UnicodeDecodeError) as error:
        raise ValueError(f"expected a Proxy-Uri that can be protected (RFC 8613 §4.1.3.3): {error}") from error
    inner = [(int(OptionNumber.URI_PATH), segment.encode()) for segment in uri.path]
    inner += [(int(OptionNumber.URI_QUERY), argument.encode()) for argument in uri.query or ()]
    left = compose(Message(Code.GET), (uri.host, uri.port), scheme=uri.scheme).rstrip("/")
    return inner, (_PROXY_URI, left.encode())


def _plaintext(message: Message, inner: _Options) -> bytes:
    return _CODES[message.code] + encode_options(inner, message.payload)


_CODES = tuple(bytes((code,)) for code in range(256))


def _sorted(options: _Options) -> _Options:
    options.sort(key=_number)
    return options


def _number(option: tuple[int, bytes]) -> int:
    return option[0]
