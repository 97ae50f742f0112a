"""Resources of one endpoint and the one access decision in front of them (RFC 9200 §5.10.2, RFC 9237)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from thingstead.endpoint.event import RequestReceived
from thingstead.endpoint.negotiation import (
    CONTENT_FORMAT,
    NEGOTIATED,
    NOT_ACCEPTABLE,
    PRECONDITION,
    Formats,
    is_conditional,
    require_condition,
    require_formats,
    settle,
    tag_of,
)
from thingstead.errors import ThingsteadError, consequence
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.code import is_error
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.problem import Problem, with_problem
from thingstead.protocols.coap.registry import CODES, Code, OptionNumber

__all__ = ["Call", "Grantor", "Handler", "Resources"]

_LOGGER = logging.getLogger(__name__)
_URI_PATH = int(OptionNumber.URI_PATH)


@dataclass(slots=True)
class Call:
    """One authorised request; nobody changes it (not frozen, for the price of frozen on every request).

    Attributes:
        request: the reassembled inner message.
        event: where it came from; its exchange is what a deferred answer goes to.
        peer: whose association or group membership it came under; None on a public resource without one.
        now: monotonic seconds.
        scope: what the peer may do; how far that reaches is for the resource to keep.
    """

    request: Message
    event: RequestReceived
    peer: Hashable
    now: float
    scope: Scope | None = None


Handler = Callable[[Call], Message | None]
"""Answers at once, or returns None and answers the exchange later; its `ThingsteadError` becomes the error code."""

Grantor = Callable[[RequestReceived], tuple[Hashable, Scope] | None]
"""Tells the peer behind a request and its scope, or None when it came in clear or its grant has ended."""


class Resources:
    """A table of (path, method) -> handler. Nothing is reachable that was not registered under its Toid.

    Args:
        grantor: finds the scope that a request is decided by.

    Attributes:
        refused: how often, by reason.
        on_refusal: is told of each.
        on_stranger: makes what a stranger is refused with more useful to it, such as where to ask for rights.
    """

    def __init__(self, grantor: Grantor) -> None:
        self._grantor = grantor
        self._handlers: dict[str, dict[int, Handler]] = {}
        self._public: set[tuple[str, int]] = set()
        self._formats: dict[tuple[str, int], Formats] = {}
        self._shown: dict[tuple[bytes, ...], str] = {}
        self.refused: Counter[str] = Counter()
        self.on_refusal: Callable[[RequestReceived, Hashable, str], None] = lambda _event, _peer, _reason: None
        self.on_stranger: Callable[[Message, float], Message] = lambda refusal, _now: refusal

    def register(
        self,
        toid: str,
        method: Code,
        handler: Handler,
        *,
        public: bool = False,
        consumes: tuple[int, ...] = (),
        produces: tuple[int, ...] = (),
    ) -> None:
        """Serve `method` on path `toid`; `public` answers anyone, in clear too.

        Args:
            toid: absolute path.
            method: GET and the like.
            handler: answers.
            public: without a scope, too.
            consumes: Content-Formats that a request may have; any when empty.
            produces: Content-Formats that a response may have; not known when empty.

        Raises:
            ValueError: a path that is not absolute, or is taken.
        """
        methods = self._handlers.setdefault(toid, {})
        if not toid.startswith("/") or method in methods:
            raise ValueError(f"expected a free absolute path, got {toid!r}")
        methods[method] = handler
        self._formats[toid, method] = Formats(consumes, produces)
        if public:
            self._public.add((toid, method))

    def withdraw(self, toid: str) -> None:
        """Stop serving a path; nothing if it was not served."""
        self._shown.clear()
        for method in self._handlers.pop(toid, {}):
            self._public.discard((toid, method))
            del self._formats[toid, method]

    def paths(self, *, public: bool) -> list[str]:
        """Registered paths, all of them or those that answer anyone."""
        return sorted({path for path, _ in self._public} if public else self._handlers)

    def visible(self, event: RequestReceived) -> list[str]:
        """Paths that whoever sent a request may use by at least one method."""
        granted = self._grantor(event)
        held = granted[1].grants.keys() if granted is not None else frozenset[str]()
        public = {path for path, _ in self._public}
        return sorted(path for path in self._handlers if path in public or path in held)

    def permits(self, event: RequestReceived) -> bool:
        """The same decision, for the endpoint: whether a later block may go out of what was answered before."""
        granted = self._grantor(event)
        try:
            place = (event.message.path, event.message.code)
            if granted is not None and place not in self._public:
                granted[1].allows(*place)
        except ThingsteadError:
            return False
        return granted is not None or place in self._public

    def answer(self, event: RequestReceived, now: float) -> Message | None:
        """Decide, dispatch, and turn what goes wrong into a response; None when the handler answers later.

        The scope decides before the path is looked up, so that who may not ask does not learn what exists.
        """
        asked, code = event.message, event.message.code
        peer: Hashable = None
        scope: Scope | None = None
        has_terms = False
        segments = []
        try:
            for number, value in asked.options:
                if number == _URI_PATH:
                    segments.append(value)
                elif number in NEGOTIATED:
                    has_terms = True
            path = self._shown.get(tuple(segments)) or self._path(asked)
            granted = self._grantor(event)
            if granted is not None:
                peer, scope = granted
            if (path, code) not in self._public:
                if granted is None:
                    return self._refuse_stranger(event, path, now)
                granted[1].allows(path, code)
            methods = self._handlers.get(path)
            if methods is None:
                return self._refuse(event, peer, "unknown path", Code.NOT_FOUND)
            handler = methods.get(code)
            if handler is None:
                return self._refuse(event, peer, "unknown method", Code.METHOD_NOT_ALLOWED)
            call = Call(asked, event, peer, now, scope)
            return self._answer_on_terms(call, path, handler) if has_terms else handler(call)
        except ThingsteadError as error:
            return self.refuse(event, peer, error)

    def _answer_on_terms(self, call: Call, path: str, handler: Handler) -> Message | None:
        """Answer a request that says what it takes, or under which conditions (RFC 7252 §5.10)."""
        formats = self._formats[path, call.request.code]
        require_formats(call.request, formats)
        if is_conditional(call.request):
            require_condition(call.request, self._current(call, path))
        response = handler(call)
        return None if response is None else settle(call.request, response)

    def _current(self, call: Call, path: str) -> bytes | None:
        """The entity-tag of what a GET would give who asks now; None when that cannot be told at once.

        Who may not read the resource learns nothing about what is in it.
        """
        read = self._handlers[path].get(Code.GET)
        if read is None:
            return None
        if (path, Code.GET) not in self._public:
            granted = self._grantor(call.event)
            if granted is None:
                return None
            granted[1].allows(path, Code.GET)
        seen = read(Call(request(Code.GET, path), call.event, call.peer, call.now))
        return None if seen is None or is_error(seen.code) else tag_of(seen)

    def _path(self, asked: Message) -> str:
        """`Message.path`, which is worked out once for what is served."""
        path = asked.path
        if path in self._handlers:
            self._shown[tuple(asked.option_values(_URI_PATH))] = path
        return path

    def refuse(self, event: RequestReceived, peer: Hashable, error: ThingsteadError) -> Message:
        """The response for `error`: its code, and no more; what helps an operator helps an attacker.

        Only a peer that we know, and that may use the resource, is told by name what its request lacks (RFC 9290).
        """
        _LOGGER.debug("request of %s refused: %s", peer or event.source, error)
        code = _CODES.get(error.reason, consequence(error).coap_code)
        return self._refuse(event, peer, error.reason, code)

    def _refuse_stranger(self, event: RequestReceived, path: str, now: float) -> Message:
        """4.05 for what is no method, or none of what everybody sees (RFC 7252 §5.8); 4.01 for all the rest."""
        code = event.message.code
        is_public = any(path == public for public, _ in self._public)
        if code not in CODES or (is_public and code not in self._handlers[path]):
            return self._refuse(event, None, "unknown method", Code.METHOD_NOT_ALLOWED)
        return self.on_stranger(self._refuse(event, None, "unprotected", Code.UNAUTHORIZED), now)

    def _refuse(self, event: RequestReceived, peer: Hashable, reason: str, code: int) -> Message:
        self.refused[reason] += 1
        self.on_refusal(event, peer, reason)
        refusal = Message(code)
        if peer is not None and reason in _TOLD:
            return with_problem(refusal, Problem(title=reason))
        return refusal


_TOLD = frozenset((NOT_ACCEPTABLE, CONTENT_FORMAT, PRECONDITION))
_CODES = {
    "method": Code.METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE: Code.NOT_ACCEPTABLE,
    CONTENT_FORMAT: Code.UNSUPPORTED_CONTENT_FORMAT,
    PRECONDITION: Code.PRECONDITION_FAILED,
    "no registration": Code.NOT_FOUND,
    "range": Code.UNPROCESSABLE_ENTITY,
    "rate": Code.TOO_MANY_REQUESTS,
}
"""Where the reason says more than the class: of a method, that the resource is in the scope (RFC 9200 §5.10.2)."""
