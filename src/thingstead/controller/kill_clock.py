"""The kill clock: how long relying parties go on accepting a thing that should be refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from thingstead.clock import Clock
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.plane import Plane, PlaneName, Probe, Standing
from thingstead.domain.ports import Committer
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Unit
from thingstead.identifier import ThingId

__all__ = ["KillClock", "KillTime", "Limits"]

_REFUSES = frozenset({Standing.REFUSED, Standing.ABSENT})
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long relying parties are asked.

    Attributes:
        probe_deadline: seconds that a plane has for one probe.
        probe_interval: seconds between two probes of one plane.
        patience: seconds that relying parties that are silent are asked again.
    """

    probe_deadline: float = 30.0
    probe_interval: float = 0.05
    patience: float = 20.0


@dataclass(frozen=True, slots=True)
class KillTime:
    """How long a plane's relying party went on accepting a thing.

    Attributes:
        plane: which plane.
        milliseconds: from the transition to the last acceptance, 0 if none came after it; to the first
            refusal where the relying party cannot tell; None if it did not refuse within the deadline, or if
            nobody enforces the refusal.
        relying_party: who was asked.
        detail: its evidence, or why it could not be asked.
        enforced: False where the plane only writes down what it would refuse.
        bound: until when who could not be asked may still accept it; None where all were.
    """

    plane: PlaneName
    milliseconds: float | None
    relying_party: str
    detail: str
    enforced: bool = True
    bound: datetime | None = None


class KillClock:
    """Asks each plane's relying party, and believes no plane's books.

    Args:
        planes: one of each name.
        register: the things.
        store: where the times are kept, in the ledger.
        clock: UTC for the ledger, monotonic for durations.
        limits: how long to ask.
        wait: sleeps some seconds; a simulation lets its clock jump instead.
    """

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
        self._planes = {plane.name: plane for plane in planes}
        self._register = register
        self._store = store
        self._clock = clock
        self._limits = limits or Limits()
        self._wait = wait

    async def probe(self, thing: ThingId) -> tuple[Probe, ...]:
        """Ask every plane's relying party about `thing`; a plane that cannot say is left out."""
        record = self._register.thing(thing)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._probe(record, plane)) for plane in self._planes]
        return tuple([probe for probe, _ in (task.result() for task in tasks) if probe is not None])

    async def time(
        self,
        thing: ThingId,
        *,
        since: datetime,
        deadline: float,
        until_refused: Collection[PlaneName] = tuple(PlaneName),
    ) -> dict[PlaneName, KillTime]:
        """Probe the relying parties until each refuses, and tell when each last accepted.

        Args:
            thing: who should be refused.
            since: the transition's instant.
            deadline: seconds after which a plane that still accepts is reported as such.
            until_refused: planes whose relying party must refuse, or know nothing of the thing.
        """
        now = self._clock.now()
        end, patient = now + deadline, now + min(deadline, self._limits.patience)
        record = self._register.thing(thing)
        async with asyncio.TaskGroup() as group:
            watches = [group.create_task(self._watch(record, plane, since, end, patient)) for plane in until_refused]
        times = {watch.result().plane: watch.result() for watch in watches}
        details: dict[str, Detail] = {
            plane.value: None if time.milliseconds is None else round(time.milliseconds * 1000)
            for plane, time in times.items()
            if time.enforced
        }
        entry = Draft(self._clock.utc(), Kind.KILL_CLOCK, "conductor", thing, "microseconds", details)
        await self._store.commit(Unit(entries=(entry,)))
        return times

    async def _watch(self, thing: Thing, plane: PlaneName, since: datetime, end: float, patient: float) -> KillTime:
        seen = since
        while True:
            probe, trouble = await self._probe(thing, plane)
            if probe is not None:
                if not probe.enforced:
                    return KillTime(plane, None, probe.relying_party, probe.detail, enforced=False)
                is_silent = probe.bound is not None and self._clock.now() < patient
                if probe.standing in _REFUSES and not is_silent:
                    last = max(seen, probe.last_acceptance or probe.at)
                    milliseconds = (last - since) / _MILLISECOND
                    return KillTime(plane, milliseconds, probe.relying_party, probe.detail, bound=probe.bound)
                if probe.standing not in _REFUSES:
                    seen = max(seen, probe.at)
            if self._clock.now() >= end:
                party, detail = (probe.relying_party, probe.detail) if probe else ("", trouble)
                return KillTime(plane, None, party, detail)
            await self._wait(self._limits.probe_interval)

    async def _probe(self, thing: Thing, plane: PlaneName) -> tuple[Probe | None, str]:
        try:
            async with asyncio.timeout(self._limits.probe_deadline):
                return await self._planes[plane].probe(thing), ""
        except Exception as error:  # noqa: BLE001  a relying party that cannot be asked has not refused
            return None, str(error) or type(error).__name__
