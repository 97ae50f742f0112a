import pytest

from tests.unit.analysis.detectors.traffic import STRANGER, syn, told
from thingstead.analysis.detectors.detector import Severity
from thingstead.analysis.detectors.scene import Scene
from thingstead.identifier import thing_id_from_random

NAME = "lost_contact"
MACS = [bytes([2, 0, 0, 0, 9, number]) for number in range(6)]
THINGS = {mac: thing_id_from_random(mac + bytes(4)) for mac in MACS}


def site(*minutes):
    """Six things, each of which may be silent for so many minutes."""
    spans = [minutes[number % len(minutes)] for number in range(6)]
    return Scene(things=THINGS, intervals={THINGS[mac]: 60.0 * span for mac, span in zip(MACS, spans, strict=True)})


def heard(until, *, macs=MACS, every=30):
    return [syn(at + number, mac=mac) for at in range(0, until, every) for number, mac in enumerate(macs)]


@pytest.mark.requirement("R-39")
def test_things_that_fall_silent_together_are_one_incident():
    (found,) = told(NAME, *heard(600), ticks=range(0, 3600, 30), scene=site(2))
    assert (found.device, found.thing, found.subject) == (b"", None, "site")
    assert (found.severity, len(found.evidence)) == (Severity.INCIDENT, 6)


@pytest.mark.requirement("R-39")
def test_it_is_told_again_when_they_came_back_between():
    again = [syn(2000 + at, mac=mac) for at in range(0, 600, 30) for mac in MACS]
    assert len(told(NAME, *heard(600), *again, ticks=range(0, 6000, 30), scene=site(2))) == 2


@pytest.mark.requirement("R-39")
@pytest.mark.parametrize(
    ("packets", "scene"),
    [
        (heard(600), site(120)),
        (heard(600), site(2, 120, 120)),
        (heard(600, macs=MACS[:2]), site(2)),
        ([*heard(600, macs=MACS[:2]), *heard(3600, macs=MACS[2:])], site(2)),
        (heard(600, macs=[STRANGER]), site(2)),
        (heard(600), Scene(things=THINGS)),
        ([one for number, mac in enumerate(MACS) for one in heard(300 + 300 * number, macs=[mac])], site(2, 120)),
    ],
    ids=["all sleep", "most sleep", "two", "most are heard", "strangers", "nothing planned", "one after the other"],
)
def test_planned_sleep_and_single_losses_are_no_jamming(packets, scene):
    assert not told(NAME, *packets, ticks=range(0, 3600, 30), scene=scene)
