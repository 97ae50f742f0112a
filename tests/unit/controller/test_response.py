"""An alarm cuts its thing off on all planes, within bounds, after it is on the ledger, and one command undoes it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.controller.planes import House, down
from tests.unit.domain.things import AT, a_thing
from thingstead.analysis.detectors.detector import Detection
from thingstead.controller.response import DOCUMENTS, Limits, Responder
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Cause, Restriction
from thingstead.domain.plane import PlaneName
from thingstead.domain.response_policy import ResponsePolicy, Severity
from thingstead.domain.unit import Unit
from thingstead.errors import ConfigError, StorageError, TransitionError
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-38")
ZONES = ("hall", "hall", "hall", "hall", "cellar")
THINGS = [a_thing(number, zone=zone) for number, zone in enumerate(ZONES)]
LAMP = THINGS[0].id


DETECTION = Detection(
    detector="scan",
    device=bytes(6),
    thing=LAMP,
    subject="tcp 23",
    first=AT.timestamp() - 1.5,
    last=AT.timestamp(),
    evidence=("tcp 192.0.2.9:23", "tcp 192.0.2.10:23"),
    rule="20 hosts in 10 s",
    explanation="it tries many hosts on one port",
    severity=Severity.ALARM,
)


class Disk(MemoryStore):
    """Refuses from some commit on."""

    left = 10_000

    async def commit(self, unit):
        if self.left <= 0:
            raise StorageError("full")
        self.left -= 1
        return await super().commit(unit)


class Home:
    def __init__(self, policy=None, limits=None, things=THINGS):
        self.store, self.policy, self.limits = Disk(), policy or ResponsePolicy(), limits
        asyncio.run(self.store.commit(Unit(things=tuple(things))))
        self.restart()

    def restart(self):
        self.house = House(self.store)
        self.clock = self.house.clock
        self.responder = Responder(
            self.house.conductor,
            self.house.register,
            records=PlaneRecords(PlaneName.NETWORK, self.store, prefix=DOCUMENTS),
            policy=lambda: self.policy,
            clock=self.clock,
            limits=self.limits,
        )
        self.store.listen(self.responder.follow)
        return self

    def alarm(self, **changes):
        return asyncio.run(self.responder.alarm(replace(DETECTION, **changes)))

    def undo(self, response, actor="owner"):
        return asyncio.run(self.responder.undo(response.id, actor=actor))

    def restriction(self, thing=LAMP):
        return self.house.register.thing(thing).restriction

    def alarms(self):
        return self.house.entries(Kind.ALARM)


def test_a_detection_cuts_its_thing_off_on_six_planes_each_timed():
    home = Home()
    response = home.alarm()
    assert home.restriction() is Restriction.QUARANTINED
    assert [one.plane for one in response.planes] == list(PlaneName)
    assert all(one.milliseconds is not None and one.detail == "done" for one in response.planes)
    assert response.noticed_after == 1500
    assert home.responder.responses() == (response,)


def test_the_evidence_is_on_the_ledger_before_the_thing_is_cut_off():
    home = Home()
    response = home.alarm()
    (alarm,), (cut,) = home.alarms(), home.house.entries(Kind.RESTRICTION)
    assert alarm.index < cut.index
    assert (alarm.actor, alarm.cause, alarm.thing) == ("detector:scan", "scan", LAMP)
    assert alarm.details["evidence"] == "tcp 192.0.2.9:23; tcp 192.0.2.10:23"
    assert alarm.details["response"] == cut.details["response"] == response.id
    assert (cut.actor, cut.cause, cut.details["to"]) == ("response", "scan", "quarantined")


def test_what_cannot_be_put_on_the_ledger_cuts_nobody_off():
    home = Home()
    home.store.left = 0
    with pytest.raises(StorageError):
        home.alarm()
    assert home.restriction() is Restriction.NONE
    assert home.responder.responses() == ()


@pytest.mark.parametrize(
    ("policy", "changes", "because"),
    [
        (ResponsePolicy(), {"severity": Severity.INCIDENT}, "incident is less"),
        (ResponsePolicy(quarantine_from=None), {"severity": Severity.ALARM}, "never"),
        (ResponsePolicy(never=("sc*",)), {}, "sc*"),
        (ResponsePolicy(), {"thing": None}, "no thing of ours"),
    ],
)
def test_what_the_policy_does_not_say_is_told_and_no_more(policy, changes, because):
    home = Home(policy)
    assert home.alarm(**changes) is None
    (alarm,) = home.alarms()
    assert because in alarm.details["response"]
    assert home.restriction() is Restriction.NONE
    assert home.house.entries(Kind.RESTRICTION) == []


def test_never_the_whole_site_whatever_the_detectors_say():
    home = Home(ResponsePolicy(share=0.5, per_hour=100), things=[a_thing(number) for number in range(20)])
    cut = [home.alarm(thing=a_thing(number).id, device=bytes([number])) for number in range(20)]
    assert sum(one is not None for one in cut) == 10
    assert home.responder.withheld == 10
    assert "of its zone are cut off" in home.alarms()[-1].details["response"]


def test_a_zone_has_a_bound_of_its_own():
    home = Home()
    assert home.alarm() is not None
    assert home.alarm(thing=THINGS[1].id) is None
    home = Home(ResponsePolicy(share=0.5))
    assert [home.alarm(thing=one.id) is None for one in THINGS] == [False, False, True, True, True]


def test_not_many_within_an_hour_and_some_again_after_it():
    home = Home(ResponsePolicy(per_hour=1, share=0.5))
    first = home.alarm()
    assert home.alarm(thing=THINGS[1].id) is None
    home.clock.seconds += 3600
    assert home.alarm(thing=THINGS[1].id) is not None
    assert first.is_open


def test_one_command_undoes_it_on_all_planes():
    home = Home()
    ended = home.undo(home.alarm(), actor="maintainer:ben")
    assert home.restriction() is Restriction.NONE
    assert (ended.is_open, ended.ended_by) == (False, "maintainer:ben")
    assert home.house.entries(Kind.RESTRICTION)[-1].details["response"] == ended.id
    assert home.restart().responder.responses() == (ended,)


def test_who_is_cut_off_is_counted_until_it_is_let_go():
    home = Home()
    assert home.responder.cut_off == 0
    response = home.alarm()
    assert home.responder.cut_off == 1
    home.undo(response)
    assert home.responder.cut_off == 0


def test_undoing_leads_back_to_what_was_held_against_it_before():
    home = Home(things=[a_thing(restriction=Restriction.HELD)])
    home.undo(home.alarm())
    assert home.restriction() is Restriction.HELD


def test_who_was_let_go_is_not_cut_off_by_the_same_word_at_once():
    home = Home()
    home.undo(home.alarm())
    assert home.alarm() is None
    assert home.alarm(detector="flood") is not None
    home = Home()
    home.undo(home.alarm())
    home.clock.seconds += 86_400
    assert home.alarm() is not None


def test_whose_time_is_over_is_let_go_by_itself_and_cut_off_by_the_next_word():
    home = Home(ResponsePolicy(lift=timedelta(hours=8)))
    response = home.alarm()
    home.clock.seconds += 8 * 3600 - 1
    asyncio.run(home.responder.tidy())
    assert home.restriction() is Restriction.QUARANTINED
    home.clock.seconds += 1
    asyncio.run(home.responder.tidy())
    assert home.restriction() is Restriction.NONE
    (ended,) = home.responder.responses()
    assert (ended.id, ended.ended_by) == (response.id, "clock")
    assert home.restart().alarm() is not None


def test_without_a_time_nobody_is_let_go_by_itself():
    home = Home()
    home.alarm()
    home.clock.seconds += 366 * 86_400
    asyncio.run(home.responder.tidy())
    assert home.restriction() is Restriction.QUARANTINED


def test_whom_a_person_cut_off_no_time_lets_go():
    home = Home(ResponsePolicy(lift=timedelta(hours=1)))
    home.alarm()
    conductor = home.house.conductor
    asyncio.run(conductor.restrict(LAMP, Restriction.NONE, actor="owner", cause="operator"))
    asyncio.run(conductor.restrict(LAMP, Restriction.QUARANTINED, actor="owner", cause="operator"))
    home.clock.seconds += 7200
    asyncio.run(home.responder.tidy())
    assert home.restriction() is Restriction.QUARANTINED


def test_what_is_undone_is_not_undone_again():
    home = Home()
    response = home.alarm()
    home.undo(response)
    with pytest.raises(TransitionError, match="let go by owner"):
        home.undo(response)


def test_nobody_is_let_go_by_a_name_that_is_none():
    with pytest.raises(ConfigError, match="no response"):
        asyncio.run(Home().responder.undo("x" * 99, actor="owner"))


def test_an_undo_does_not_lift_what_somebody_else_began_since():
    home = Home()
    response, conductor = home.alarm(), home.house.conductor
    asyncio.run(conductor.restrict(LAMP, Restriction.NONE, actor="owner", cause="operator"))
    asyncio.run(conductor.restrict(LAMP, Restriction.QUARANTINED, actor="owner", cause="operator"))
    with pytest.raises(TransitionError, match="by owner"):
        home.undo(response)
    assert home.restriction() is Restriction.QUARANTINED


def test_a_response_ends_with_the_thing():
    home = Home()
    home.alarm()
    asyncio.run(home.house.conductor.transition(LAMP, Cause.RETIRED, actor="owner"))
    (ended,) = home.responder.responses()
    assert not ended.is_open
    assert home.alarm() is None


def test_who_is_cut_off_already_is_not_cut_off_again():
    home = Home()
    home.alarm()
    assert home.alarm(detector="flood", device=b"\1") is None
    assert len(home.house.entries(Kind.RESTRICTION)) == 1
    assert len(home.responder.responses()) == 1


def test_two_words_at_one_time_cut_off_once():
    home = Home()

    async def both():
        return await asyncio.gather(
            *[home.responder.alarm(replace(DETECTION, detector=name)) for name in ("scan", "flood")]
        )

    assert sum(one is not None for one in asyncio.run(both())) == 1


def test_a_plane_that_is_down_does_not_stop_the_others_and_is_named():
    home = Home()
    home.house.planes[PlaneName.NETWORK].fail = down
    parts = {one.plane: one for one in home.alarm().planes}
    assert parts[PlaneName.NETWORK].milliseconds is None
    assert "down" in parts[PlaneName.NETWORK].detail
    assert all(parts[name].milliseconds is not None for name in PlaneName if name is not PlaneName.NETWORK)


def test_the_same_word_again_and_again_is_written_once_an_hour():
    home = Home(ResponsePolicy(quarantine_from=None))
    for _ in range(10):
        home.alarm()
    assert len(home.alarms()) == 1
    home.clock.seconds += 3600
    home.alarm()
    assert len(home.alarms()) == 2


def test_strangers_do_not_fill_the_ledger():
    home = Home(limits=Limits(strangers_per_hour=3, remembered=2))
    for number in range(10):
        home.alarm(thing=None, device=bytes([number]))
    assert len(home.alarms()) == 3
    assert len(home.responder._told) == 2


def test_a_crash_before_anybody_was_cut_off_leaves_no_response_behind():
    home = Home()
    home.store.left = 1
    with pytest.raises(StorageError):
        home.alarm()
    home.store.left = 100
    assert home.restart().responder.responses() == ()
    asyncio.run(home.responder.tidy())
    assert list(home.store.documents(PlaneName.NETWORK)) == []
    assert home.alarm() is not None


def test_after_a_restart_who_is_cut_off_is_still_counted_and_can_be_let_go():
    home = Home()
    response = home.alarm()
    home.restart()
    assert home.alarm(thing=THINGS[1].id) is None
    assert not home.undo(response).is_open


def test_who_was_let_go_while_nobody_wrote_it_down_is_noticed_at_the_start():
    home = Home()
    home.alarm()
    asyncio.run(home.house.conductor.restrict(LAMP, Restriction.NONE, actor="owner", cause="operator"))
    (ended,) = home.restart().responder.responses()
    assert (ended.is_open, ended.ended_by) == (False, "somebody")


def test_what_ended_long_ago_is_forgotten():
    home = Home(ResponsePolicy(rest=timedelta(0)), Limits(kept=2))
    for _ in range(4):
        home.clock.seconds += 1
        home.undo(home.alarm())
    assert len(home.responder.responses()) == 2
    assert len(list(home.store.documents(PlaneName.NETWORK))) == 2
