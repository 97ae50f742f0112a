"""Invariant: what took days to learn outlasts a restart, and a damaged document is refused whole."""

import asyncio
from ipaddress import ip_address

import pytest

from tests.unit.controller.test_traffic_watch import GATEWAY, LAMP, LAMP_ID, SCAN, Stand, syn
from tests.unit.planes.network.fakes import Shelf
from thingstead.controller.detector_memory import DetectorMemory
from thingstead.domain.name import NameStanding
from thingstead.errors import DecodeError, StorageError
from thingstead.protocols.cbor import codec

HOUR, DAY = 3600.0, 86_400.0
CLOUD = ip_address("203.0.113.9").packed


def kept(stand):
    document = stand.watch.kept()
    assert document is not None
    return document


def restart(stand, after=60.0, **given):
    """The same home, later, with what was written down."""
    return Stand(remembers=kept(stand), after=stand.clock.seconds + after, **given)


def speaks(stand, *numbers, every=70.0):
    for number in numbers:
        stand.passing(syn(number, port=443))
        stand.clock.seconds += every


def names(stand):
    asyncio.run(stand.watch.look())
    return set(stand.watch.told)


@pytest.mark.requirement("R-30")
def test_whom_a_thing_knew_before_a_restart_is_nothing_new_after_its_update():
    before = Stand()
    speaks(before, 9, 9, 9)
    after = restart(before)
    after.watch.note(LAMP_ID)
    after.clock.seconds += 10
    names(after)
    speaks(after, 9, 9, 9, 9)
    assert after.watch.told["new_destination"] == 0
    speaks(after, 10, 10, 10, 10)
    assert "new_destination" in names(after)


@pytest.mark.requirement("R-30")
def test_whom_a_thing_speaks_to_after_an_update_is_found_though_the_controller_was_started_anew_between():
    before = Stand()
    speaks(before, 9, 9, 9)
    before.watch.note(LAMP_ID)
    after = restart(before)
    speaks(after, 10, 10, 10, 10)
    assert "new_destination" in names(after)


@pytest.mark.requirement("R-34")
def test_who_forges_a_thing_s_address_at_once_after_a_restart_is_told_by_its_port():
    before = Stand()
    before.passing(syn(1), port="lan1")
    before.clock.seconds += 700
    before.passing(syn(1), port="lan1")
    after = restart(before)
    after.passing(*SCAN, port="lan2")
    asyncio.run(after.watch.answer())
    assert {(one.thing, one.device) for one in after.told} == {(None, LAMP + b"lan2")}


def test_a_thing_that_was_behind_a_port_a_week_ago_is_learned_anew():
    before = Stand()
    before.passing(syn(1), port="lan1")
    before.clock.seconds += 700
    before.passing(syn(1), port="lan1")
    after = restart(before, 8 * DAY)
    after.passing(*SCAN, port="lan2")
    asyncio.run(after.watch.answer())
    assert {one.thing for one in after.told} == {LAMP_ID}


def test_a_beacon_is_found_though_the_controller_was_started_anew_between():
    before = Stand()
    for number in range(4):
        before.passing(syn(9)[:34] + (41_000 + number).to_bytes(2) + syn(9)[36:])
        before.clock.seconds += HOUR
    after = restart(before, 0.0)
    for number in range(4, 8):
        after.passing(syn(9)[:34] + (41_000 + number).to_bytes(2) + syn(9)[36:])
        after.clock.seconds += HOUR
    assert after.watch.told["beaconing"] == 1


def test_what_an_address_was_looked_up_as_is_known_after_a_restart():
    before = Stand()
    before.named.append(NameStanding("cloud.acme.example", ((CLOUD, 60),), ""))
    before.clock.seconds += 10
    asyncio.run(before.watch.look())
    after = restart(before)
    assert after.watch._panel.scene.names.names_of(CLOUD, after.clock.utc().timestamp()) == ("cloud.acme.example",)


def test_who_fell_silent_meanwhile_is_waited_for_from_the_start_on():
    before = Stand()
    before.passing(syn(1))
    after = restart(before, 5 * HOUR)
    asyncio.run(after.watch.look())
    assert after.watch.told["silence"] == 0
    after.clock.seconds += HOUR
    assert "silence" in names(after)
    asyncio.run(after.watch.answer())
    assert after.told[0].evidence == ("last packet 21600 s ago, planned are at most 600 s",)


def test_what_strangers_did_is_not_kept():
    stand = Stand()
    stand.passing(*[syn(number, mac=bytes.fromhex("020000000009")) for number in range(1, 30)])
    assert bytes.fromhex("020000000009") not in kept(stand)


