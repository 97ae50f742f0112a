"""What the calendar does without being asked."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.expiry_watch import ExpiryWatch
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Cause, LifecycleState
from thingstead.domain.plane import Expiry, PlaneName
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.errors import StorageError
from thingstead.storage.memory import MemoryStore

_S = LifecycleState


class Conductor:
    """Takes every transition for granted, and remembers it."""

    def __init__(self):
        self.asked = []

    async def transition(self, thing, cause, *, actor):
        self.asked.append((thing, cause, actor))


class Full(MemoryStore):
    """A disk that is full at first."""

    full = True

    async def commit(self, unit):
        if self.full:
            raise StorageError("no space")
        return await super().commit(unit)


class Watched:
    def __init__(self, *things, expiries=(), store=None):
        self.clock, self.store = JumpingClock(), store or MemoryStore()
        self.conductor = Conductor()
        conductor: Any = self.conductor
        self.expiries = list(expiries)
        self.watch = ExpiryWatch(
            lambda: self.expiries,
            Register(Snapshot(things, ())),
            conductor=conductor,
            store=self.store,
            clock=self.clock,
        )

    def look(self, *, after=timedelta(0)):
        self.clock.seconds += after.total_seconds()
        asyncio.run(self.watch.look())

    @property
    def told(self):
        return [(one.kind, one.cause, one.details["what"]) for one in map(entry.decode, self.store.leaves())]


def support(days):
    return Expiry("support", AT + timedelta(days=days), (), PlaneName.SOFTWARE, warning=timedelta(days=180))


@pytest.mark.requirement("R-77")
def test_the_end_of_support_is_told_twice_before_and_once_when_it_has_come():
    domain = Watched(expiries=[support(200)])
    days: dict[str, int] = {}
    for left in range(200, -5, -1):
        domain.look(after=timedelta(0) if left == 200 else timedelta(days=1))
        for kind, cause, what in domain.told[len(days) :]:
            assert (kind, what) == (Kind.ALARM, "support")
            days[cause] = left
    assert days == {"soon": 180, "late": 30, "expired": 0}


@pytest.mark.requirement("R-74")
def test_a_credential_of_the_update_path_is_told_with_thirty_days_left():
    domain = Watched(expiries=[Expiry("credential", AT + timedelta(days=90), (), PlaneName.IDENTITY)])
    domain.look(after=timedelta(days=51))
    assert domain.told == []
    domain.look(after=timedelta(days=1))
    assert domain.told == [(Kind.ALARM, "soon", "credential")]


def test_nobody_is_told_twice_and_the_calendar_is_read_once_an_hour():
    domain = Watched(expiries=[support(100)])
    domain.look()
    domain.expiries.append(Expiry("token", AT, (), PlaneName.ACCESS))
    domain.look(after=timedelta(minutes=59))
    assert len(domain.told) == 1
    domain.look(after=timedelta(minutes=1))
    assert [what for _, _, what in domain.told] == ["support", "token"]


def test_what_could_not_be_kept_is_told_at_the_next_look():
    store = Full()
    domain = Watched(expiries=[support(100)], store=store)
    with pytest.raises(StorageError):
        domain.look()
    store.full = False
    domain.look()
    assert len(domain.told) == 1


@pytest.mark.requirement("R-77")
@pytest.mark.parametrize("state", [_S.OPERATIONAL, _S.MAINTENANCE, _S.RE_BOOTSTRAPPING])
def test_a_thing_that_nobody_mends_any_more_comes_to_its_end_of_life(state):
    thing = a_thing(state=state, support_end=AT)
    domain = Watched(thing)
    domain.look()
    assert domain.conductor.asked == [(thing.id, Cause.SUPPORT_ENDED, "calendar")]


@pytest.mark.parametrize(
    "thing",
    [
        a_thing(support_end=AT + timedelta(seconds=1)),
        a_thing(support_end=None),
        a_thing(state=_S.END_OF_LIFE, support_end=AT),
        a_thing(state=_S.INSTALLED, support_end=AT),
        a_thing(state=_S.DECOMMISSIONED, support_end=AT),
    ],
    ids=["supported", "never said", "there already", "not in", "gone"],
)
def test_no_other_thing_does(thing):
    domain = Watched(thing)
    domain.look()
    assert domain.conductor.asked == []
