"""Where a request may go: the whole of what keeps the proxy from being an open relay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from thingstead.endpoint.event import Address
from thingstead.errors import DecodeError, PolicyError, ProtocolError, UnsupportedError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import decode_uint, encode_uint
from thingstead.protocols.coap.registry import OptionNumber, Scheme
from thingstead.protocols.coap.uri import DEFAULT_PORTS, CoapUri, parse
from thingstead.proxy.config import Approach, OriginConfig

__all__ = ["HopLimitError", "NoRouteError", "Route", "Routes"]

_MAX_HOPS = 255
_PROXYING = frozenset((int(OptionNumber.PROXY_URI), int(OptionNumber.PROXY_SCHEME), int(OptionNumber.HOP_LIMIT)))
_TARGET = frozenset(
    int(number)
    for number in (
        OptionNumber.URI_HOST,
        OptionNumber.URI_PORT,
        OptionNumber.URI_PATH,
        OptionNumber.URI_QUERY,
    )
)


class NoRouteError(UnsupportedError):
    """The request is for a server that the proxy has no way to (5.05)."""

    reason = "route"


class HopLimitError(ProtocolError):
    """The request has been through as many proxies as it may (5.08, RFC 8768 §3)."""

    reason = "hop-limit"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes, and as what.

    Attributes:
        origin: the server, as configured.
        request: the request for it, without the options that were for us.
    """

    origin: OriginConfig
    request: Message

    @property
    def address(self) -> Address:
        """Where to send it."""
        return self.origin.address, self.origin.port

    @property
    def target(self) -> tuple[Scheme, Address]:
        """The same, and over what."""
        return self.origin.scheme, self.address


class Routes:
    """The origins by the names that requests have for them."""

    def __init__(self, origins: tuple[OriginConfig, ...], *, hop_limit: int) -> None:
        self._hop_limit = hop_limit
        self._forward = {(o.scheme.value, name, o.port): o for o in origins for name in (o.address, o.name.lower())}
        reverse = [origin for origin in origins if origin.reverse]
        self._reverse = {origin.name.lower(): origin for origin in reverse}
        self._only = reverse[0] if len(reverse) == 1 else None

    def route(self, request: Message, today: date) -> Route:
        """Find where a request goes.

        Raises:
            NoRouteError: to a scheme, host or port that is not configured.
            PolicyError: the flow's approach does not let it pass, or its exception has run out.
            HopLimitError: it would go on for ever.
            DecodeError: a Proxy-Uri that is none, or that options cannot say.
        """
        origin, options = self._target(request)
        if origin is None:
            raise NoRouteError("expected a request for a configured origin", spec="RFC 7252 §5.7.2")
        _require(origin, request, today)
        limit = request.uint_option(OptionNumber.HOP_LIMIT)
        if limit is not None and not 1 <= limit <= _MAX_HOPS:
            raise DecodeError(f"expected a Hop-Limit of 1 to {_MAX_HOPS}, got {limit}", spec="RFC 8768 §3")
        hops = self._hop_limit if limit is None else limit - 1
        if not hops:
            raise HopLimitError("the request went through too many proxies", spec="RFC 8768 §3")
        options = sorted([*options, (int(OptionNumber.HOP_LIMIT), encode_uint(hops))], key=lambda option: option[0])
        return Route(origin, Message(request.code, options=options, payload=request.payload))

    def _target(self, request: Message) -> tuple[OriginConfig | None, list[tuple[int, bytes]]]:
        """The origin that the request names, and the options that the origin gets (RFC 7252 §5.7.2, §5.7.3)."""
        rest = [option for option in request.options if option[0] not in _PROXYING]
        uri = request.option(OptionNumber.PROXY_URI)
        scheme = request.option(OptionNumber.PROXY_SCHEME)
        if uri is not None:
            # Proxy-Uri takes precedence over the Uri-* options, which must not be looked at (RFC 7252 §5.10.2).
            named = parse(uri.decode("utf-8", "replace"))
            origin = self._forward.get((named.scheme, named.host, named.port))
            rest = [option for option in rest if option[0] not in _TARGET]
            return origin, rest if origin is None else [*rest, *_options(named, origin)]
        host = (request.option(OptionNumber.URI_HOST) or b"").decode("utf-8", "replace").lower()
        # Its port an origin knows; and who takes us for the origin names ours (RFC 7252 §5.7.3).
        here = [option for option in rest if option[0] != OptionNumber.URI_PORT]
        if scheme is not None:
            said = scheme.decode("utf-8", "replace").lower()
            port = request.option(OptionNumber.URI_PORT)
            number = DEFAULT_PORTS.get(said, 0) if port is None else decode_uint(port)
            return self._forward.get((said, host, number)), here
        return self._reverse.get(host) if host else self._only, here


def _options(named: CoapUri, origin: OriginConfig) -> list[tuple[int, bytes]]:
    """The Uri-* options of a Proxy-Uri, whose parts may be longer than these hold (RFC 7252 §5.10.2)."""
    try:
        return named.options((origin.address, origin.port))
    except ValueError as error:
        raise DecodeError(f"expected a Proxy-Uri that options can say: {error}", spec="RFC 7252 §6.4") from None


def _require(origin: OriginConfig, request: Message, today: date) -> None:
    """What the flow's declared approach asks for (R-53)."""
    if origin.approach is Approach.SELECTIVE_PROTECTION and request.option(OptionNumber.OSCORE) is None:
        raise PolicyError("expected OSCORE on the way to this origin", spec="RFC 8576 §5.1.3", reason="approach")
    until = origin.exception_until
    if origin.approach is Approach.SHARED_CREDENTIALS and (until is None or today > until):
        raise PolicyError(
            "the exception for shared credentials has run out", spec="RFC 8576 §5.1.3", reason="exception"
        )
