"""The resource directory as resources of the domain: registration, simple registration and lookup (RFC 9176)."""

from __future__ import annotations

from collections.abc import Callable

from thingstead.controller.server import DomainServer
from thingstead.endpoint.resource import Call, Handler, Resources
from thingstead.errors import DecodeError, TransportError
from thingstead.identifier import ThingId
from thingstead.planes.access.resource_directory import ResourceDirectory
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.link import Link
from thingstead.protocols.link_format.registration import OWN, Lookup, read_lookup, read_registration
from thingstead.protocols.profile import path

__all__ = ["DirectoryResource"]

_LINKS = (ContentFormat.LINK_FORMAT,)
_LINK_FORMAT = (int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.LINK_FORMAT))
_LOCATION = [(int(OptionNumber.LOCATION_PATH), segment.encode()) for segment in OWN.split("/") if segment]


class DirectoryResource:
    """Serves a directory to whoever has the right to its paths.

    Args:
        directory: of the access plane.
        server: runs what takes time, and asks a thing that registers simply what it has.
    """

    def __init__(self, directory: ResourceDirectory, server: DomainServer) -> None:
        self._directory = directory
        self._server = server

    def serve(self, resources: Resources) -> None:
        """Register its paths."""
        deferred = self._server.deferred
        resources.register(path.RD, Code.POST, deferred(self._register), consumes=_LINKS)
        resources.register(OWN, Code.POST, deferred(self._update))
        resources.register(OWN, Code.DELETE, deferred(self._remove))
        resources.register(path.WELL_KNOWN_RD, Code.POST, self._simple())
        resources.register(path.RD_LOOKUP_EP, Code.GET, _lookup(self._directory.endpoints), produces=_LINKS)
        resources.register(path.RD_LOOKUP_RES, Code.GET, _lookup(self._directory.resources), produces=_LINKS)

    async def _register(self, call: Call) -> Message:
        said = read_registration(call.request.queries, call.request.payload, call.event.source)
        if not said.endpoint:
            raise DecodeError("expected the endpoint's name", spec="RFC 9176 §5")
        await self._directory.register(_thing(call), said)
        return Message(Code.CREATED, options=list(_LOCATION))

    async def _update(self, call: Call) -> Message:
        if call.request.payload:
            raise DecodeError("expected an update without links", spec="RFC 9176 §5.3.1")
        queries = [query for query in call.request.queries if not query.startswith("ep=")]
        await self._directory.update(_thing(call), read_registration(queries, b"", call.event.source))
        return Message(Code.CHANGED)

    async def _remove(self, call: Call) -> Message:
        await self._directory.remove(_thing(call))
        return Message(Code.DELETED)

    def _simple(self) -> Handler:
        fetch = self._server.deferred(self._fetch)

        def begin(call: Call) -> Message | None:
            # We are about to send a request because of this one: first it must be from where it says (§5.1, §7.4).
            if not call.event.is_fresh:
                self._server.challenge(call)
                return None
            return fetch(call)

        return begin

    async def _fetch(self, call: Call) -> Message:
        """Ask the thing what it has, under its own association, and register that (RFC 9176 §5.1)."""
        thing = _thing(call)
        answer = await self._server.request(thing, request(Code.GET, path.WELL_KNOWN_CORE), within=10.0)
        if answer.code != Code.CONTENT:
            raise TransportError(f"{thing} does not say what it has")
        said = read_registration(call.request.queries, answer.payload, call.event.source)
        if not said.endpoint:
            raise DecodeError("expected the endpoint's name", spec="RFC 9176 §5.1")
        await self._directory.register(thing, said)
        return Message(Code.CHANGED)


def _lookup(find: Callable[[Lookup], list[Link]]) -> Handler:
    def answer(call: Call) -> Message:
        found = find(read_lookup(call.request.queries))
        return Message(Code.CONTENT, options=[_LINK_FORMAT], payload=link.render(found))

    return answer


def _thing(call: Call) -> ThingId:
    return ThingId(str(call.peer))
