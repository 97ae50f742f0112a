"""What nobody looks after any more: silent things, things past their support, and who is no thing of ours (R-12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.network import ThingAddress
from thingstead.domain.thing import Thing
from thingstead.identifier import ThingId

__all__ = ["Neglect", "Neglected", "neglected", "strangers"]


class Neglect(StrEnum):
    """In what way."""

    SILENT = "silent"
    UNSUPPORTED = "unsupported"
    UNMANAGED = "unmanaged"


@dataclass(frozen=True, slots=True)
class Neglected:
    """Something that somebody should look at.

    Attributes:
        neglect: in what way.
        thing: whom; None for what is on the network and is no thing of the domain.
        since: when it began; None where the network does not tell.
        detail: what was seen, in one line.
    """

    neglect: Neglect
    thing: ThingId | None
    since: datetime | None
    detail: str


_IN_USE = frozenset({LifecycleState.OPERATIONAL, LifecycleState.MAINTENANCE, LifecycleState.END_OF_LIFE})


def neglected(
    things: Iterable[Thing],
    *,
    last_heard: Callable[[ThingId], datetime],
    interval: Callable[[ThingId], timedelta],
    intervals: int,
    at: datetime,
) -> tuple[Neglected, ...]:
    """Things in use that were silent for too long, or that their maker no longer mends.

    A thing that is held or quarantined is not called silent: somebody looks at it, and it cannot speak.

    Args:
        things: all of the domain.
        last_heard: when a message of a thing last verified, or from when on one was waited for.
        interval: the longest time that a thing leaves between two messages when all is well.
        intervals: how many of these it may miss.
        at: now.
    """
    found = []
    for thing in things:
        if thing.state not in _IN_USE:
            continue
        heard, longest = last_heard(thing.id), interval(thing.id)
        if thing.restriction is Restriction.NONE and at - heard > intervals * longest:
            detail = f"not heard for {_span(at - heard)}, expected every {_span(longest)}"
            found.append(Neglected(Neglect.SILENT, thing.id, heard, detail))
        if thing.support_end is not None and thing.support_end <= at:
            detail = f"{thing.maker} mends {thing.model} no more"
            found.append(Neglected(Neglect.UNSUPPORTED, thing.id, thing.support_end, detail))
    return tuple(found)


def strangers(
    neighbours: Iterable[ThingAddress], *, places: Iterable[ThingAddress], known: Collection[bytes]
) -> tuple[Neglected, ...]:
    """Who is on the segment of the things and is none, one row for each link-layer address.

    Args:
        neighbours: everybody seen there of late.
        places: where the domain's things are.
        known: link-layer addresses that the owner says are no things.
    """
    expected = {place.mac for place in places} | set(known)
    addresses: defaultdict[bytes, list[str]] = defaultdict(list)
    for neighbour in neighbours:
        if neighbour.mac not in expected:
            addresses[neighbour.mac].append(str(neighbour.ip))
    return tuple(
        [
            Neglected(Neglect.UNMANAGED, None, None, f"{mac.hex(':')} at {', '.join(sorted(found))}")
            for mac, found in sorted(addresses.items())
        ]
    )


_UNITS = ((timedelta(days=2), timedelta(days=1), "days"), (timedelta(hours=2), timedelta(hours=1), "hours"))
_MINUTE = timedelta(minutes=2), timedelta(minutes=1), "minutes"


def _span(span: timedelta) -> str:
    for least, unit, name in (*_UNITS, _MINUTE):
        if span >= least:
            return f"{span // unit} {name}"
    return f"{span.total_seconds():.0f} seconds"
