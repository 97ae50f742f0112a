from datetime import UTC, datetime

import pytest

from thingstead.domain.network import Traffic
from thingstead.identifier import ThingId
from thingstead.planes.network.alarm import AlarmKind
from thingstead.planes.network.deviation import Deviations

AT = datetime(2026, 11, 24, tzinfo=UTC)
LAMP, PLUG = ThingId("lamp"), ThingId("plug")


@pytest.mark.requirement("R-80")
def test_more_refused_packets_than_before_are_told_of_whom_they_are():
    deviations = Deviations()
    assert deviations.since([Traffic(LAMP, 9, 0), Traffic(PLUG, 9, 2)], AT)[0].thing == PLUG
    (alarm,) = deviations.since([Traffic(LAMP, 9, 0), Traffic(PLUG, 20, 5)], AT)
    assert (alarm.kind, alarm.at, alarm.packets) == (AlarmKind.DEVIATION, AT, 3)
    assert alarm.detail == "3 packets that no rule allows, 5 in all"


@pytest.mark.parametrize(
    "counters",
    [[], [Traffic(LAMP, 90, 4)], [Traffic(PLUG, 5, 0)], [Traffic(LAMP, 1, 1)]],
    ids=["nothing", "as many as before", "none of another", "counted anew since it was admitted again"],
)
def test_what_is_no_more_than_before_is_not_told(counters):
    deviations = Deviations()
    deviations.since([Traffic(LAMP, 9, 4)], AT)
    assert deviations.since(counters, AT) == ()


def test_after_its_counter_began_anew_each_packet_is_told_again():
    deviations = Deviations()
    deviations.since([Traffic(LAMP, 9, 4)], AT)
    deviations.since([Traffic(LAMP, 0, 0)], AT)
    assert [one.packets for one in deviations.since([Traffic(LAMP, 2, 2)], AT)] == [2]
    assert deviations.packets_refused == 2