def test_a_domain_whose_things_are_nowhere_yet_loses_nothing():
    memory, shelf = Stand(), Shelf()
    speaks(memory, 9)
    asyncio.run(DetectorMemory(memory.watch, shelf).keep())
    written = dict(shelf.documents)
    nowhere = Stand(places={})
    asyncio.run(DetectorMemory(nowhere.watch, shelf).keep())
    assert shelf.documents == written != {}


def test_nothing_that_was_written_takes_more_than_its_bound():
    stand = Stand()
    scene = stand.watch._panel.scene
    for number in range(16_000):
        name = f"{number}." + ".".join(["x" * 60] * 4)
        for more in range(3):
            scene.names.learn(f"{more}{name}"[:253], number.to_bytes(4), at=stand.clock.utc().timestamp(), ttl=0)
    assert len(kept(stand)) <= 4 << 20
    assert restart(stand).watch.kept()


def parts(**changes):
    return {"detectors": {}, "homes": [], "installs": [], "names": [], **changes}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff",
        codec.encode([]),
        codec.encode([2, 0, parts()]),
        codec.encode([1, -1, parts()]),
        codec.encode([1, 1 << 40, parts()]),
        codec.encode([1, True, parts()]),
        codec.encode([1, 0, {}]),
        codec.encode([1, 0, parts(detectors=[])]),
        codec.encode([1, 0, parts(detectors={"silence": {}})]),
        codec.encode([1, 0, parts(detectors={"silence": [[LAMP, 1.5]]})]),
        codec.encode([1, 0, parts(detectors={"overload": [["lamp", 1]]})]),
        codec.encode([1, 0, parts(detectors={"new_destination": [[LAMP, 1, [["a", []]]]]})]),
        codec.encode([1, 0, parts(detectors={"new_destination": [[LAMP, 1, [["a", ["b"]]]]]})]),
        codec.encode([1, 0, parts(detectors={"beaconing": [[LAMP, CLOUD, 1, [1], [None]]]})]),
        codec.encode([1, 0, parts(homes=[[LAMP, b"lan1", 1, 1]])]),
        codec.encode([1, 0, parts(installs=[[LAMP, 1]])]),
        codec.encode([1, 0, parts(names=[[CLOUD, "no name!", 1]])]),
        codec.encode([1, 0, parts(names=[[b"abc", "cloud.acme.example", 1]])]),
        bytes(5 << 20),
    ],
)
def test_a_damaged_document_is_refused_whole_and_said_in_one_sentence(document):
    stand, shelf = Stand(), Shelf()
    with pytest.raises(DecodeError):
        stand.watch.take_up(document)
    shelf.documents["memory"] = document
    said = DetectorMemory(stand.watch, shelf).said
    assert said.startswith("what detectors remembered is damaged, and they begin anew: ")
    assert not any(stand.watch._panel.kept(10).values())


def test_a_document_that_is_cut_anywhere_is_refused():
    stand = Stand()
    speaks(stand, 9, 10)
    document = kept(stand)
    for size in range(len(document)):
        with pytest.raises(DecodeError):
            Stand().watch.take_up(document[:size])


def test_a_detector_that_is_no_more_costs_the_others_nothing():
    stand = Stand()
    stand.watch.take_up(codec.encode([1, 0, parts(detectors={"gone": [[1]], "silence": [[LAMP, 5]]})]))
    stand.watch.begin()
    assert stand.watch._panel.kept(10)["silence"] == [[LAMP, 5]]


def test_a_date_to_come_is_taken_for_now():
    stand = Stand()
    document = codec.encode([1, 0, parts(detectors={"silence": [[LAMP, 1 << 50]]}, homes=[[LAMP, "lan1", 1 << 50, 0]])])
    stand.watch.take_up(document)
    stand.watch.begin()
    stand.clock.seconds += 3 * HOUR
    assert "silence" in names(stand)


def test_what_is_remembered_is_told_with_its_date():
    stand, shelf = Stand(), Shelf()
    speaks(stand, 9)
    asyncio.run(DetectorMemory(stand.watch, shelf).keep())
    assert DetectorMemory(Stand().watch, shelf).said.startswith("detectors go on from what they remembered at 20")


def test_a_disk_that_keeps_nothing_leaves_what_was_kept():
    class Full(Shelf):
        async def write(self, changes, *, entries=()):
            raise StorageError("full")

    stand = Stand()
    speaks(stand, 9)
    with pytest.raises(StorageError):
        asyncio.run(DetectorMemory(stand.watch, Full()).keep())


def test_the_gateway_is_no_thing_of_ours():
    stand = Stand()
    stand.passing(*[syn(number, mac=GATEWAY) for number in range(1, 5)])
    assert GATEWAY not in kept(stand)
