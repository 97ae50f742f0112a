"""hawkBit's API over HTTP: a request is read within its bounds, its device is known, and only then is it looked at.

Plain ASGI, for there is nothing here that a framework would do: no cookies, no forms, no templates, no redirects, and
no path that is not one of nine.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from thingstead.errors import DecodeError, ForbiddenError, ThingsteadError, consequence
from thingstead.identifier import ThingId
from thingstead.planes.software.ddi_action import Action, Due
from thingstead.planes.software.offer import Offer
from thingstead.protocols.ddi import request as requests
from thingstead.protocols.ddi.answer import (
    Artifact,
    Links,
    encode_artifacts,
    encode_base,
    encode_cancel,
    encode_deployment,
)
from thingstead.protocols.ddi.request import ConfigData, Feedback
from thingstead.protocols.ddi.route import Resource, Route, route
from thingstead.web.ddi_range import wanted
from thingstead.web.guard import Asgi

__all__ = ["CERTIFICATE", "Door", "Limits", "make_ddi"]

CERTIFICATE = "certificate"
"""Under which name a connection's state has the certificate that its client proved the key of, in DER."""

_HAL, _FILE, _TEXT = "application/hal+json", "application/octet-stream", "text/plain; charset=utf-8"
_STATUSES = {"path": 404, "action": 404, "closed": 410, "method": 405, "range": 416, "rate": 429, "length": 413}
"""Reason -> status, where the API has another one than `errors.CONSEQUENCES`."""
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)


class _Actions(Protocol):
    progress: dict[ThingId, str]

    def require(self, thing: ThingId) -> None: ...
    async def due(self, thing: ThingId) -> Due: ...
    async def begin(self, thing: ThingId, number: int) -> tuple[Action, Offer]: ...
    def payload(self, thing: ThingId, number: int) -> Offer: ...
    def artifact(self, offer: Offer) -> Artifact: ...
    async def tell(self, thing: ThingId, number: int, feedback: Feedback) -> None: ...
    async def cancellation(self, thing: ThingId, number: int) -> None: ...
    async def tell_of_cancellation(self, thing: ThingId, number: int, feedback: Feedback) -> None: ...


class Door(Protocol):
    """Who asks, and what waits for them: `controller.ddi:DdiDoor`, or a test's."""

    @property
    def actions(self) -> _Actions:
        """What each device is to do."""
        ...

    async def authenticate(self, device: str, authorization: str, *, source: str, certificate: bytes = b"") -> ThingId:
        """Whose request it is."""
        ...

    def refuse(self, thing: ThingId | None, source: str, error: ThingsteadError) -> None:
        """Count a refusal."""
        ...

    def wants_config(self, thing: ThingId) -> bool:
        """Whether a device is asked about itself."""
        ...

    def configure(self, thing: ThingId, said: ConfigData) -> None:
        """Take what it says."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one request; those on connections are the server's.

    Attributes:
        max_header_bytes: of all header lines together.
        body_seconds: from the end of the header to that of the body.
        chunk_bytes: what is handed to the connection at once of a file.
    """

    max_header_bytes: int = 8192
    body_seconds: float = 10.0
    chunk_bytes: int = 1 << 16


