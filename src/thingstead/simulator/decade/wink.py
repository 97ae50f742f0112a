"""Everything ends on one day on which everything is off: nobody renewed a thing, and then the power comes back.

In April 2015 the hubs of a maker were offline at one stroke, for the certificate of the service that they trusted had
ended, and with it the way by which they could have been told of another. The day is played twice, with nobody heeding
the calendar: by things that go by dates alone, which this product's do not, and by this product's.
"""

from __future__ import annotations

from datetime import timedelta

from thingstead.agent.core import Agent
from thingstead.analysis.calendar import Urgency, calendar
from thingstead.crypto.key import PublicKey
from thingstead.simulator.decade.decade import Decade
from thingstead.simulator.decade.event import publish_mud, support
from thingstead.simulator.decade.tale import Tale
from thingstead.simulator.virtual.world import World

__all__ = ["GoesByDates", "wink"]

_THE_DAY = 365
_READ, _POWER_FAILS, _POWER_IS_BACK = _THE_DAY - 5, _THE_DAY - 3, _THE_DAY + 60


class GoesByDates(Agent):
    """A thing that knows no domain once what it holds has ended; for comparison, as no thing of this product does."""

    def former_domain(self) -> PublicKey | None:
        """Nobody."""
        return None


async def wink(world: World, *, seed: int, things: int, tale: Tale, make: type[Agent]) -> int:
    """Live through the day, with nobody heeding what the calendar says.

    Args:
        world: fresh, with its domain down.
        seed: of whatever is left to chance.
        things: how many.
        tale: what is written down; who is stranded is told in it where the product's own things are.
        make: what the things are.

    Returns:
        How many are served when the power is back.
    """
    publish_mud(world, days=_THE_DAY)
    await world.domain.start()
    born = support(world.clock.utc().date())
    decade = Decade(world, seed=seed, things=things, support=born, tale=tale if make is Agent else Tale(_quiet))
    for one in decade.residents:
        one.thing.make = make
    await decade.meet(decade.residents)
    decade.day = _READ
    await decade.come_to(_READ)
    _read_calendar(decade, tale)
    decade.day = _POWER_FAILS
    for one in decade.residents:
        one.thing.crash()
    await world.domain.crash()
    decade.day = _POWER_IS_BACK
    world.jump((_POWER_IS_BACK - _READ) * 86_400.0)
    await world.domain.start()
    await decade.meet(decade.residents)
    return sum(one.last_served == one.woke for one in decade.residents)


def _read_calendar(decade: Decade, tale: Tale) -> None:
    at = decade.world.clock.utc()
    rows = calendar(decade.world.domain.controller.overview.expiries(), at=at, horizon=timedelta(days=60))
    for row in rows:
        if row.urgency is not Urgency.LATER:
            tale.happen(
                decade.day, f"the calendar says: {row.what} ends {row.at:%Y-%m-%d}, {len(row.strands)} things; unheeded"
            )


def _quiet(_line: str) -> None:
    """Of things that are there for comparison only the number is told."""
