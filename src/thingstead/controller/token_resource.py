"""The token and introspection endpoints as resources of the domain (RFC 9200 §5.8, §5.9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from thingstead.controller.remote_access import RemoteIssuer
from thingstead.controller.resource import content
from thingstead.domain.peer_policy import PeerRule, decide
from thingstead.domain.thing import Thing
from thingstead.endpoint.event import RequestReceived
from thingstead.endpoint.resource import Call, Handler, Resources
from thingstead.errors import DecodeError, PolicyError, ThingsteadError
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.access.token_issuer import TokenIssuer
from thingstead.protocols.ace import token_endpoint
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.token_endpoint import TokenRequest
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import path

__all__ = ["TokenResource"]

_FORMATS = (ContentFormat.ACE_CBOR,)


class TokenResource:
    """Decides by the owner's policy, and has the access plane issue.

    Args:
        issuer: makes tokens and looks them up.
        thing_of: the record of a thing that is in.
        peers: the rules in force, asked each time.
        scope_of: what a thing may do at the domain; None for one that is not in, or cut off.
        deferred: makes a handler of what takes time.
        count: counts a refusal, as any other is.
        require: raises where a thing has to wait for its tokens.
    """

    def __init__(
        self,
        issuer: TokenIssuer | RemoteIssuer,
        thing_of: Callable[[ThingId], Thing],
        *,
        peers: Callable[[], tuple[PeerRule, ...]],
        scope_of: Callable[[ThingId], Scope | None],
        deferred: Callable[[Callable[[Call], Awaitable[Message]]], Handler],
        count: Callable[[RequestReceived, object, ThingsteadError], object],
        require: Callable[[ThingId], None],
    ) -> None:
        self._issuer = issuer
        self._thing_of = thing_of
        self._peers = peers
        self._scope_of = scope_of
        self._deferred = deferred
        self._count = count
        self._require = require

    def serve(self, resources: Resources) -> None:
        """Register both endpoints."""
        issue = self._deferred(self._issue)
        resources.register(path.TOKEN, Code.POST, issue, consumes=_FORMATS, produces=_FORMATS)
        resources.register(path.INTROSPECT, Code.POST, self._introspect, consumes=_FORMATS, produces=_FORMATS)

    async def _issue(self, call: Call) -> Message:
        try:
            asked = TokenRequest.decode(call.request.payload)
            client = self._thing_of(ThingId(str(call.peer)))
            self._require(client.id)
            server = self._find(asked.audience)
            decision = decide(client, server, asked.scope, self._peers())
            response = await self._issuer.issue(client.id, server.id, asked, decision)
        except ThingsteadError as error:
            self._count(call.event, call.peer, error)
            code, payload = token_endpoint.refusal(error)
            return content(payload, ContentFormat.ACE_CBOR, code)
        return content(response.encode(), ContentFormat.ACE_CBOR, Code.CREATED)

    def _introspect(self, call: Call) -> Message:
        found = self._issuer.introspect(ThingId(str(call.peer)), call.request.payload)
        return content(found, ContentFormat.ACE_CBOR, Code.CREATED)

    def _find(self, audience: str) -> Thing:
        """The thing of this name; one that is not in is refused like one that the client may not ask."""
        try:
            found = thing_id(audience)
            if self._scope_of(found) is not None:
                return self._thing_of(found)
        except DecodeError:
            pass
        raise PolicyError("no rule lets anybody ask whom we do not know", reason="unauthorized_client")
