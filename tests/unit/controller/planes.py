"""A plane that does what it is told and remembers it, a clock that jumps, and a domain of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from tests.unit.domain.things import AT
from thingstead.controller.conductor import Conductor, Limits
from thingstead.controller.kill_clock import KillClock
from thingstead.domain.crypto_asset import CryptoAsset
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt, Standing
from thingstead.domain.ports import Store
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.errors import TransportError
from thingstead.identifier import ThingId, TransitionId


class JumpingClock:
    """Time passes only when someone waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def utc(self) -> datetime:
        return AT + timedelta(seconds=self.seconds)

    async def wait(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


class FakePlane:
    """Standing per thing; a demand takes so many `turns` of the event loop."""

    def __init__(self, name: PlaneName, clock: JumpingClock) -> None:
        self._name = name
        self._clock = clock
        self.calls: list[tuple[ThingId, Demand, TransitionId]] = []
        self.standing: dict[ThingId, Standing] = {}
        self.fail: Callable[[Demand], Exception | None] = lambda _demand: None
        self.gate: asyncio.Event | None = None
        self.turns = 0
        self.probes: Callable[[Thing], Probe] = self._own_probe

    @property
    def name(self) -> PlaneName:
        return self._name

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        return await self._meet(thing, Demand.ADMIT, transition_id, Standing.ACCEPTED)

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        cut_off = thing.restriction is Restriction.QUARANTINED
        standing = Standing.REFUSED if cut_off else Standing.RESTRICTED
        return await self._meet(thing, Demand.RESTRICT, transition_id, standing)

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        return await self._meet(thing, Demand.WITHDRAW, transition_id, Standing.REFUSED)

    async def probe(self, thing: Thing) -> Probe:
        return self.probes(thing)

    def expiries(self) -> Sequence[Expiry]:
        return ()

    def assets(self) -> Sequence[CryptoAsset]:
        return ()

    def findings(self, question: str) -> Sequence[Finding]:
        return ()

    def snapshot(self) -> Mapping[str, bytes]:
        return {}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        pass

    async def _meet(self, thing: Thing, demand: Demand, transition_id: TransitionId, standing: Standing) -> Receipt:
        self.calls.append((thing.id, demand, transition_id))
        failure = self.fail(demand)
        if failure is not None:
            raise failure
        if self.gate is not None:
            await self.gate.wait()
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.standing[thing.id] = standing
        return Receipt(self._name, thing.id, demand, transition_id, self._clock.utc(), "done")

    def _own_probe(self, thing: Thing) -> Probe:
        standing = self.standing.get(thing.id, Standing.ABSENT)
        return Probe(self._name, thing.id, standing, "peer", self._clock.utc())


class House:
    """A conductor over fake planes and a given store; `House(store)` again is the next life after a crash."""

    def __init__(
        self, store: Store, limits: Limits | None = None, planes: dict[PlaneName, FakePlane] | None = None
    ) -> None:
        self.clock = JumpingClock()
        self.planes = planes or {name: FakePlane(name, self.clock) for name in PlaneName}
        self.store = store
        self.register = Register(store.load())
        store.listen(self.register.follow)
        self.conductor = Conductor(
            self.planes.values(),
            self.register,
            store=store,
            clock=self.clock,
            limits=limits,
            wait=self.clock.wait,
        )
        self.kill_clock = KillClock(
            self.planes.values(), self.register, store=store, clock=self.clock, wait=self.clock.wait
        )

    def entries(self, kind: Kind) -> list[Entry]:
        return [one for one in map(entry.decode, self.store.leaves()) if one.kind is kind]


def down(_demand: Demand) -> Exception:
    return TransportError("the relying party is down")


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks run, turn by turn, until `condition` holds."""
    while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
        await asyncio.sleep(0)
