"""The conductor: a transition, its ledger entry and its obligations commit together; then it sees them met.

It runs each obligation on its plane, times it, tries again what failed, and takes up after a crash what
was left open. It is this loop and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Never
from weakref import WeakValueDictionary

from thingstead.clock import Clock
from thingstead.domain import lifecycle
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.lifecycle import FIRST_STATES, Cause, Restriction
from thingstead.domain.plane import Demand, Obligation, Plane, PlaneName, Receipt, demands
from thingstead.domain.ports import Committer
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.domain.unit import PlaneRecord, Unit
from thingstead.errors import StateError, StorageError, TransitionError
from thingstead.identifier import ThingId, TransitionId

__all__ = ["Conductor", "Limits", "Outcome", "TransitionReport"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the conductor waits.

    Attributes:
        plane_deadline: seconds that a plane has for one demand.
        first_retry: seconds before an open obligation is tried again.
        last_retry: seconds that the doubling wait between tries ends at.
    """

    plane_deadline: float = 30.0
    first_retry: float = 1.0
    last_retry: float = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one obligation went.

    Attributes:
        obligation: what was owed.
        receipt: the plane's word; None if it did not come.
        failure: why not, for the operator; empty with a receipt, or if a later transition took the demand over.
        milliseconds: from the commit of the transition, or of the retry, to the plane's answer.
    """

    obligation: Obligation
    receipt: Receipt | None
    failure: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class TransitionReport:
    """What came of a transition: it stands, whatever single planes still owe.

    Attributes:
        transition_id: its name in the ledger.
        thing: the record after it.
        at: when it was decided; `KillClock` counts from here.
        outcomes: one per plane that was asked.
    """

    transition_id: TransitionId
    thing: Thing
    at: datetime
    outcomes: Mapping[PlaneName, Outcome]

    @property
    def failures(self) -> dict[PlaneName, str]:
        """Planes that still owe, and why; they will be asked again."""
        return {plane: outcome.failure for plane, outcome in self.outcomes.items() if outcome.failure}


@dataclass(slots=True)
class _Met:
    """A demand that its plane has met, and the entry that says so; `failure` is empty once that is on disk."""

    owed: Obligation
    entry: Draft
    failure: str | None = None


class Conductor:
    """Keeps the promise that a state is, on all six planes; only it changes the state of things."""

    def __init__(
        self,
        planes: Iterable[Plane],
        register: Register,
        *,
        store: Committer,
        clock: Clock,
        limits: Limits | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Compose.

        Args:
            planes: one of each name.
            register: follows `store` (``store.listen(register.follow)``).
            store: where transitions are made to last.
            clock: UTC for the ledger, monotonic for durations.
            limits: how long to wait.
            wait: sleeps some seconds; a simulation lets its clock jump instead.
        """
        self._planes = {plane.name: plane for plane in planes}
        missing = set(PlaneName) - self._planes.keys()
        if missing:
            raise ValueError(f"no plane for {', '.join(sorted(missing))}")
        self._register = register
        self._store = store
        self._clock = clock
        self._limits = limits or Limits()
        self._wait = wait
        self._under_way: set[Obligation] = set()
        self._met: dict[ThingId, list[_Met]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def register(self, thing: Thing, *, actor: str, evidence: Mapping[str, Detail] | None = None) -> Thing:
        """Make a thing known: version 1, in one of the first states, with no plane asked for anything.

        Raises:
            TransitionError: a thing does not come into being in that state.
            StorageError: it is known already.
        """
        if thing.state not in FIRST_STATES or thing.version != 1:
            raise TransitionError(f"a thing becomes known at version 1 as manufactured, shelf or installed: {thing.id}")
        details = {**(evidence or {}), "to": thing.state.value}
        entry = Draft(self._clock.utc(), Kind.REGISTRATION, actor, thing.id, "registered", details)
        await self._store.commit(Unit(things=(thing,), entries=(entry,)))
        return thing

    async def transition(
        self,
        thing: ThingId,
        cause: Cause,
        *,
        actor: str,
        evidence: Mapping[str, Detail] | None = None,
        changes: Mapping[str, Any] | None = None,
        entries: Sequence[Draft] = (),
        records: Sequence[PlaneRecord] = (),
    ) -> TransitionReport:
        """Take `thing` to the state that `cause` leads to, and ask every plane for what that state demands.

        Args:
            thing: whom.
            cause: why; with the present state it names the row of the table.
            actor: who decided.
            evidence: what the decision rests on; goes into the ledger entry.
            changes: other attributes of the record that change with the state, such as keys at a join.
            entries: drafts that must stand in the ledger together with the transition, before it.
            records: documents that must be kept together with it.

        Raises:
            TransitionError: the table has no such row, or a restricted thing would join; nothing happened.
            StorageError: it could not be kept; nothing happened.
        """

        def advance(before: Thing) -> Thing:
            # Asked under the lock: a restriction that was decided while a thing joined comes before the join.
            if cause is Cause.JOINED and before.restriction is not Restriction.NONE:
                raise TransitionError(f"{thing} is {before.restriction} and joins when that is lifted")
            return before.evolve(state=lifecycle.advance(before.state, cause), **(changes or {}))

        return await self._change(thing, advance, Kind.TRANSITION, cause.value, actor, evidence, entries, records)

    async def restrict(
        self,
        thing: ThingId,
        restriction: Restriction,
        *,
        actor: str,
        cause: str,
        evidence: Mapping[str, Detail] | None = None,
    ) -> TransitionReport:
        """Hold, quarantine or release `thing`, and ask every plane for what that demands.

        Raises:
            TransitionError: it is so restricted already, or has left; nothing happened.
            StorageError: it could not be kept; nothing happened.
        """

        def limit(before: Thing) -> Thing:
            return before.evolve(restriction=lifecycle.restrict(before.state, before.restriction, restriction))

        return await self._change(thing, limit, Kind.RESTRICTION, cause, actor, evidence, ())

    async def amend(self, thing: ThingId, *, actor: str, cause: str, changes: Mapping[str, Any]) -> Thing:
        """Change attributes other than state and restriction: a key row, a zone; no plane is asked for anything.

        Raises:
            StorageError: it could not be kept; nothing happened.
        """
        if changes.keys() & {"state", "restriction"}:
            raise ValueError("state and restriction change by transition and restrict")

        def alter(before: Thing) -> Thing:
            return before.evolve(**changes)

        names = {"changed": ", ".join(sorted(changes))}
        return (await self._change(thing, alter, Kind.CONFIGURATION, cause, actor, names, ())).thing

    async def resume(self) -> tuple[Outcome, ...]:
        """Ask again, once, for what is still owed and not being asked for: after a start, and on every retry."""
        return await self._run([owed for owed in self._register.obligations() if owed not in self._under_way])

    async def run(self) -> Never:
        """Retry what is owed for as long as the controller lives, ever more slowly while planes fail."""
        delay = self._limits.first_retry
        while True:
            await self._wait(delay)
            failed = any(outcome.failure for outcome in await self.resume())
            delay = min(delay * 2, self._limits.last_retry) if failed else self._limits.first_retry

    async def _change(
        self,
        identifier: ThingId,
        change: Callable[[Thing], Thing],
        kind: Kind,
        cause: str,
        actor: str,
        evidence: Mapping[str, Detail] | None,
        entries: Sequence[Draft],
        records: Sequence[PlaneRecord] = (),
    ) -> TransitionReport:
        async with self._lock(identifier):
            before = self._register.thing(identifier)
            after = change(before)
            at = self._clock.utc()
            owed = demands(before, after, has_joined=kind is Kind.TRANSITION and cause == Cause.JOINED)
            opened = tuple([Obligation(after.transition_id, identifier, name, owed[name], cause, at) for name in owed])
            replaced = tuple([old for old in self._register.obligations(identifier) if old.plane in owed])
            details = {**(evidence or {}), "version": after.version, **_moves(before, after)}
            draft = Draft(at, kind, actor, identifier, cause, details)
            await self._store.commit(
                Unit((after,), entries=(*entries, draft), opened=opened, settled=replaced, records=tuple(records))
            )
        _log.info("%s: %s, %s, by %s because of %s", identifier, after.state, after.restriction, actor, cause)
        outcomes = await self._run(opened)
        return TransitionReport(
            after.transition_id, after, at, {outcome.obligation.plane: outcome for outcome in outcomes}
        )

    async def _run(self, obligations: Sequence[Obligation]) -> tuple[Outcome, ...]:
        self._under_way.update(obligations)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._attempt(owed)) for owed in obligations]
        finally:
            self._under_way.difference_update(obligations)
        return tuple([task.result() for task in tasks])

    async def _attempt(self, owed: Obligation) -> Outcome:
        """Ask the plane, one demand at a time per thing, and settle. What fails stays open."""
        started = self._clock.now()
        async with self._lock(f"{owed.thing} {owed.plane}"):
            if not self._register.owes(owed):
                return Outcome(owed, None, "", 0.0)
            receipt, failure = await self._ask(owed)
            milliseconds = (self._clock.now() - started) * 1000
            if receipt is not None:
                try:
                    await self._settle(owed, receipt, milliseconds)
                except StorageError as error:
                    receipt, failure = None, str(error)
        return Outcome(owed, receipt, failure, milliseconds)

    async def _ask(self, owed: Obligation) -> tuple[Receipt | None, str]:
        demand = _DEMANDS[owed.demand](self._planes[owed.plane])
        thing = self._register.thing(owed.thing)
        try:
            async with asyncio.timeout(self._limits.plane_deadline):
                receipt = await demand(thing, cause=owed.cause, transition_id=owed.transition_id)
            answered = (receipt.plane, receipt.thing, receipt.demand, receipt.transition_id)
            if answered != (owed.plane, owed.thing, owed.demand, owed.transition_id):
                raise StateError(f"{owed.plane} gave a receipt for another demand")
        except Exception as error:  # noqa: BLE001  one plane's failure, of any kind, must not stop the others
            _log.warning("%s still owes %s to %s: %r", owed.plane, owed.demand, owed.transition_id, error)
            return None, str(error) or type(error).__name__
        return receipt, ""

    async def _settle(self, owed: Obligation, receipt: Receipt, milliseconds: float) -> None:
        details: dict[str, Detail] = {
            "demand": owed.demand.value,
            "transition": owed.transition_id,
            "microseconds": round(milliseconds * 1000),
            "detail": receipt.detail,
        }
        entry = Draft(receipt.at, Kind.RECEIPT, f"plane:{owed.plane}", owed.thing, owed.cause, details)
        met = _Met(owed, entry)
        self._met.setdefault(owed.thing, []).append(met)
        # One turn for the other planes: what they have met by then, or while somebody writes, is written together.
        await asyncio.sleep(0)
        async with self._lock(owed.thing):
            if met.failure is None:
                await self._write(self._met.pop(owed.thing))
        if met.failure:
            raise StorageError(met.failure)

    async def _write(self, together: Sequence[_Met]) -> None:
        """Keep that demands of one thing are met; where it fails, all of them still owe."""
        settled = tuple([met.owed for met in together if self._register.owes(met.owed)])
        failure = "the store was interrupted"
        try:
            await self._store.commit(Unit(entries=tuple([met.entry for met in together]), settled=settled))
            failure = ""
        except StorageError as error:
            failure = str(error)
        finally:
            for met in together:
                met.failure = failure

    def _lock(self, name: str) -> asyncio.Lock:
        """A lock that lives as long as someone holds or awaits it."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock


_DEMANDS: dict[Demand, Callable[[Plane], Callable[..., Awaitable[Receipt]]]] = {
    Demand.ADMIT: lambda plane: plane.admit,
    Demand.RESTRICT: lambda plane: plane.restrict,
    Demand.WITHDRAW: lambda plane: plane.withdraw,
}


def _moves(before: Thing, after: Thing) -> dict[str, Detail]:
    """What of state and restriction changed, for the ledger."""
    moves: dict[str, Detail] = {}
    if before.state is not after.state:
        moves |= {"from": before.state.value, "to": after.state.value}
    if before.restriction is not after.restriction:
        moves |= {"from": before.restriction.value, "to": after.restriction.value}
    return moves
