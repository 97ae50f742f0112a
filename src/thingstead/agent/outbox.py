"""Where a thing's requests go, and under what: to its domain, to another thing, or along with a message_3."""

from __future__ import annotations

from thingstead.agent.story import Request
from thingstead.endpoint.association import Association
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import Address, AssociationId, ExchangeId
from thingstead.protocols.oscore.context import SecurityContext

__all__ = ["DOMAIN", "Outbox"]

DOMAIN = AssociationId("domain")
_NEXT = AssociationId("next")
"""What a join under way leads to: nothing that it is asked under it is granted, and nothing of it is on disk yet."""
_UNSAVED = 512
"""Sequence numbers for that, which the saved association begins behind; so many that no more are asked for."""


class Outbox:
    """Sends what stories ask.

    Args:
        endpoint: by which.
        controller: the domain's address.
    """

    def __init__(self, endpoint: Endpoint, controller: Address) -> None:
        self._endpoint = endpoint
        self._controller = controller
        self._elsewhere: set[ExchangeId] = set()

    def install(self, context: SecurityContext) -> None:
        """Speak with the domain under this context from now on."""
        self._endpoint.install(Association(DOMAIN, context, peer=DOMAIN, address=self._controller))

    def begun(self) -> int:
        """Sequence numbers that a join spent before its association was saved; what they were under ends."""
        begun = self._endpoint.association(_NEXT)
        self._endpoint.end(_NEXT)
        return 0 if begun is None else begun.context.sender.sequence.reserved

    def send(self, wanted: Request, now: float) -> ExchangeId:
        """Send a request."""
        if wanted.to is not None:
            exchange = self._endpoint.send_request(
                wanted.message, wanted.to.address, now, association=wanted.to.association
            )
            self._elsewhere.add(exchange)
            return exchange
        if wanted.session is None:
            association = DOMAIN if wanted.protected else None
            observe = wanted.on_notification is not None
            return self._endpoint.send_request(
                wanted.message, self._controller, now, association=association, observe=observe
            )
        self._endpoint.install(
            Association(_NEXT, wanted.session.context(_UNSAVED), peer=_NEXT, address=self._controller)
        )
        message_3 = wanted.session.message_3
        return self._endpoint.send_request(
            wanted.message, self._controller, now, association=_NEXT, message_3=message_3
        )

    def cancel(self, exchange: ExchangeId, now: float) -> None:
        """Wait for no response any more."""
        self._elsewhere.discard(exchange)
        self._endpoint.cancel(exchange, now)

    def ended(self, exchange: ExchangeId) -> bool:
        """Note that an exchange is over; whether it was with the domain."""
        is_domains = exchange not in self._elsewhere
        self._elsewhere.discard(exchange)
        return is_domains