@dataclass(frozen=True, slots=True)
class _Answer:
    body: bytes = b""
    media_type: str = _HAL
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request whose device is known."""

    thing: ThingId
    route: Route
    body: bytes
    range: str
    if_range: str


def make_ddi(door: Door, *, origin: str, poll_seconds: int, limits: Limits | None = None) -> Asgi:
    """The application.

    Args:
        door: who asks, and what waits for them.
        origin: ``https://name:port`` that links begin with.
        poll_seconds: after which devices come again.
        limits: on one request.
    """
    bounds = limits or Limits()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        source = scope["client"][0] if scope["client"] else ""
        thing: ThingId | None = None
        try:
            found, headers = _read_head(scope, bounds)
            shown = scope.get("state", {}).get(CERTIFICATE, b"")
            said = headers.get(b"authorization", "")
            thing = await door.authenticate(found.device, said, source=source, certificate=shown)
            body = await _read_body(receive, headers, bounds)
            asked = _Asked(thing, found, body, headers.get(b"range", ""), headers.get(b"if-range", ""))
            answer = await _TABLE[found.resource](door, Links(origin, found.device), asked, poll_seconds)
        except ThingsteadError as error:
            door.refuse(thing, source, error)
            answer = _refusal(error)
        await _send(send, answer, scope["method"], bounds)

    return app


# --- in


def _read_head(scope: Any, limits: Limits) -> tuple[Route, dict[bytes, str]]:
    """The path first: a stranger who asks for what is not there is told no more than that."""
    found = route(scope["method"], scope["raw_path"])
    headers: dict[bytes, str] = {}
    size = 0
    for name, value in scope["headers"]:
        size += len(name) + len(value)
        if name in _SINGLE:
            if name in headers:
                raise DecodeError(f"expected one {name.decode()} header", spec="RFC 9110 §5.3", reason="header")
            headers[name] = value.decode("latin-1")
    if size > limits.max_header_bytes:
        raise DecodeError(f"expected at most {limits.max_header_bytes} bytes of header", reason="header")
    return found, headers


_LENGTH = re.compile(r"[0-9]{1,9}")
_SINGLE = frozenset({b"authorization", b"content-length", b"range", b"if-range"})


async def _read_body(receive: Any, headers: dict[bytes, str], limits: Limits) -> bytes:
    most = requests.DEFAULT_LIMITS.max_bytes
    announced = headers.get(b"content-length", "0")
    if _LENGTH.fullmatch(announced) is None or int(announced) > most:
        raise DecodeError(f"expected a body of at most {most} bytes", spec="RFC 9110 §15.5.14", reason="length")
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise DecodeError("the connection ended within a body", reason="cut")
                body += message.get("body", b"")
                if len(body) > most:
                    raise DecodeError(f"expected a body of at most {most} bytes", reason="length")
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise DecodeError(f"expected the body within {limits.body_seconds} s", reason="slow") from None


# --- what is asked

_Work = Callable[[Door, Links, _Asked, int], Awaitable[_Answer]]


async def _base(door: Door, links: Links, asked: _Asked, poll_seconds: int) -> _Answer:
    due = await door.actions.due(asked.thing)
    body = encode_base(
        links,
        poll_seconds=poll_seconds,
        deployment=None if due.deployment is None else due.deployment.number,
        cancel=due.cancel,
        wants_config=door.wants_config(asked.thing),
    )
    return _Answer(body)


async def _config_data(door: Door, _links: Links, asked: _Asked, _seconds: int) -> _Answer:
    door.actions.require(asked.thing)
    door.configure(asked.thing, requests.decode_config_data(asked.body))
    return _Answer()


async def _deployment(door: Door, links: Links, asked: _Asked, _seconds: int) -> _Answer:
    action, offer = await door.actions.begin(asked.thing, asked.route.action)
    payload = door.actions.artifact(offer)
    return _Answer(encode_deployment(links, action.number, version=offer.version, payload=payload))


async def _deployment_feedback(door: Door, _links: Links, asked: _Asked, _seconds: int) -> _Answer:
    feedback = _feedback(asked)
    await door.actions.tell(asked.thing, asked.route.action, feedback)
    return _Answer()


async def _cancel(door: Door, _links: Links, asked: _Asked, _seconds: int) -> _Answer:
    await door.actions.cancellation(asked.thing, asked.route.action)
    return _Answer(encode_cancel(asked.route.action))


async def _cancel_feedback(door: Door, _links: Links, asked: _Asked, _seconds: int) -> _Answer:
    await door.actions.tell_of_cancellation(asked.thing, asked.route.action, _feedback(asked))
    return _Answer()


async def _artifacts(door: Door, links: Links, asked: _Asked, _seconds: int) -> _Answer:
    payload = door.actions.artifact(door.actions.payload(asked.thing, asked.route.action))
    return _Answer(encode_artifacts(links, asked.route.action, payload), "application/json")


async def _artifact(door: Door, _links: Links, asked: _Asked, _seconds: int) -> _Answer:
    offer, payload = _file(door, asked)
    tag = f'"{payload.sha256}"'
    headers = ((b"accept-ranges", b"bytes"), (b"etag", tag.encode()))
    part = None if asked.if_range not in {"", tag} else wanted(asked.range, payload.size)
    if part is None:
        return _Answer(offer.image, _FILE, 200, headers)
    first, end = part
    told = f"bytes {first}-{end - 1}/{payload.size}".encode()
    return _Answer(offer.image[first:end], _FILE, 206, (*headers, (b"content-range", told)))


async def _checksum(door: Door, _links: Links, asked: _Asked, _seconds: int) -> _Answer:
    _, payload = _file(door, asked)
    return _Answer(f"{payload.md5}  {payload.name}".encode(), _TEXT)


_TABLE: dict[Resource, _Work] = {
    Resource.BASE: _base,
    Resource.CONFIG_DATA: _config_data,
    Resource.DEPLOYMENT: _deployment,
    Resource.DEPLOYMENT_FEEDBACK: _deployment_feedback,
    Resource.CANCEL: _cancel,
    Resource.CANCEL_FEEDBACK: _cancel_feedback,
    Resource.ARTIFACTS: _artifacts,
    Resource.ARTIFACT: _artifact,
    Resource.CHECKSUM: _checksum,
}


def _feedback(asked: _Asked) -> Feedback:
    feedback = requests.decode_feedback(asked.body)
    if feedback.action not in {None, asked.route.action}:
        raise ForbiddenError("the feedback names another action than its path", reason="action")
    return feedback


def _file(door: Door, asked: _Asked) -> tuple[Offer, Artifact]:
    offer = door.actions.payload(asked.thing, asked.route.action)
    payload = door.actions.artifact(offer)
    if payload.name != asked.route.name:
        raise DecodeError("expected the name of the artifact", reason="path")
    return offer, payload


# --- out


def _refusal(error: ThingsteadError) -> _Answer:
    status = _STATUSES.get(error.reason, consequence(error).http_status)
    headers = ((b"www-authenticate", b"TargetToken"),) if status == 401 else ()
    return _Answer(b"", _TEXT, status, headers)


async def _send(send: Any, answer: _Answer, method: str, limits: Limits) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    media = (b"content-type", answer.media_type.encode())
    headers = [*_HEADERS, *answer.headers, length, media]
    if answer.status >= 400:
        # What is left of the request is not read: the connection is of no more use.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = memoryview(b"" if method == "HEAD" else answer.body)
    at = 0
    while len(body) - at > limits.chunk_bytes:
        chunk = bytes(body[at : at + limits.chunk_bytes])
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        at += limits.chunk_bytes
    await send({"type": "http.response.body", "body": bytes(body[at:]), "more_body": False})
