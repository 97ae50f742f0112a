"""The page's resources: three files, one snapshot, one stream of server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import resources

from litestar import Litestar, Response, get
from litestar.response import ServerSentEvent, ServerSentEventMessage

from thingstead.web.feed import Feed
from thingstead.web.guard import Asgi, guarded

__all__ = ["make_app"]

_PAGE = resources.files("thingstead.web") / "page"
_FILES = {
    place: ((_PAGE / name).read_bytes(), media)
    for place, name, media in (
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/style.css", "style.css", "text/css; charset=utf-8"),
        ("/page.js", "page.js", "text/javascript; charset=utf-8"),
    )
}
"""Read with the module: a process that has given up its rights may not read what it was installed from."""

_UNAVAILABLE = 503


def make_app(feed: Feed) -> Asgi:
    """The page over `feed`, behind its guard."""

    def file_at(path: str) -> Response[bytes]:
        content, media = _FILES[path]
        return Response(content, media_type=media)

    @get("/", sync_to_thread=False)
    def index() -> Response[bytes]:
        return file_at("/")

    @get("/style.css", sync_to_thread=False)
    def style() -> Response[bytes]:
        return file_at("/style.css")

    @get("/page.js", sync_to_thread=False)
    def script() -> Response[bytes]:
        return file_at("/page.js")

    @get("/snapshot")
    async def snapshot() -> Response[str]:
        return Response(await feed.snapshot(), media_type="application/json")

    @get("/events")
    async def events() -> Response[str] | ServerSentEvent:
        if feed.is_full:
            return Response("", status_code=_UNAVAILABLE, headers={"retry-after": "10"})
        return ServerSentEvent(_messages(feed))

    return guarded(Litestar([index, style, script, snapshot, events], openapi_config=None, logging_config=None))


async def _messages(feed: Feed) -> AsyncIterator[ServerSentEventMessage]:
    async for shown in feed.stream():
        yield ServerSentEventMessage(data=shown, event="snapshot") if shown else ServerSentEventMessage(comment="")
