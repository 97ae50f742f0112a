"""Ends algorithms on the owner's dates: things that can have another join anew, and the others are held (R-76).

A held thing keeps its credential and its way to updates, which may be what gives it another algorithm. The owner lets
it go when it has one; whoever still depends on what is not taken is held again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from thingstead.analysis.crypto_inventory import Held
from thingstead.analysis.sunset import effect
from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.lifecycle import TRANSITIONS, Cause, Restriction
from thingstead.domain.register import Register
from thingstead.identifier import ThingId

__all__ = ["CryptoWatch"]

_ACTOR = "policy"
_CAUSE = "algorithm"
_INTERVAL = 3600.0

_Seen = tuple[date, tuple[tuple[str, date], ...]]


class CryptoWatch:
    """Looks once an hour, at once after a start, and whenever the owner's dates or the day are others.

    Where no date of the owner's has passed it does nothing.

    Args:
        policy: the owner's dates as in force.
        assets: everything that holds because of an algorithm.
        register: the things.
        conductor: sends them back to where they join, or holds them.
        suites: of EDHOC that both sides have.
        clock: both times.
    """

    def __init__(
        self,
        policy: Callable[[], CryptoPolicy],
        assets: Callable[[], Iterable[Held]],
        register: Register,
        *,
        conductor: Conductor,
        suites: Sequence[int],
        clock: Clock,
    ) -> None:
        self._policy = policy
        self._assets = assets
        self._register = register
        self._conductor = conductor
        self._suites = tuple(suites)
        self._clock = clock
        self._next = clock.now()
        self._seen: _Seen | None = None

    async def look(self) -> None:
        """Act on what is not taken any more.

        Raises:
            StorageError: a step could not be kept; it is tried again at the next look.
        """
        policy, day = self._policy(), self._clock.utc().date()
        seen = (day, tuple(sorted(policy.sunsets.items())))
        if seen == self._seen and self._clock.now() < self._next:
            return
        if any(last < day for last in policy.sunsets.values()):
            found = effect(self._assets(), policy, day, suites=self._suites)
            for thing, names in found.moves.items():
                await self._send_back(thing, names)
            for thing, names in found.isolates.items():
                await self._hold(thing, names)
        self._seen, self._next = seen, self._clock.now() + _INTERVAL

    async def _send_back(self, thing: ThingId, names: tuple[str, ...]) -> None:
        if (self._register.thing(thing).state, Cause.RE_BOOTSTRAP_REQUIRED) in TRANSITIONS:
            evidence = {"algorithm": ", ".join(names)}
            await self._conductor.transition(thing, Cause.RE_BOOTSTRAP_REQUIRED, actor=_ACTOR, evidence=evidence)

    async def _hold(self, thing: ThingId, names: tuple[str, ...]) -> None:
        if self._register.thing(thing).restriction is Restriction.NONE:
            evidence = {"algorithm": ", ".join(names)}
            await self._conductor.restrict(thing, Restriction.HELD, actor=_ACTOR, cause=_CAUSE, evidence=evidence)
