"""The controller's parts that look at what things do on the network, put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from thingstead.controller.conductor import Conductor
from thingstead.controller.foundation import Foundation
from thingstead.controller.owner import Owner
from thingstead.controller.response import DOCUMENTS as RESPONSES
from thingstead.controller.response import Responder
from thingstead.controller.second_place import SecondPlace
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.storage.records import PlaneRecords

__all__ = ["Lookout", "compose_lookout"]

_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class Lookout:
    """Made by `compose_lookout`.

    Attributes:
        responder: has detections cut things off, as far as the policy says.
    """

    responder: Responder

    @property
    def chores(self) -> tuple[tuple[float, Callable[[], Awaitable[object]]], ...]:
        """Work that comes round, each with its seconds."""
        return ((_SECOND, self.responder.tidy),)


def compose_lookout(
    foundation: Foundation, store: SecondPlace, register: Register, *, conductor: Conductor, owner: Owner
) -> Lookout:
    """Put them together.

    Raises:
        StorageError: what is kept cannot be read.
    """
    responder = Responder(
        conductor,
        register,
        records=PlaneRecords(PlaneName.NETWORK, store, prefix=RESPONSES),
        policy=lambda: owner.policy.response,
        clock=foundation.clock,
    )
    store.listen(responder.follow)
    return Lookout(responder)
