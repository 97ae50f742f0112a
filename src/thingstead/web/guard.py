"""Who may read the page: a browser on this machine that asked for this machine, and only to look.

A page that listens on loopback is still reachable by any web site the owner visits: the site's name can be made
to resolve to 127.0.0.1 (DNS rebinding). The Host header then bears that name, and is what gives it away.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["HEADERS", "Asgi", "guarded"]

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application: scope, receive, send."""

_POLICY = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS = (
    (b"content-security-policy", _POLICY),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""On every response, refusals included: nothing from elsewhere is loaded, framed, sniffed or kept."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_METHOD_NOT_ALLOWED, _MISDIRECTED, _FORBIDDEN = 405, 421, 403


def guarded(app: Asgi) -> Asgi:
    """Put the guard before `app`; it sees every request first and every response last."""

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        async def send_closed(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        status = _refusal(scope)
        if status:
            await send_closed({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
            await send_closed({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await app(scope, receive, send_closed)

    return guard


def _refusal(scope: Any) -> int:
    """The status to refuse with; 0 lets the request pass."""
    headers = list(scope["headers"])
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    if len(hosts) != 1 or _name(hosts[0]) not in _LOOPBACK:
        return _MISDIRECTED
    if scope["method"] != "GET":
        return _METHOD_NOT_ALLOWED
    if any(name == b"sec-fetch-site" and value in {b"cross-site", b"same-site"} for name, value in headers):
        return _FORBIDDEN
    return 0


def _name(host: str) -> str:
    """The Host header without its port (RFC 9110 §7.2)."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() and port.isascii() else host).lower()
