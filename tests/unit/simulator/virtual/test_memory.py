import asyncio

import pytest

from thingstead.agent.ports import Area, Installed
from thingstead.domain.network import NO_MAC
from thingstead.domain.unit import Committed, Unit
from thingstead.errors import TransportError
from thingstead.protocols.profile.release import FIRMWARE
from thingstead.simulator.virtual.memory import (
    Fate,
    HomeLife,
    MemoryFetcher,
    MemorySegment,
    MemorySlots,
    StoreLife,
)
from thingstead.simulator.virtual.network import Killed
from thingstead.storage.memory import MemoryStore

CANDIDATE = Area.CANDIDATE, FIRMWARE


@pytest.mark.parametrize(("fatal", "kept"), [(1, {}), (2, {"a": b"1"})], ids=["before the write", "after it"])
def test_a_home_dies_before_a_write_or_after_it_and_writes_nothing_more(fatal, kept):
    disk: dict[str, bytes] = {}
    fate = Fate()
    fate.fatal = fatal
    home = HomeLife(disk, fate)
    with pytest.raises(Killed):
        home.save("a", b"1")
    with pytest.raises(Killed):
        home.save("b", b"2")
    with pytest.raises(Killed):
        home.delete("a")
    assert disk == kept


def test_a_store_dies_as_a_home_does_and_tells_nobody_after_it():
    told: list[Committed] = []
    fate, disk = Fate(), MemoryStore()
    store = StoreLife(disk, fate)
    store.listen(told.append)
    asyncio.run(store.commit(Unit()))
    fate.fatal = 3
    with pytest.raises(Killed):
        asyncio.run(store.commit(Unit()))
    asyncio.run(disk.commit(Unit()))
    assert len(told) == 1


def test_what_is_not_there_or_too_long_is_not_fetched():
    files = MemoryFetcher()
    files.documents["https://a.example/x"] = b"12345"
    for url, most in (("https://a.example/y", 10), ("https://a.example/x", 4)):
        with pytest.raises(TransportError):
            asyncio.run(files.fetch(url, max_bytes=most))


def test_slots_change_when_they_are_told_to():
    slots = MemorySlots(b"old")
    slots.write(*CANDIDATE, 2, b"new")
    assert (slots.active(), slots.read(*CANDIDATE, 0, 9)) == (b"old", b"\0\0new")
    slots.activate([FIRMWARE], Installed(2))
    assert (slots.active(), slots.installed()) == (b"\0\0new", Installed(1))
    slots.confirm()
    assert (slots.active(), slots.installed()) == (b"\0\0new", Installed(2))
    slots.truncate(*CANDIDATE, 1)
    assert slots.size(*CANDIDATE) == 1


def test_nobody_is_on_a_segment_who_was_not_put_there():
    assert MemorySegment().mac_of("192.0.2.1") == NO_MAC
    assert MemorySegment().neighbours() == ()
