"""Where a URI leads: the addresses of its host."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import cast

from thingstead.endpoint.event import Address
from thingstead.errors import UnreachableError, UnsupportedError
from thingstead.protocols.coap.uri import CoapUri

__all__ = ["SPOKEN", "is_group", "resolve"]

SPOKEN = {"coap": socket.SOCK_DGRAM, "coap+tcp": socket.SOCK_STREAM}
"""Scheme -> kind of socket."""


def is_group(uri: CoapUri) -> bool:
    """Whether the host is a multicast address (RFC 7252 §8)."""
    try:
        return ipaddress.ip_address(uri.host).is_multicast
    except ValueError:
        return False


async def resolve(uri: CoapUri) -> list[Address]:
    """The host's addresses; what is one already is asked of nobody.

    Raises:
        UnreachableError: there are none.
        UnsupportedError: a scheme that we do not speak.
    """
    if uri.scheme not in SPOKEN:
        hint = "; what DTLS and TLS would protect, OSCORE does" if uri.scheme.startswith("coaps") else ""
        raise UnsupportedError(f"expected {' or '.join(SPOKEN)}, got {uri.scheme}://{hint}", spec="RFC 7252 §6.1")
    try:
        ipaddress.ip_address(uri.host)
        if "%" not in uri.host:
            return [(uri.host, uri.port)]
    except ValueError:
        pass  # a name
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(uri.host, uri.port, type=SPOKEN[uri.scheme])
    except (OSError, UnicodeError) as error:
        raise UnreachableError(f"no address is known for {uri.host}: {error}") from error
    # Of IPv6 the scope only where there is one, as the pump names its peers.
    return [cast("Address", address if address[-1] and len(address) == 4 else address[:2]) for *_, address in answers]
