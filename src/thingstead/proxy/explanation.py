"""Why a request would, or would not, go where it wants: for the operator, not for the client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from thingstead.errors import PolicyError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber, Scheme
from thingstead.protocols.coap.uri import CoapUri, parse
from thingstead.proxy.config import Approach, OriginConfig, ProxyConfig
from thingstead.proxy.routing import NoRouteError, Routes

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where requests for a URI go.

    Attributes:
        origin: the server.
        condition: what of them passes.
    """

    origin: OriginConfig
    condition: str


def explain(config: ProxyConfig, uri: str, today: date) -> Explanation:
    """Say where a forward request for `uri` goes.

    Raises:
        PolicyError: nowhere, and what would have to be in the settings.
        DecodeError, UnsupportedError: not a URI of CoAP.
    """
    named = parse(uri)
    asked = Message(Code.FETCH, options=[(int(OptionNumber.OSCORE), b""), (int(OptionNumber.PROXY_URI), uri.encode())])
    try:
        route = Routes(config.origin, hop_limit=config.limits.hop_limit).route(asked, today)
    except NoRouteError as error:
        raise PolicyError(_why_not(config, named), spec=error.spec, reason=error.reason) from None
    origin = route.origin
    return Explanation(
        origin,
        {
            Approach.SELECTIVE_PROTECTION: "only what OSCORE protects; the proxy cannot read it",
            Approach.OBJECT_SECURITY: "everything; the proxy reads what the payload does not protect itself",
            Approach.SHARED_CREDENTIALS: f"everything, until {origin.exception_until}, and the proxy can change it",
        }[origin.approach],
    )


def _why_not(config: ProxyConfig, named: CoapUri) -> str:
    if named.scheme not in {Scheme.COAP.value, Scheme.COAP_TCP.value}:
        return f"the proxy does not speak {named.scheme}; what DTLS and TLS would protect, OSCORE does: ask for coap"
    there = [origin for origin in config.origin if named.host in {origin.name.lower(), origin.address}]
    if not there:
        return (
            f"no [[origin]] has the name or address {named.host}, and names are never resolved: to allow it, add one "
            f'with name = "{named.host}" and the IP address of that server'
        )
    known = ", ".join(f"{origin.scheme.value}://{origin.name}:{origin.port}" for origin in there)
    return (
        f"{named.host} is an origin at {known} alone; ask for that, or add an [[origin]] with port = {named.port}"
        + ("" if any(origin.scheme.value == named.scheme for origin in there) else f' and scheme = "{named.scheme}"')
    )
