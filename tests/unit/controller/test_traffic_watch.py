"""Invariant: frames are looked at in batches and within bounds, and no detection is lost for want of a disk."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.controller.traffic_watch import Limits, Surroundings, TrafficWatch
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.name import NameStanding
from thingstead.domain.network import NO_MAC, ThingAddress
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.errors import StorageError
from thingstead.planes.network.rule_book import Reason
from thingstead.protocols.packet.packet import Packet, TcpFlag
from thingstead.storage.memory import MemoryStore

LAMP, GATEWAY = bytes.fromhex("020000000001"), bytes.fromhex("020000000003")
BULB, OTHER = a_thing(1), a_thing(2)
LAMP_ID = BULB.id
PLACE = ThingAddress(LAMP, ip_address("192.168.1.11"))


class Wire:
    """A tap with frames of our own."""

    macs = frozenset({GATEWAY})
    addresses = frozenset({ip_address("192.168.1.1").packed, ip_address("2001:db8::1").packed})

    def __init__(self):
        self.frames: list[bytes] = []
        self.port = ""
        self.steps: list[str] = []
        self.told: Callable[[], None] = self.frames.clear

    def refresh(self):
        self.steps.append("refresh")

    def take(self, most):
        taken, self.frames = self.frames[:most], self.frames[most:]
        return [(frame, len(frame), self.port) for frame in taken]

    def lost(self):
        return 7

    def listen(self, on_frames):
        self.told = on_frames

    def pause(self):
        self.steps.append("pause")

    def resume(self):
        self.steps.append("resume")

    def close(self):
        self.steps.append("close")


def syn(number, *, port=23, mac=LAMP):
    """A frame in which the lamp asks for a connection."""
    tcp = (40_000).to_bytes(2) + port.to_bytes(2) + bytes(8) + bytes([0x50, TcpFlag.SYN]) + bytes(6)
    ends = ip_address("192.168.1.11").packed + bytes([203, 0, 113, number])
    header = bytes([0x45, 0]) + (40).to_bytes(2) + bytes([0, 0, 0, 0, 64, 6, 0, 0]) + ends
    return GATEWAY + mac + b"\x08\x00" + header + tcp


class Stand:
    """A watch, its wire, and what it told."""

    def __init__(self, *things, places=None, failures=0, remembers=None, after=0.0, **limits):
        self.clock, self.wire, self.told, self.failures = JumpingClock(), Wire(), [], failures
        self.clock.seconds += after
        self.named: list[NameStanding] = []
        self.rules: set[str] = set()
        store = MemoryStore()
        self.register = Register(store.load())
        store.listen(self.register.follow)
        asyncio.run(store.commit(Unit(things=things or (BULB,))))
        self.places = {LAMP_ID: (PLACE,)} if places is None else places
        surroundings = Surroundings(
            self.register,
            lambda: dict(self.places),
            interval=lambda thing: timedelta(minutes=10) if thing == LAMP_ID else None,
            longest=timedelta(hours=1),
            gateways=frozenset({b"router"}),
            named=lambda: self.named,
            explain=self.explain,
        )
        self.watch = TrafficWatch(self.wire, surroundings, alarm=self.alarm, clock=self.clock, limits=Limits(**limits))
        if remembers is not None:
            self.watch.take_up(remembers)
        self.watch.begin()

    async def explain(self, thing, flows):
        return [Reason(str(ip_address(one.remote)) in self.rules, "maker", "", "") for one in flows]

    async def alarm(self, detection):
        if self.failures:
            self.failures -= 1
            raise StorageError("the disk is full")
        self.told.append(detection)

    def passing(self, *frames, port=""):
        self.wire.port = port
        self.wire.frames += frames
        while self.wire.frames:
            self.wire.told()


def test_what_is_found_in_frames_is_answered_with_the_thing_named():
    stand = Stand()
    stand.passing(*[syn(number) for number in range(1, 21)])
    asyncio.run(stand.watch.answer())
    (found,) = stand.told
    assert (found.detector, found.thing, found.device) == ("horizontal_scan", LAMP_ID, LAMP)
    assert (stand.watch.seen, stand.watch.told, stand.watch.lost) == (20, {"horizontal_scan": 1}, 7)


SCAN = [syn(number) for number in range(1, 21)]


@pytest.mark.requirement("R-34")
def test_what_is_sent_under_a_things_address_from_another_port_accuses_nobody_and_names_the_port():
    stand = Stand()
    stand.passing(syn(1), port="lan1")
    stand.passing(*SCAN, port="lan2")
    asyncio.run(stand.watch.answer())
    (found,) = stand.told
    assert (found.detector, found.thing, found.device) == ("horizontal_scan", None, LAMP + b"lan2")


@pytest.mark.requirement("R-34")
def test_nothing_adds_up_of_what_a_thing_does_and_another_under_its_address():
    stand = Stand()
    stand.passing(*SCAN[:10], port="lan1")
    stand.passing(*SCAN[10:], port="lan2")
    assert not stand.watch.told


@pytest.mark.requirement("R-34")
def test_a_thing_that_moved_answers_for_itself_where_it_shows_its_keys():
    stand = Stand()
    stand.watch.verify(OTHER.id)
    stand.passing(syn(1), port="lan1")
    for _ in range(2):
        stand.clock.seconds += 10
        stand.watch.verify(LAMP_ID)
    stand.clock.seconds += 6
    stand.passing(*SCAN, port="lan2")
    asyncio.run(stand.watch.answer())
    assert [one.thing for one in stand.told] == [LAMP_ID]


@pytest.mark.requirement("R-34")
def test_who_sends_under_this_machines_own_address_is_no_gateway():
    stand = Stand()
    stand.passing(*[syn(number, mac=GATEWAY) for number in range(1, 21)], port="lan2")
    asyncio.run(stand.watch.answer())
    assert [(one.thing, one.device) for one in stand.told] == [(None, GATEWAY + b"lan2")]


def test_a_detection_that_could_not_be_written_down_is_tried_again():
    stand = Stand(failures=1)
    stand.passing(*[syn(number) for number in range(1, 21)])
    with pytest.raises(StorageError):
        asyncio.run(stand.watch.answer())
    asyncio.run(stand.watch.answer())
    assert len(stand.told) == 1


def test_detections_beyond_the_bound_are_counted():
    stand = Stand(waiting=1)
    stand.passing(*[syn(number, port=port) for port in (22, 23) for number in range(1, 21)])
    assert stand.watch.overlooked == stand.watch.told.total() - 1 > 0


def test_frames_that_are_none_are_counted_and_do_no_harm():
    stand = Stand()
    stand.passing(b"", b"short", syn(1)[:20], bytes(14) + b"\xff" * 40, syn(1)[:14] + b"\x45" + bytes(20))
    assert stand.watch.refused >= 2
    assert not stand.watch.told


def test_one_wake_up_takes_a_batch():
    stand = Stand(batch=3)
    stand.wire.frames = [syn(1)] * 5
    stand.wire.told()
    assert stand.watch.seen == 3


def test_a_flood_is_not_read_until_the_next_look():
    stand = Stand(batch=4, per_look=8)
    stand.passing(*[syn(1)] * 8)
    assert stand.wire.steps[1:] == ["pause"]
    asyncio.run(stand.watch.look())
    assert stand.wire.steps[1:] == ["pause", "resume"]


def test_frames_that_take_their_time_are_not_read_until_the_next_look():
    stand = Stand(batch=4, busy=0.3)

    def slow(_packet):
        stand.clock.seconds += 0.05

    stand.watch.listeners.append(slow)
    for pauses in ([], ["pause"]):
        stand.passing(*[syn(1)] * 4)
        assert stand.wire.steps[1:] == pauses
    asyncio.run(stand.watch.look())
    stand.passing(*[syn(1)] * 4)
    assert stand.wire.steps[1:] == ["pause", "resume"]


def test_others_are_shown_every_packet():
    stand = Stand()
    shown: list[Packet] = []
    stand.watch.listeners.append(shown.append)
    stand.passing(syn(1), b"no frame", syn(2))
    assert [packet.destination[3] for packet in shown] == [1, 2]


@pytest.mark.requirement("R-39")
def test_silence_is_found_though_nothing_comes():
    stand = Stand()
    stand.passing(syn(1))
    for _ in range(4):
        stand.clock.seconds += 600
        asyncio.run(stand.watch.look())
    asyncio.run(stand.watch.answer())
    assert [found.detector for found in stand.told] == ["silence"]


def beacons(port=6667):
    """The same host asked eight times by the clock, each time from a port of its own."""
    return [syn(7, port=port)[:34] + (50_000 + number).to_bytes(2) + syn(7, port=port)[36:] for number in range(8)]


@pytest.mark.parametrize(("named", "told"), [(True, {}), (False, {"beaconing": 1})], ids=["named by a rule", "unknown"])
def test_whom_rules_name_is_known_after_a_restart(named, told):
    stand = Stand()
    stand.named += [NameStanding("cloud.example.com", ((bytes([203, 0, 113, 7]), 0),), "")] if named else []
    stand.watch._look_around()
    for frame in beacons():
        stand.clock.seconds += 60
        stand.passing(frame)
    assert stand.watch.told == told


def test_the_site_is_looked_at_anew_now_and_then():
    stand = Stand(scene=5.0)
    stand.places.clear()
    for seconds, known in ((1, 1), (5, 0)):
        stand.clock.seconds += seconds
        asyncio.run(stand.watch.look())
        assert len(stand.watch._panel.scene.things) == known


@pytest.mark.requirement("R-30")
def test_an_update_is_told_to_the_detectors():
    stand = Stand()
    stand.watch.note(LAMP_ID)
    stand.watch._look_around()
    assert stand.watch._panel.scene.installs == {LAMP_ID: stand.clock.utc().timestamp()}


def test_it_looks_no_more_when_it_is_closed():
    stand = Stand()
    stand.watch.close()
    assert stand.wire.steps == ["refresh", "close"]


def scene(*things, places):
    return Stand(*things, places=places).watch._panel.scene


def test_the_scene_is_the_register_where_the_network_has_it():
    seen = scene(BULB, places={LAMP_ID: (PLACE,)})
    assert seen.things == {LAMP: LAMP_ID}
    assert seen.addresses == {PLACE.ip.packed: LAMP}
    assert seen.gateways == {GATEWAY, b"router"}
    assert seen.intervals == {LAMP_ID: 600.0}
    assert not seen.is_outside(ip_address("2001:db8::5").packed), "on a link of ours"
    assert not seen.is_outside(ip_address("fe80::5").packed)
    assert seen.is_outside(ip_address("2001:db8:1::5").packed)


@pytest.mark.parametrize(
    ("thing", "place"),
    [
        (a_thing(1, state=LifecycleState.DECOMMISSIONED), PLACE),
        (OTHER, PLACE),
        (BULB, ThingAddress(NO_MAC, PLACE.ip)),
    ],
    ids=["left", "unknown", "behind a router"],
)
def test_who_is_not_there_is_not_in_the_scene(thing, place):
    seen = scene(thing, places={LAMP_ID: (place,)})
    assert not seen.things
    assert not seen.addresses


@pytest.mark.requirement("R-39")
def test_who_is_cut_off_is_not_waited_for():
    seen = scene(replace(BULB, restriction=Restriction.QUARANTINED), places={LAMP_ID: (PLACE,)})
    assert seen.things
    assert not seen.intervals


def mailed(stand, number, times=3):
    """The lamp sends mail to a server outside, from another port each time."""
    frames = [syn(number, port=465) for _ in range(times)]
    stand.passing(*[one[:34] + (41_000 + at).to_bytes(2) + one[36:] for at, one in enumerate(frames)])
    asyncio.run(stand.watch.answer())
    return stand.told


@pytest.mark.requirement("R-38")
def test_mail_that_the_thing_s_rules_allow_is_no_alarm_and_mail_to_another_is_one_at_once():
    stand = Stand()
    stand.rules.add("203.0.113.77")
    assert mailed(stand, 77) == []
    assert stand.watch.allowed == 1
    (found,) = mailed(stand, 99)
    assert (found.detector, found.thing) == ("mail", LAMP_ID)


@pytest.mark.requirement("R-38")
def test_mail_is_an_alarm_where_the_rules_let_the_thing_speak_to_anybody():
    stand = Stand()
    stand.rules |= {"203.0.113.77", "192.0.2.1"}
    assert [one.detector for one in mailed(stand, 77)] == ["mail"]
    assert stand.watch.allowed == 0


@pytest.mark.requirement("R-38")
def test_a_scan_is_an_attack_whomever_the_rules_name():
    stand = Stand()
    stand.rules |= {f"203.0.113.{number}" for number in range(1, 21)}
    stand.passing(*[syn(number) for number in range(1, 21)])
    asyncio.run(stand.watch.answer())
    assert [one.detector for one in stand.told] == ["horizontal_scan"]
