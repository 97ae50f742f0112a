"""Ten years: things come and go by their rhythm, and on some days something happens to all of them."""

from __future__ import annotations

import heapq
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from thingstead.simulator.decade.fleet import MODELS, Character, Timepiece, fleet
from thingstead.simulator.decade.resident import Resident
from thingstead.simulator.decade.tale import Tale, Trouble
from thingstead.simulator.virtual.thing import LivingThing
from thingstead.simulator.virtual.world import World

__all__ = ["DAYS", "Decade", "Event"]

DAYS = 3650
_STEP = 7
_FIRST_DAYS = 28
_DAY = 86_400.0
_PATIENCE = 90.0
_INSOLENCE = 2.0
_STEP_OF_LOOKS = 0.2
_SETTLING = 0.2
_LONG = timedelta(days=365)
_RARELY = 1e7
_OFTEN = 5.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to the domain.

    Attributes:
        day: of the decade.
        act: does it, and tells it.
    """

    day: int
    act: Callable[[Decade], Awaitable[None]]


class Decade:
    """A domain and its things from their first day on.

    Args:
        world: fresh, with its domain up.
        seed: of whatever is left to chance.
        things: how many.
        support: last day of support by maker.
        tale: what is written down.

    Attributes:
        world: the same.
        chance: for whatever is left to it.
        tale: the same.
        day: today.
        residents: everybody, in the order of their numbers.
    """

    def __init__(self, world: World, *, seed: int, things: int, support: dict[str, date], tale: Tale) -> None:
        self.world = world
        self.chance = random.Random(seed)  # noqa: S311  the same seed, the same decade
        self.tale = tale
        self.day = 0
        self.residents = [
            Resident(character, self._bear(world, character, support[character.maker]), world.domain)
            for character in fleet(things, self.chance)
        ]
        self._queue = [(self.chance.randrange(_FIRST_DAYS), number) for number in range(things)]
        heapq.heapify(self._queue)
        self._began = world.clock.now()

    async def live(self, events: Iterable[Event], *, days: int = DAYS) -> None:
        """Live it, and call everybody at its end."""
        waiting = sorted(events, key=lambda event: event.day)
        year = 1
        for self.day in range(0, days, _STEP):
            is_quiet = self._queue[0][0] > self.day and (not waiting or waiting[0].day > self.day)
            if not is_quiet:
                await self.come_to(self.day)
            while waiting and waiting[0].day <= self.day:
                await waiting.pop(0).act(self)
            await self._contacts()
            if self.day + _STEP > year * 365:
                self._end_year(year)
                year += 1
        await self.come_to(days)
        self.day = days
        self.tale.happen(days, "everybody is called")
        await self.meet(self.residents)

    async def come_to(self, day: int) -> None:
        """Let the days pass up to this one; whatever the domain had to do meanwhile, it does once."""
        self.world.jump(self._began + day * _DAY - self.world.clock.now())
        await self.world.sleep(_SETTLING)

    async def meet(self, those: Sequence[Resident]) -> None:
        """Have things come, and see whether they are served; who has left tries, too."""
        now = self.world.clock.utc()
        joins = {one.character.serial: one.joins() for one in those}
        for one in those:
            one.come(now)
        welcome = [one for one in those if not one.has_left]
        leaving = _INSOLENCE if len(welcome) < len(those) else 0.0
        until = self.world.clock.now() + leaving
        with suppress(TimeoutError):
            await self.world.until(
                lambda: self.world.clock.now() >= until and all(one.is_served() for one in welcome),
                within=_PATIENCE,
                step=_STEP_OF_LOOKS,
            )
        for one in those:
            self._judge(one, now, joins[one.character.serial])
        self.world.network.sent.clear()

    def today(self) -> date:
        """Today's, whether the clock has come to it yet or not."""
        return (self.world.clock.start + timedelta(days=self.day)).date()

    def go(self, those: Iterable[Resident]) -> None:
        """Have things go away again."""
        for one in those:
            one.go(self.chance)

    def living(self) -> list[Resident]:
        """Who has not left."""
        return [one for one in self.residents if not one.has_left]

    async def _contacts(self) -> None:
        due = []
        while self._queue and self._queue[0][0] <= self.day:
            due.append(heapq.heappop(self._queue)[1])
        if not due:
            return
        those = [self.residents[number] for number in due]
        await self.meet(those)
        await self._adopt(those)
        self.go(those)
        for number, one in zip(due, those, strict=True):
            heapq.heappush(self._queue, (self.day + one.character.away(self.chance), number))

    async def _adopt(self, those: Iterable[Resident]) -> None:
        """What an owner does who reads the list of things at their end of life: take over those that are there."""
        if "menders" not in self.world.makers:
            return
        old = [one for one in those if one.is_at_its_end()]
        until = (self.world.clock.utc() + timedelta(days=20 * 365)).date().isoformat()
        for one in tuple(old):
            told = await one.home.answer("thing.adopt", thing=str(one.name), until=until, anchor="menders")
            if "error" in told:
                # One without a clock may not know yet that its maker's last day is over; it is served, and asked again.
                self.tale.counts["adopted later"] += 1
                old.remove(one)
        if old:
            with suppress(TimeoutError):
                await self.world.until(lambda: all(one.is_operational() for one in old), within=_PATIENCE)
        for one in old:
            if not one.is_operational():
                self._strand(one, f"adopted, and not in again: {one.why_not()}")
        self.tale.counts["adopted"] += len(old)

    def _judge(self, one: Resident, woke: datetime, joins: int) -> None:
        if one.is_back():
            self.tale.return_of(Trouble(self.day, one.character.serial, one.character.words, "it had left"))
        if one.has_left:
            self.tale.counts["refused"] += 1
            return
        before = one.last_served
        self.tale.counts["contacts"] += 1
        self.tale.counts["joins"] += max(0, one.joins() - joins)
        if before is not None and woke - before >= _LONG:
            self.tale.counts["long away"] += 1
        if not one.serve():
            self._strand(one, one.why_not())

    def _strand(self, one: Resident, why: str) -> None:
        self.tale.strand(Trouble(self.day, one.character.serial, one.character.words, why))

    def _end_year(self, year: int) -> None:
        left = sum(one.has_left for one in self.residents)
        homes = sum(one.home is not self.world.domain for one in self.living())
        standing = (
            f"in: {len(self.living()) - homes}, with other owners: {homes}, left: {left}, "
            f"stranded so far: {len(self.tale.stranded)}, back: {len(self.tale.back)}"
        )
        self.tale.end_year(year, self.today().year, standing)

    def _bear(self, world: World, character: Character, support_end: date) -> LivingThing:
        thing = world.thing(
            character.serial,
            maker=world.makers[character.maker],
            model=MODELS[character.maker],
            support_end=support_end,
            has_clock=character.timepiece is not Timepiece.NONE,
            telemetry_interval=_OFTEN,
            update_interval=_RARELY,
            revocation_interval=_RARELY,
            group_interval=_RARELY,
        )
        thing.clock = world.clock_of_its_own()
        return thing
