"""Has the enforcer keep what the rule book says of who is here, and owes what could not be put in force yet."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from thingstead.clock import Clock
from thingstead.domain.network import AppliedChange, NetworkChange, RateLimit
from thingstead.domain.plane import Demand
from thingstead.domain.ports import Enforcement
from thingstead.identifier import ThingId
from thingstead.planes.network.residents import Resident, Residents
from thingstead.planes.network.rule_book import RuleBook

__all__ = ["RuleKeeper", "described"]

_LONGEST_TURN = 5.0
"""Seconds that rules for thousands of things may take at a time: who asks elsewhere waits half a minute."""


class RuleKeeper:
    """What is in force, and for whom it has to be put in force again.

    Args:
        enforcement: keeps the rules.
        book: says what they are.
        residents: says for whom; who acts on a thing puts it there.
        rate: how much each thing may send.
        clock: for the time that a turn takes, and for UTC.
        at_once: things whose rules change in one step, a tenth of a second; then others have their turn.
    """

    def __init__(
        self,
        enforcement: Enforcement,
        book: RuleBook,
        residents: Residents,
        *,
        rate: RateLimit | None,
        clock: Clock,
        at_once: int,
    ) -> None:
        self._enforcement = enforcement
        self._book = book
        self._residents = residents
        self._rate = rate
        self._clock = clock
        self._at_once = at_once
        self._learning: set[ThingId] = set()
        self._unapplied: dict[ThingId, None] = {}
        self._mode = "nobody yet"

    @property
    def mode(self) -> str:
        """Who keeps the rules: ``nftables``, ``dry_run``, or nobody before `settle`."""
        return self._mode

    def owed(self) -> Collection[ThingId]:
        """Whose rules are not in force as the book has them."""
        return self._unapplied.keys()

    def who_learned_enough(self) -> set[ThingId]:
        """Things that were passed while they are learned of, and whose time for that is over."""
        learned = [one.thing for one in self._residents.admitted() if one.thing.id in self._learning]
        at = self._clock.utc()
        return {thing.id for thing in learned if not self._book.learns(thing, at)}

    async def settle(self) -> None:
        """All of whom is known was applied: what stood before the start ends.

        Raises:
            ConfigError: it cannot be replaced.
            TransportError: likewise.
        """
        self._mode = await self._enforcement.settle()

    async def apply(self, resident: Resident) -> AppliedChange:
        """Put in force what the book says of one.

        Raises:
            TransportError: the enforcer refused; what was in force still is.
        """
        applied = await self._enforcement.apply(self._change(resident))
        self._mode = applied.mode
        return applied

    async def bar(self, resident: Resident) -> AppliedChange:
        """Drop every packet of one; who shall come back keeps the way by which it is mended.

        Raises:
            TransportError: the enforcer refused; what was in force still is.
        """
        repair = self._book.repair() if resident.demand is Demand.RESTRICT else frozenset()
        change = NetworkChange(resident.thing.id, resident.addresses, None, barred=True, repair=repair)
        applied = await self._enforcement.apply(change)
        self._mode = applied.mode
        return applied

    async def apply_again(self, thing: ThingId) -> None:
        """Put in force what the book says of one that is still admitted.

        Asked anew, for others have had their turn: whoever was barred meanwhile must not come back.

        Raises:
            TransportError: the enforcer refused; what was in force still is.
        """
        one = self._residents.of(thing)
        if one is not None and one.demand is Demand.ADMIT:
            await self.apply(one)

    async def reapply(self, things: set[ThingId]) -> None:
        """Put in force what changed; what fails, or takes too long for one turn, is owed and done at the next.

        Raises:
            TransportError: the enforcer refused.
        """
        self._unapplied.update(dict.fromkeys(sorted(things)))
        started = self._clock.now()
        owed = tuple(self._unapplied)
        for some in [owed[at : at + self._at_once] for at in range(0, len(owed), self._at_once)]:
            if self._clock.now() - started > _LONGEST_TURN:
                break
            # Asked anew, for others have had their turn: whoever was barred meanwhile must not come back.
            found = [one for one in map(self._residents.of, some) if one is not None and one.demand is Demand.ADMIT]
            await self._enforcement.apply_all([self._change(one) for one in found])
            for thing in some:
                self._unapplied.pop(thing, None)
            await asyncio.sleep(0)

    def _change(self, resident: Resident) -> NetworkChange:
        thing = resident.thing
        change = NetworkChange(
            thing.id,
            resident.addresses,
            self._book.allowed(thing),
            denied=self._book.refused(thing),
            rate=self._rate,
            learning=self._book.learns(thing, self._clock.utc()),
            repair=self._book.repair(),
            named=self._book.named(thing),
        )
        (self._learning.add if change.learning else self._learning.discard)(thing.id)
        return change


def described(applied: AppliedChange) -> str:
    """What came of a change, in a line of a receipt."""
    if applied.seconds is None:
        return f"DRY RUN: {applied.added} rules added and {applied.removed} removed on paper, nothing is enforced"
    took = f"{applied.seconds * 1000:.2f} ms"
    return f"{applied.added} rules added, {applied.removed} removed, in force in {took} ({applied.mode})"
