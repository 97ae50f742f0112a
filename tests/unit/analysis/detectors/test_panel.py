"""Invariant: one finding is told once in a while, and strangers push no thing out of memory."""

from tests.unit.analysis.detectors.traffic import (
    GATEWAY,
    GATEWAY_IP,
    LAMP,
    LAMP_ID,
    REMOTE_IP,
    SCENE,
    STRANGER,
    packet,
    syn,
)
from thingstead.analysis.detectors.detector import Detection, Detector, Severity
from thingstead.analysis.detectors.panel import Limits, Panel


class Cry(Detector):
    """Tells of every packet and of every tick."""

    name, spec, rule, severity = "cry", "", "each", Severity.NOTICE

    def see(self, packet, scene):
        yield self.found(
            packet.source_mac,
            scene,
            subject=str(packet.destination_port),
            seen=(packet.at, packet.at),
            evidence=map(str, range(20)),
            why="It sends.",
        )

    def tick(self, now, scene):
        yield self.found(LAMP, scene, subject="time", seen=(now, now), evidence=(), why="It is late.")


class Deaf(Detector):
    """Looks at nothing."""

    name, spec, rule = "deaf", "", "none"


def cries(**limits):
    return Panel(SCENE, panel=[Cry(), Deaf()], limits=Limits(**limits))


def test_a_finding_names_the_thing_and_keeps_little_evidence():
    (found,) = cries().see(syn(5.0))
    assert found == Detection(
        "cry", LAMP, LAMP_ID, "80", 5.0, 5.0, tuple("01234567"), "each", "It sends.", Severity.NOTICE
    )


def test_a_finding_is_told_again_after_an_hour_only():
    panel = cries()
    assert [len(panel.see(syn(at))) for at in (0, 1, 3599, 3600, 3601)] == [1, 0, 0, 1, 0]
    assert panel.again == {"cry": 3}


def test_another_device_or_subject_is_another_finding():
    panel = cries()
    assert [len(panel.see(one)) for one in (syn(0), syn(1, port=23), syn(2, mac=STRANGER))] == [1, 1, 1]


def test_time_alone_is_told_of_too():
    assert [one.subject for one in cries().tick(7.0)] == ["time"]


def test_what_a_gateway_passes_on_was_seen_before():
    panel = cries()
    assert not panel.see(syn(0, mac=GATEWAY))
    assert panel.see(packet(0, mac=GATEWAY, source=GATEWAY_IP))
    assert panel.see(packet(0, mac=GATEWAY, source=REMOTE_IP, ports=(1, 2)))


def test_strangers_beyond_the_limit_are_counted_and_not_looked_at():
    panel = cries(max_strangers=2)
    macs = [bytes([2, 0, 0, 0, 1, number]) for number in range(4)]
    assert [len(panel.see(syn(0, mac=mac))) for mac in macs] == [1, 1, 0, 0]
    assert panel.unseen == 2
    assert panel.see(syn(0)), "a thing is looked at all the same"
    assert panel.see(syn(3600, mac=macs[3])), "and others in another hour"


def test_what_was_told_is_remembered_within_bounds():
    panel = cries(max_told=2)
    for port in range(1, 4):
        panel.see(syn(0, port=port))
    assert len(panel.see(syn(1, port=1))) == 1
