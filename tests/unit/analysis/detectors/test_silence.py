import dataclasses

import pytest

from tests.unit.analysis.detectors.traffic import LAMP, LAMP_ID, SCENE, STRANGER, syn, told
from thingstead.analysis.detectors.detector import Severity, detectors

NAME = "silence"
HOURLY = dataclasses.replace(SCENE, intervals={LAMP_ID: 3600.0})


@pytest.mark.requirement("R-12")
@pytest.mark.requirement("R-39")
def test_a_thing_that_misses_three_of_its_intervals_is_an_incident_told_once():
    (found,) = told(NAME, syn(0), ticks=(10_000, 10_801, 20_000, 90_000), scene=HOURLY)
    assert (found.device, found.thing, found.severity) == (LAMP, LAMP_ID, Severity.INCIDENT)
    assert (found.first, found.last) == (0, 10_801)


@pytest.mark.requirement("R-12")
def test_who_is_heard_again_is_waited_for_again():
    assert len(told(NAME, syn(0), syn(20_000), ticks=(11_000, 21_000, 40_000), scene=HOURLY)) == 2


@pytest.mark.requirement("R-39")
@pytest.mark.parametrize(
    ("packets", "scene"),
    [
        ([syn(0)], dataclasses.replace(SCENE, intervals={LAMP_ID: 86_400.0})),
        ([syn(0)], SCENE),
        ([syn(0, mac=STRANGER)], HOURLY),
        ([], HOURLY),
        ([syn(at) for at in range(0, 30_000, 3600)], HOURLY),
    ],
    ids=["sleeps as planned", "nothing planned", "no thing", "never heard", "heard"],
)
def test_planned_sleep_is_no_silence(packets, scene):
    assert not told(NAME, *packets, ticks=range(0, 30_000, 600), scene=scene)


def test_a_thing_that_left_is_not_waited_for():
    (one,) = (each for each in detectors() if each.name == NAME)
    one.see(syn(0), HOURLY)
    assert not list(one.tick(30_000, dataclasses.replace(HOURLY, things={})))
    assert not list(one.tick(60_000, HOURLY))
