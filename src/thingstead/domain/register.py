"""The controller's memory of what is kept: things and open obligations; it follows the store, never leads it."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.domain.plane import Obligation, PlaneName
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Committed, Snapshot
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId, TransitionId

__all__ = ["Register"]


class Register:
    """Things by id, and what planes still owe; `follow` is to be given to `Store.listen`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._things = {thing.id: thing for thing in snapshot.things}
        self._by_serial = {(thing.maker, thing.serial): thing.id for thing in snapshot.things}
        self._open: dict[ThingId, dict[tuple[TransitionId, PlaneName], Obligation]] = {}
        for owed in snapshot.obligations:
            self._owe(owed)

    def follow(self, committed: Committed) -> None:
        """Take up what is on disk now."""
        unit = committed.unit
        self._things.update({thing.id: thing for thing in unit.things})
        self._by_serial.update({(thing.maker, thing.serial): thing.id for thing in unit.things})
        for owed in unit.settled:
            rest = self._open[owed.thing]
            del rest[owed.transition_id, owed.plane]
            if not rest:
                del self._open[owed.thing]
        for owed in unit.opened:
            self._owe(owed)

    def thing(self, thing: ThingId) -> Thing:
        """The record of `thing`.

        Raises:
            ConfigError: no such thing.
        """
        record = self._things.get(thing)
        if record is None:
            raise ConfigError(f"no thing {thing} is known here", reason="unknown-thing")
        return record

    def find(self, maker: str, serial: str) -> Thing | None:
        """The thing that `maker` made under `serial`; None if it never was known here."""
        identifier = self._by_serial.get((maker, serial))
        return None if identifier is None else self._things[identifier]

    def things(self) -> Iterator[Thing]:
        """All records."""
        yield from self._things.values()

    def obligations(self, thing: ThingId | None = None) -> tuple[Obligation, ...]:
        """What is still owed to `thing`, oldest first; to all things if none is named."""
        if thing is not None:
            return tuple(self._open.get(thing, {}).values())
        return tuple([owed for rest in self._open.values() for owed in rest.values()])

    def owes(self, obligation: Obligation) -> bool:
        """Whether `obligation` is still open."""
        return (obligation.transition_id, obligation.plane) in self._open.get(obligation.thing, {})

    def _owe(self, owed: Obligation) -> None:
        self._open.setdefault(owed.thing, {})[owed.transition_id, owed.plane] = owed
