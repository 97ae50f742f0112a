"""Resources of one endpoint and the one access decision in front of them (RFC 9200 §5.10.2, RFC 9237)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from thingstead.endpoint.event import RequestReceived
from thingstead.errors import ThingsteadError, consequence
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.code import Code
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import OptionNumber

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
    """

    request: Message
    event: RequestReceived
    peer: Hashable
    now: float


Handler = Callable[[Call], Message | None]
"""Answers at once, or returns None and answers the exchange later; its `ThingsteadError` becomes the error code."""

Grantor = Callable[[RequestReceived], tuple[Hashable, Scope] | None]
"""Tells the peer behind a request and its scope, or None when it came in clear or its grant has ended."""


class Resources:
    """A table of (path, method) -> handler. Nothing is reachable that was not registered under its Toid.

    Args:
        grantor: finds the scope that a request is decided by.
    """

    def __init__(self, grantor: Grantor) -> None:
        self._grantor = grantor
        self._handlers: dict[str, dict[int, Handler]] = {}
        self._public: set[tuple[str, int]] = set()
        self._shown: dict[tuple[bytes, ...], str] = {}
        self.refused: Counter[str] = Counter()
        self.on_refusal: Callable[[RequestReceived, Hashable, str], None] = lambda _event, _peer, _reason: None

    def register(self, toid: str, method: Code, handler: Handler, *, public: bool = False) -> None:
        """Serve `method` on path `toid`; `public` answers anyone, in clear too.

        Raises:
            ValueError: a path that is not absolute, or is taken.
        """
        methods = self._handlers.setdefault(toid, {})
        if not toid.startswith("/") or method in methods:
            raise ValueError(f"expected a free absolute path, got {toid!r}")
        methods[method] = handler
        if public:
            self._public.add((toid, method))

    def withdraw(self, toid: str) -> None:
        """Stop serving a path; nothing if it was not served."""
        self._shown.clear()
        for method in self._handlers.pop(toid, {}):
            self._public.discard((toid, method))

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
        request = event.message
        peer: Hashable = None
        try:
            path, code = self._path(request), request.code
            granted = self._grantor(event)
            if granted is not None:
                peer, scope = granted
            if (path, code) not in self._public:
                if granted is None:
                    return self._refuse(event, peer, "unprotected", Code.UNAUTHORIZED)
                scope.allows(path, code)
            methods = self._handlers.get(path)
            if methods is None:
                return self._refuse(event, peer, "unknown path", Code.NOT_FOUND)
            handler = methods.get(code)
            if handler is None:
                return self._refuse(event, peer, "unknown method", Code.METHOD_NOT_ALLOWED)
            return handler(Call(request, event, peer, now))
        except ThingsteadError as error:
            return self.refuse(event, peer, error)

    def _path(self, request: Message) -> str:
        """`Message.path`, which is worked out once for what is served."""
        segments = tuple([value for number, value in request.options if number == _URI_PATH])
        path = self._shown.get(segments)
        if path is None:
            path = request.path
            if path in self._handlers:
                self._shown[segments] = path
        return path

    def refuse(self, event: RequestReceived, peer: Hashable, error: ThingsteadError) -> Message:
        """The response for `error`: its code and no more; what helps an operator helps an attacker."""
        _LOGGER.debug("request of %s refused: %s", peer or event.source, error)
        code = _CODES.get(error.reason, consequence(error).coap_code)
        return self._refuse(event, peer, error.reason, code)

    def _refuse(self, event: RequestReceived, peer: Hashable, reason: str, code: int) -> Message:
        self.refused[reason] += 1
        self.on_refusal(event, peer, reason)
        return Message(code)


_CODES = {"method": Code.METHOD_NOT_ALLOWED}
"""Where the reason says more than the class: the resource is in the scope, the method is not (RFC 9200 §5.10.2)."""
