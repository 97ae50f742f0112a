"""What detectors learn over days, and how it outlasts a restart: as rows of plain values, of things alone."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, Protocol

from thingstead.analysis import kept
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.window import MAX_DEVICES, PerKey

__all__ = ["Beats", "Histories", "History", "Memory", "Rate", "Rates"]

_MOST_KEPT, _TIMES_KEPT = 64, 3
"""Contacts of one thing, and times of each, that outlast a restart."""


class Memory(Protocol):
    """Bounded, as all that detectors have."""

    def kept(self, scene: Scene, most: int) -> list[list[Any]]:
        """Rows of plain values, of the `most` things that were heard last."""
        ...

    def take_up(self, rows: object, now: float) -> None:
        """Go on from what `kept` gave before a restart.

        Raises:
            DecodeError: it gave nothing like that.
        """
        ...


@dataclass(slots=True)
class History:
    """Since when a thing is watched, and when it had to do with whom, the first times."""

    since: float | None = None
    contacts: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)


class Histories(PerKey[bytes, History]):
    """By link-layer address."""

    def __init__(self) -> None:
        super().__init__(History, MAX_DEVICES)

    def kept(self, scene: Scene, most: int) -> list[list[Any]]:
        """Of each the contacts that it had last; see `Memory`."""
        found = kept.of(scene.things, self.items(), most)
        return [[device, int(one.since or 0.0), _contacts(one)] for device, one in found]

    def take_up(self, rows: object, now: float) -> None:
        """See `Memory`."""
        for device, since, contacts in kept.rows(rows, bytes, int, list):
            history = self[device] = History(min(float(since), now))
            for remote, times in kept.rows(contacts, str, list):
                history.contacts[remote] = [min(float(at), now) for at in kept.numbers(times)[:_TIMES_KEPT]]


class Beats(PerKey[tuple[bytes, bytes, int | None], deque[tuple[float, int | None]]]):
    """Times of contacts, and the sender's port, by device, address and port."""

    def __init__(self, times: int) -> None:
        super().__init__(lambda: deque(maxlen=times))

    def kept(self, scene: Scene, most: int) -> list[list[Any]]:
        """In milliseconds; see `Memory`."""
        flat = [(device, (to, port or 0, times)) for (device, to, port), times in self.items() if times]
        return [
            [device, to, port, [int(at * 1000) for at, _ in times], [own or 0 for _, own in times]]
            for device, (to, port, times) in kept.of(scene.things, flat, most)
        ]

    def take_up(self, rows: object, now: float) -> None:
        """See `Memory`."""
        for device, to, port, times, ports in kept.rows(rows, bytes, bytes, int, list, list):
            pairs = zip(kept.numbers(times), kept.numbers(ports), strict=False)
            self[device, to, port].extend([(min(at / 1000, now), own) for at, own in pairs])


@dataclass(slots=True)
class Rate:
    """Requests of the minute, what is usual, and for how many minutes it was over that."""

    minute: int = 0
    asked: int = 0
    usual: float = 0.0
    over: int = 0


class Rates(PerKey[bytes, Rate]):
    """By link-layer address."""

    def __init__(self) -> None:
        super().__init__(Rate, MAX_DEVICES)

    def kept(self, scene: Scene, most: int) -> list[list[Any]]:
        """What is usual, in thousandths; see `Memory`."""
        return [[device, int(one.usual * 1000)] for device, one in kept.of(scene.things, self.items(), most)]

    def take_up(self, rows: object, now: float) -> None:  # noqa: ARG002  a rate has no date
        """See `Memory`."""
        for device, usual in kept.rows(rows, bytes, int):
            self[device] = Rate(usual=usual / 1000)


def _contacts(history: History) -> list[list[Any]]:
    return [[remote, [int(at) for at in times]] for remote, times in [*history.contacts.items()][-_MOST_KEPT:]]
