"""The token revocation list as a resource: each caller sees, and observes, what pertains to it (RFC 9770 §6, §11)."""

from __future__ import annotations

from collections.abc import Callable

from thingstead.endpoint.event import ExchangeId
from thingstead.endpoint.resource import Call, Resources
from thingstead.planes.access.issued_tokens import IssuedTokens
from thingstead.protocols.coap.code import is_error
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import path

__all__ = ["RevocationList"]

_MAX_OBSERVATIONS = 4
_OBSERVED = (int(OptionNumber.OBSERVE), b"")


class RevocationList:
    """Serves the list, and tells observers when their part of it has changed.

    Args:
        tokens: what is revoked.
        notify: tells an observer how it stands now.
    """

    def __init__(self, tokens: IssuedTokens, notify: Callable[[ExchangeId, Message], None]) -> None:
        self._tokens = tokens
        self._notify = notify
        self._observations: dict[str, dict[ExchangeId, list[str]]] = {}
        tokens.on_change = self._tell

    def serve(self, resources: Resources) -> None:
        """Register it; only GET is answered (RFC 9770 §6)."""
        resources.register(path.TRL, Code.GET, self._answer, produces=(ContentFormat.ACE_TRL_CBOR,))

    def _answer(self, call: Call) -> Message:
        requester = str(call.peer)
        message = self._tokens.answer(requester, call.request.queries)
        if not call.event.observe or is_error(message.code):
            return message
        # The endpoint knows which observations have ended; here the oldest make room, and are told nothing more.
        observations = self._observations.setdefault(requester, {})
        observations[call.event.exchange] = call.request.queries
        while len(observations) > _MAX_OBSERVATIONS:
            del observations[next(iter(observations))]
        return message.with_options(_OBSERVED)

    def _tell(self, requester: str) -> None:
        for exchange, queries in self._observations.get(requester, {}).items():
            self._notify(exchange, self._tokens.answer(requester, queries).with_options(_OBSERVED))
