"""The data plane as a process of its own: who lets telemetry in is here, who keeps it is there (ADR 0027).

What came within a second goes over together. The controller reads a value while it passes, and no older one but by an
export, which is on the ledger before it is given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from thingstead.clock import Clock
from thingstead.controller.remote_plane import RemotePlane
from thingstead.domain.crypto_asset import CryptoAsset
from thingstead.domain.plane import OBLIGATIONS, Demand, Finding, PlaneName, Probe, Receipt
from thingstead.domain.ports import Archive, Store
from thingstead.domain.purpose import Purpose
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.identifier import ThingId, TransitionId
from thingstead.planes.data.collector import Collector, ErasureReceipt, ExportPage, Sent
from thingstead.planes.data.gate import Gate, Limits
from thingstead.planes.data.series import Value, kept
from thingstead.transport.engine_socket import EngineSocket

__all__ = ["DATA_CALLS", "DataEngine", "RemoteCollector"]

DATA_CALLS = ("flush", "known", "latest", "everything", "export", "erase")
"""What the data plane is asked beside what each is."""

_BATCH = "~batch"
_MOST = 5_000

_Series = tuple[tuple[ThingId, str], ...]


class DataEngine:
    """The collector, in the process that keeps what it collects.

    Args:
        collector: over the plane's own records.
        records: the same.
    """

    def __init__(self, collector: Collector, records: Archive) -> None:
        self.plane = collector
        self._records = records
        self._taken = self._written = int.from_bytes(records.read(_BATCH) or b"", "big")
        self._flushing = asyncio.Lock()

    async def begin(self, things: tuple[Thing, ...]) -> None:
        """Take telemetry of those whose state says so."""
        await self.plane.resume([one.id for one in things])

    async def flush(self, number: int, values: tuple[Sent, ...]) -> _Series:
        """Keep a batch, once however often it comes; returns series of which nothing is left."""
        async with self._flushing:
            if number > self._taken:
                self.plane.keep(values)
                self._taken = number
            changed = self._taken != self._written
            beside = {_BATCH: self._taken.to_bytes(8, "big")} if changed else None
            over = await self.plane.flush(beside=beside)
            self._written = self._taken
            return over

    def known(self) -> tuple[int, _Series]:
        """The last batch that was kept, and all series of all things."""
        series = [(thing, name) for thing in self.plane.things() for name in self.plane.latest(thing)]
        return self._taken, tuple(series)

    def latest(self, thing: ThingId) -> dict[str, Value]:
        """The newest value of each series of a thing."""
        return self.plane.latest(thing)

    def everything(self) -> dict[ThingId, dict[str, Value]]:
        """The same of every thing of which anything is kept."""
        return self.plane.everything()

    async def export(self, thing: ThingId, actor: str, after: str) -> ExportPage:
        """The next page of what is kept of a thing."""
        return await self.plane.export(thing, actor=actor, after=after)

    async def erase(self, thing: ThingId, actor: str) -> ErasureReceipt:
        """Erase what is kept of a thing."""
        return await self.plane.erase(thing, actor=actor)


class RemoteCollector(RemotePlane):
    """The data plane, asked from where telemetry comes in; fits where a `Collector` does.

    Args:
        engine: where it is.
        store: with the ledger.
        register: the things.
        purposes: declared series.
        clock: for UTC.
        limits: bounds.
    """

    def __init__(
        self,
        engine: EngineSocket,
        *,
        store: Store,
        register: Register,
        purposes: tuple[Purpose, ...],
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(PlaneName.DATA, engine, store=store, standing=lambda: (_admitted(register),))
        self._gate = Gate(purposes=purposes, clock=clock, limits=limits)
        self._waiting: list[Sent] = []
        self._batch: list[Sent] = []
        self._number = 0
        self._flushing = asyncio.Lock()
        self.accepts: Callable[[ThingId], bool] = self._gate.accepts
        self.interval: Callable[[ThingId], timedelta | None] = self._gate.interval

    @property
    def accepted(self) -> int:
        """Values taken since the start."""
        return self._gate.accepted

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """What may be collected."""
        return self._gate.purposes

    async def resume(self, admitted: Iterable[ThingId]) -> None:
        """Go on accepting from the things that were admitted before a restart."""
        self._number, series = await self.ask(tuple[int, _Series], "known")
        for thing, name in series:
            self._gate.know(thing, [name])
        self._gate.admit(admitted)

    def collect(self, thing: ThingId, senml: bytes) -> int:
        """Take one SenML-CBOR pack; all of it or nothing. Returns the number of values; errors as for `Gate.read`."""
        values = self._gate.read(thing, senml)
        self._waiting += [(thing, value.name, value.time, kept(value)) for value in values]
        return len(values)

    async def flush(self) -> None:
        """Hand over what came since the last flush; call about once a second.

        Raises:
            TransportError: nobody is there who keeps it; it waits, and counts as waiting.
        """
        async with self._flushing:
            await self._hand_over()
            while self._waiting:
                await self._hand_over()

    def latest(self, thing: ThingId) -> dict[str, Value]:
        """The newest value of each series; what came within the last second may be missing."""
        return dict(self.ask_now(dict[str, Value], "latest", thing))

    def everything(self) -> Mapping[ThingId, dict[str, Value]]:
        """The same of every thing of which anything is kept."""
        return dict(self.ask_now(dict[ThingId, dict[str, Value]], "everything"))

    async def export(self, thing: ThingId, *, actor: str, after: str = "") -> ExportPage:
        """The next page of everything kept of one thing; its disclosure is on the ledger before this returns."""
        await self.flush()
        page: ExportPage = await self.ask(ExportPage, "export", thing, actor, after)
        return page

    async def erase(self, thing: ThingId, *, actor: str) -> ErasureReceipt:
        """Erase everything kept of one thing; the ledger keeps that, and not what."""
        await self.flush()
        receipt: ErasureReceipt = await self.ask(ErasureReceipt, "erase", thing, actor)
        self._gate.forget(thing)
        return receipt

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Let telemetry in once it is kept."""
        receipt = await super().admit(thing, cause=cause, transition_id=transition_id)
        self._gate.admit([thing.id])
        return receipt

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Let none in, hand over what was taken before, and have none kept."""
        self._gate.bar(thing.id)
        await self.flush()
        return await super().restrict(thing, cause=cause, transition_id=transition_id)

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Let none in, hand over what was taken before, and have none kept ever."""
        self._gate.bar(thing.id)
        await self.flush()
        return await super().withdraw(thing, cause=cause, transition_id=transition_id)

    async def _hand_over(self) -> None:
        """One batch, which stays as it is until somebody has it: it is told by its number whether it came before."""
        if not self._batch:
            self._batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        for thing, name in await self.ask(_Series, "flush", self._number + bool(self._batch), self._batch):
            self._gate.forget(thing, name)
        self._number += bool(self._batch)
        self._gate.settle(len(self._batch))
        self._batch = []

    async def probe(self, thing: Thing) -> Probe:
        """Ask, as its resource does, whether a value would be taken."""
        return self._gate.probe(thing.id)

    def assets(self) -> Sequence[CryptoAsset]:
        """Nothing: what is kept is kept in the clear, on the domain's own disk."""
        return ()

    def findings(self, question: str) -> Sequence[Finding]:
        """What this plane shows for `question`."""
        return self._gate.findings(question)


def _admitted(register: Register) -> tuple[Thing, ...]:
    return tuple(
        one for one in register.things() if OBLIGATIONS[one.state, one.restriction][PlaneName.DATA] is Demand.ADMIT
    )
