import asyncio
from ipaddress import ip_address

import pytest

from thingstead.controller.whereabouts import Whereabouts
from thingstead.domain.network import ThingAddress
from thingstead.domain.plane import PlaneName
from thingstead.errors import DecodeError
from thingstead.identifier import thing_id
from thingstead.protocols.cbor import codec
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

THING = thing_id("thing-abcdefghijklmnop")
MAC = bytes.fromhex("027700000001")


def whereabouts(store):
    records = PlaneRecords(PlaneName.NETWORK, store, prefix="place/")
    return Whereabouts(records, mac_of={"10.77.1.1": MAC, "fd77::101": MAC}.__getitem__)


@pytest.mark.parametrize("ip", ["10.77.1.1", "fd77::101"])
def test_a_place_is_known_after_a_restart(ip):
    store = MemoryStore()
    asyncio.run(whereabouts(store).note(THING, ip))
    assert whereabouts(store).locate(THING) == (ThingAddress(MAC, ip_address(ip)),)


def test_all_addresses_that_the_owner_names_are_a_things_and_after_a_restart_too():
    store = MemoryStore()
    asyncio.run(whereabouts(store).place(THING, ("10.77.1.9", "fd77::9"), MAC))
    both = (ThingAddress(MAC, ip_address("10.77.1.9")), ThingAddress(MAC, ip_address("fd77::9")))
    again = whereabouts(store)
    assert (again.locate(THING), again.located(), again.places()) == (both, {THING: both}, both)


def test_who_is_nowhere_by_its_owners_word_is_nowhere_after_a_restart_too():
    store = MemoryStore()
    places = whereabouts(store)
    asyncio.run(places.note(THING, "10.77.1.1"))
    asyncio.run(places.place(THING, (), MAC))
    assert (places.locate(THING), whereabouts(store).located()) == ((), {})


def test_a_thing_that_never_joined_is_nowhere():
    assert whereabouts(MemoryStore()).locate(THING) == ()


def test_the_same_place_is_not_written_twice():
    store = MemoryStore()
    places = whereabouts(store)
    units: list[object] = []
    store.listen(units.append)
    for _ in range(3):
        asyncio.run(places.note(THING, "10.77.1.1"))
    assert len(units) == 1


@pytest.mark.parametrize(
    "document",
    [
        [b"short", b"\x0a\x4d\x01\x01"],
        [MAC],
        [MAC, b"\x0a\x4d\x01"],
        [MAC, bytes(4), "10.77.1.1"],
        [MAC, bytes(4), b""],
    ],
)
def test_a_damaged_record_is_refused(document):
    store = MemoryStore()
    records = PlaneRecords(PlaneName.NETWORK, store, prefix="place/")
    asyncio.run(records.write({THING: codec.encode(document)}))
    with pytest.raises(DecodeError, match="network plane"):
        whereabouts(store)


def test_what_the_owner_says_of_a_link_layer_address_is_not_asked_of_the_segment():
    places = whereabouts(MemoryStore())
    asyncio.run(places.note(THING, "10.77.9.9", MAC))
    assert places.locate(THING) == (ThingAddress(MAC, ip_address("10.77.9.9")),)
