import asyncio

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.controller.behaviour_watch import BehaviourWatch
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.planes.network.alarm import Alarm, AlarmKind
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.storage.memory import MemoryStore

pytestmark = pytest.mark.requirement("R-30")
LAMP, GONE = a_thing(1), a_thing(2, state=LifecycleState.DECOMMISSIONED)


class Post:
    """A watch, and what the counters say at each look."""

    def __init__(self):
        self.clock, self.store = JumpingClock(), MemoryStore()
        self.kind, self.of = AlarmKind.DEVIATION, LAMP.id
        register = Register(self.store.load())
        self.store.listen(register.follow)
        asyncio.run(self.store.commit(Unit(things=(LAMP, GONE))))
        self.watch = BehaviourWatch(
            self.count, register, runs=lambda _thing: SoftwareRecord(2, "2.0"), store=self.store, clock=self.clock
        )

    async def count(self):
        return (Alarm(self.kind, self.of, self.clock.utc(), "5 packets that no rule allows", 5),)

    def pass_(self, minutes):
        for _ in range(minutes):
            self.clock.seconds += 60.0
            asyncio.run(self.watch.look())

    def alarms(self):
        return [one for one in map(entry.decode, self.store.leaves()) if one.kind is Kind.ALARM]


def test_flows_that_an_update_did_not_announce_are_an_alarm_on_the_ledger_once():
    post = Post()
    post.watch.note(LAMP.id)
    post.pass_(10)
    (alarm,) = post.alarms()
    assert (alarm.thing, alarm.cause, alarm.details["version"]) == (LAMP.id, "new-behaviour", "2.0")
    assert post.watch.watched == 1


@pytest.mark.parametrize(
    ("kind", "of"), [(AlarmKind.MUD_CHANGED, LAMP.id), (AlarmKind.DEVIATION, None), (AlarmKind.DEVIATION, GONE.id)]
)
def test_other_alarms_and_things_that_left_say_nothing_of_an_update(kind, of):
    post = Post()
    post.kind, post.of = kind, of
    post.watch.note(LAMP.id)
    post.watch.note(GONE.id)
    post.pass_(10)
    assert post.alarms() == []


def test_without_an_update_refused_packets_are_the_network_planes_matter_alone():
    post = Post()
    post.pass_(10)
    assert post.alarms() == []
