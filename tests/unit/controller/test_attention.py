"""The look for what is forgotten: since when it counts, whom it tells the ledger of, and what it does not write."""

import asyncio
from datetime import datetime, timedelta
from ipaddress import ip_address

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.analysis.neglect import Neglect
from thingstead.controller.attention import Attention
from thingstead.controller.config import WatchConfig
from thingstead.domain.ledger import entry
from thingstead.domain.network import ThingAddress
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.errors import StorageError
from thingstead.identifier import ThingId
from thingstead.simulator.virtual.memory import MemorySegment
from thingstead.storage.memory import MemoryStore

STRANGER = ThingAddress(bytes.fromhex("020000000009"), ip_address("192.0.2.9"))


class FullStore(MemoryStore):
    """A store whose disk is full for a while."""

    is_full = False

    async def commit(self, unit):
        if self.is_full:
            raise StorageError("the disk is full")
        return await super().commit(unit)


class Watched:
    """A domain of some things, none of which was heard since it started."""

    def __init__(self, *things, **config):
        self.clock, self.store, self.segment = JumpingClock(), FullStore(), MemorySegment()
        asyncio.run(self.store.commit(Unit(things=things)))
        self.heard: dict[ThingId, datetime] = {}
        self.intervals: dict[ThingId, timedelta] = {}
        self.places: list[ThingAddress] = []
        self.present: set[ThingId] = set()
        self.attention = Attention(
            WatchConfig(**{"interval_seconds": 60, **config}),
            Register(self.store.load()),
            last_acceptance=self.heard.get,
            interval=self.intervals.get,
            places=lambda: self.places,
            present=lambda: self.present,
            segment=self.segment,
            store=self.store,
            clock=self.clock,
        )

    def after(self, seconds):
        self.clock.seconds += seconds
        return self.attention.look()

    def watch(self):
        asyncio.run(self.attention.watch())

    def told(self):
        return [(one.thing, one.cause) for one in map(entry.decode, self.store.leaves())]


def test_who_was_never_heard_is_waited_for_from_the_start_on():
    watched = Watched(a_thing(joined_at=None))
    assert watched.after(180) == ()
    assert [one.neglect for one in watched.after(1)] == [Neglect.SILENT]


@pytest.mark.requirement("R-12")
def test_who_proves_nothing_is_heard_of_while_it_is_on_the_segment_and_silent_after_that():
    watched = Watched(a_thing())
    watched.present = {a_thing().id}
    assert watched.after(1000) == ()
    watched.present = set()
    assert watched.after(180) == ()
    assert [one.neglect for one in watched.after(1)] == [Neglect.SILENT]


def test_who_joined_later_is_waited_for_from_then_on():
    watched = Watched(a_thing(joined_at=JumpingClock().utc() + timedelta(seconds=100)))
    assert watched.after(280) == ()
    assert watched.after(1)


def test_the_declared_interval_of_a_thing_goes_before_the_setting():
    watched = Watched(a_thing())
    watched.intervals[a_thing().id] = timedelta(hours=1)
    assert watched.after(3 * 3600) == ()
    assert watched.after(1)


def test_a_look_changes_nothing_but_the_counts():
    watched = Watched(a_thing())
    watched.after(181)
    assert watched.attention.counts == {Neglect.SILENT: 1}
    assert watched.told() == []


def test_the_ledger_is_told_once_until_the_thing_was_heard_again():
    watched = Watched(a_thing())
    name = a_thing().id
    watched.after(181)
    watched.watch()
    watched.watch()
    assert watched.told() == [(name, "silent")]
    watched.heard[name] = watched.clock.utc()
    watched.watch()
    watched.after(181)
    watched.watch()
    assert watched.told() == [(name, "silent")] * 2


def test_what_the_disk_did_not_take_is_told_at_the_next_look():
    watched = Watched(a_thing())
    watched.after(181)
    watched.store.is_full = True
    with pytest.raises(StorageError):
        watched.watch()
    watched.store.is_full = False
    watched.watch()
    assert len(watched.told()) == 1


def test_strangers_are_seen_and_never_written_down():
    watched = Watched()
    watched.segment.present = tuple(
        [ThingAddress(number.to_bytes(6, "big"), ip_address("192.0.2.7")) for number in range(2, 500)]
    )
    watched.watch()
    assert watched.attention.counts == {Neglect.UNMANAGED: 498}
    assert watched.told() == []


@pytest.mark.parametrize("known", [["02:00:00:00:00:09"], ["02:00:00:00:00:01", "02:00:00:00:00:09"]])
def test_who_the_settings_know_is_no_stranger(known):
    watched = Watched(known=known)
    watched.segment.present = (STRANGER,)
    assert watched.after(0) == ()


def test_a_thing_of_the_domain_is_no_stranger():
    watched = Watched()
    watched.segment.present = (STRANGER,)
    watched.places = [STRANGER]
    assert watched.after(0) == ()
