"""What runs out about releases: their own use-before, and the makers' support."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from thingstead.domain.plane import Expiry, PlaneName
from thingstead.domain.thing import Thing
from thingstead.identifier import ThingId
from thingstead.planes.software.release import Line, Release
from thingstead.planes.software.software_record import SoftwareRecord

__all__ = ["release_dates"]

_SUPPORT_WARNING = timedelta(days=180)


def release_dates(
    things: Iterable[tuple[Thing, Line | None]],
    *,
    current: Callable[[Line], Release | None],
    runs: Callable[[ThingId], SoftwareRecord],
) -> list[Expiry]:
    """Each date, and whom it strands.

    Args:
        things: those that may update, and with what.
        current: what is offered of a line.
        runs: what a thing reported.
    """
    offered: dict[Line, list[ThingId]] = {}
    supported: dict[tuple[str, str, datetime], list[ThingId]] = {}
    for thing, line in things:
        if line is not None:
            offered.setdefault(line, []).append(thing.id)
        if thing.support_end is not None:
            supported.setdefault((thing.maker, thing.model, thing.support_end), []).append(thing.id)
    dates = [
        Expiry(f"support of {maker} {model}", end, tuple(names), PlaneName.SOFTWARE, warning=_SUPPORT_WARNING)
        for (maker, model, end), names in supported.items()
    ]
    for line, names in offered.items():
        release = current(line)
        if release is not None and release.use_before is not None:
            late = [one for one in names if runs(one).sequence_number < release.sequence_number]
            dates.append(Expiry(f"release {release.version}", release.use_before, tuple(late), PlaneName.SOFTWARE))
    return dates
