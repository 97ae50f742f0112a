"""A plane whose engine is not composed yet: it grants nothing, and says so in every receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from thingstead.clock import Clock
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt, Standing
from thingstead.domain.thing import Thing
from thingstead.identifier import TransitionId

__all__ = ["Absent"]


class Absent:
    """Holds the place of `name`."""

    def __init__(self, name: PlaneName, *, clock: Clock) -> None:
        self.name = name
        self._clock = clock

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Nothing."""
        return self._receipt(thing, Demand.ADMIT, transition_id)

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Nothing."""
        return self._receipt(thing, Demand.RESTRICT, transition_id)

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Nothing."""
        return self._receipt(thing, Demand.WITHDRAW, transition_id)

    async def probe(self, thing: Thing) -> Probe:
        """Nobody relies on this plane yet."""
        return Probe(self.name, thing.id, Standing.ABSENT, "nobody", self._clock.utc())

    def expiries(self) -> Sequence[Expiry]:
        """None."""
        return ()

    def findings(self, question: str) -> Sequence[Finding]:
        """None."""
        return ()

    def snapshot(self) -> Mapping[str, bytes]:
        """Empty."""
        return {}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Nothing."""

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), "this plane is not there yet")
