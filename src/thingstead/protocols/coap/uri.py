"""CoAP URIs: taken apart into options and put together again (RFC 7252 §6, RFC 8323 §8)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import decode_uint, encode_uint
from thingstead.protocols.coap.registry import OPTIONS, OptionNumber, Scheme

__all__ = ["DEFAULT_PORTS", "CoapUri", "compose", "location", "parse"]

DEFAULT_PORTS: dict[str, int] = {row.value: row.port for row in Scheme}
"""Scheme -> port."""

# What a component may show as it is; the rest is percent-encoded (RFC 7252 §6.5 steps 6 and 7, RFC 3986 §3.3).
_SUB_DELIMS = "!$&'()*+,;="
_IN_SEGMENT = _SUB_DELIMS + ":@"
_IN_ARGUMENT = _SUB_DELIMS.replace("&", "") + ":@/?"
_IN_HOST = _SUB_DELIMS

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%25[^\]]+)?\]|[^:\[\]@]+)(?::([0-9]{0,5}))?")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ALLOWED = re.compile(r"[!$&'()*+,;=:@/?%\[\]A-Za-z0-9._~-]*")
_MAX_PORT = 0xFFFF


@dataclass(frozen=True, slots=True)
class CoapUri:
    """A CoAP URI in its parts, percent-decoded.

    Attributes:
        scheme: one of `DEFAULT_PORTS`, in lower case.
        host: a name in lower case, or an IP address without brackets, in its shortest form.
        port: never 0.
        path: segments; none for the root.
        query: arguments; None where the URI has no question mark.
    """

    scheme: str
    host: str
    port: int
    path: tuple[str, ...] = ()
    query: tuple[str, ...] | None = None

    def options(self, destination: tuple[str, int]) -> list[tuple[int, bytes]]:
        """The Uri-* options of a request for this URI sent to `destination` (RFC 7252 §6.4 steps 5 to 9).

        Raises:
            ValueError: a part longer than its option holds.
        """
        options: list[tuple[int, bytes]] = []
        # A zone says how we get there, and nothing to who is there (RFC 6874 §3).
        if self.host.partition("%")[0] != destination[0].lower().partition("%")[0]:
            options.append((int(OptionNumber.URI_HOST), self.host.encode()))
        if self.port != destination[1]:
            options.append((int(OptionNumber.URI_PORT), encode_uint(self.port)))
        options += [(int(OptionNumber.URI_PATH), segment.encode()) for segment in self.path]
        options += [(int(OptionNumber.URI_QUERY), argument.encode()) for argument in self.query or ()]
        for number, value in options:
            if len(value) > OPTIONS[number].max_size:
                raise ValueError(f"{OPTIONS[number].title} holds at most {OPTIONS[number].max_size} bytes")
        return options


def parse(text: str) -> CoapUri:
    """Take a URI apart (RFC 7252 §6.4).

    Raises:
        DecodeError: relative, with a fragment, user information, no host, port 0 or over 65535, a broken percent
            sequence, or a part that is not UTF-8.
        UnsupportedError: a scheme that is not CoAP's.
    """
    match = _URI.fullmatch(text)
    if match is None or _ALLOWED.fullmatch(text) is None or _BAD_PERCENT.search(text):
        raise DecodeError("expected an absolute CoAP URI without fragment", spec="RFC 7252 §6.4")
    scheme = match[1].lower()
    if scheme not in DEFAULT_PORTS:
        raise UnsupportedError(f"expected one of {', '.join(DEFAULT_PORTS)}, got {scheme}", spec="RFC 7252 §6.4")
    authority = _AUTHORITY.fullmatch(match[2])
    if authority is None:
        raise DecodeError("expected a host, and perhaps a port, behind the scheme", spec="RFC 7252 §6.1")
    port = int(authority[2]) if authority[2] else DEFAULT_PORTS[scheme]
    if not 0 < port <= _MAX_PORT:
        raise DecodeError(f"expected a port of 1 to {_MAX_PORT}, got {port}", spec="RFC 7252 §6.1")
    segments = _without_dots(match[3].split("/")[1:])
    query = None if match[4] is None else tuple([_decoded(argument) for argument in match[4].split("&")])
    return CoapUri(scheme, _host(authority[1]), port, segments, query)


def compose(request: Message, destination: tuple[str, int], *, scheme: str = "coap") -> str:
    """The URI that a request to `destination` is for (RFC 7252 §6.5).

    Raises:
        DecodeError: an option that is not UTF-8, a segment that is ``.`` or ``..``, or a port that is none.
    """
    named = request.option(OptionNumber.URI_HOST)
    host = destination[0] if named is None else _text(named)
    stated = request.option(OptionNumber.URI_PORT)
    port = destination[1] if stated is None else decode_uint(stated)
    if not 0 < port <= _MAX_PORT:
        raise DecodeError(f"expected a port of 1 to {_MAX_PORT}, got {port}", spec="RFC 7252 §5.10.1")
    shown = f"[{host}]" if _is_ipv6(host) else quote(host.lower(), safe=_IN_HOST)
    authority = shown if port == DEFAULT_PORTS[scheme] else f"{shown}:{port}"
    return f"{scheme}://{authority}{_resource(request, OptionNumber.URI_PATH, OptionNumber.URI_QUERY)}"


def location(response: Message) -> str | None:
    """The relative reference of a 2.01 response, None without one (RFC 7252 §5.10.7).

    Raises:
        DecodeError: an option that is not UTF-8, or a segment that is ``.`` or ``..``.
    """
    path, query = OptionNumber.LOCATION_PATH, OptionNumber.LOCATION_QUERY
    if not any(number in {path, query} for number, _ in response.options):
        return None
    return _resource(response, path, query)


def _resource(message: Message, path: OptionNumber, query: OptionNumber) -> str:
    if any(value in {b".", b".."} for value in message.option_values(path)):
        raise DecodeError("expected no dot segment in a path", spec="RFC 7252 §5.10.1")
    segments = [quote(_text(value), safe=_IN_SEGMENT) for value in message.option_values(path)]
    arguments = [quote(_text(value), safe=_IN_ARGUMENT) for value in message.option_values(query)]
    return "/" + "/".join(segments) + ("?" + "&".join(arguments) if arguments else "")


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return str(ipaddress.IPv6Address(text[1:-1].replace("%25", "%")))
        except ValueError:
            raise DecodeError("expected an IPv6 address in brackets", spec="RFC 3986 §3.2.2") from None
    return _decoded(text).lower()


def _is_ipv6(host: str) -> bool:
    return ":" in host


def _without_dots(segments: list[str]) -> tuple[str, ...]:
    """Resolve ``.`` and ``..`` as any URI does before it is used (RFC 3986 §5.2.4); no option may hold them."""
    kept: list[str] = []
    decoded = [_decoded(segment) for segment in segments]
    for segment in decoded:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if decoded and decoded[-1] in {".", ".."}:
        kept.append("")
    return () if kept == [""] else tuple(kept)


def _decoded(text: str) -> str:
    return _text(unquote_to_bytes(text))


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise DecodeError("expected UTF-8 in a part of a URI", spec="RFC 7252 §6.4") from None
