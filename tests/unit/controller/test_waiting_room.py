"""What a person said lasts over a restart, counts for one key and one day, and nobody fills the queue for good."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.waiting_room import APPROVAL_LIFETIME, Approval, WaitingRoom, shown
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.errors import ConfigError, DecodeError, ForbiddenError, PolicyError, StorageError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

LAMP, OTHER = a_thing(1).id, a_thing(2).id
KEY, ANOTHER = bytes(range(32)), bytes(32)


class Disk(MemoryStore):
    is_full = False
    is_slow = False

    async def commit(self, unit):
        for _ in range(3 * self.is_slow):
            await asyncio.sleep(0)
        if self.is_full:
            raise StorageError("no space left")
        return await super().commit(unit)


class Room:
    """A room that can be left and opened again on what was kept."""

    def __init__(self, seats=2):
        self.clock, self.store, self.seats = JumpingClock(), Disk(), seats
        self.records = PlaneRecords(PlaneName.IDENTITY, self.store, prefix="waiting/")
        self.restart()

    def restart(self):
        self.room = WaitingRoom(self.records, clock=self.clock, seats=self.seats)

    def tell(self, thing=LAMP, key=KEY, zone="floor-1"):
        said = Draft(self.clock.utc(), Kind.AUTHORIZATION, "registrar", thing, "hold")
        asyncio.run(self.room.tell(thing, key, rule="lamps", zone=zone, entries=(said,)))

    def approve(self, thing=LAMP):
        approval = Approval("member", self.clock.utc() + APPROVAL_LIFETIME, "owner")
        return asyncio.run(self.room.approve(self.room.find(thing), approval, details={"compared": True}))

    def undo(self, thing=LAMP):
        return asyncio.run(self.room.undo(thing, by="owner"))

    @property
    def things(self):
        return [one.thing for one in self.room]

    def entries(self):
        return [entry.decode(leaf) for leaf in self.store.leaves()]


@pytest.mark.parametrize("say", [Room.approve, Room.undo])
def test_about_one_that_does_not_wait_nothing_can_be_said(say):
    room = Room()
    with pytest.raises(PolicyError, match="does not wait"):
        say(room)
    assert room.entries() == []


def test_what_nobody_approved_cannot_be_undone():
    room = Room()
    room.tell()
    with pytest.raises(PolicyError, match="nobody has approved"):
        room.undo()


@pytest.mark.requirement("R-28")
def test_an_approval_counts_for_the_key_that_was_compared_and_ends_after_its_day():
    room = Room()
    room.tell()
    assert room.room.approval(LAMP, KEY, "floor-1") is None
    room.approve()
    assert room.room.approval(LAMP, KEY, "floor-1") == Approval("member", AT + APPROVAL_LIFETIME, "owner")
    assert room.room.approval(LAMP, ANOTHER, "floor-1") is None
    assert room.room.approval(OTHER, KEY, "floor-1") is None
    room.clock.seconds = APPROVAL_LIFETIME.total_seconds()
    assert room.room.approval(LAMP, KEY, "floor-1") is None


@pytest.mark.requirement("R-28")
@pytest.mark.parametrize("other", [{"key": ANOTHER}, {"zone": "floor-2"}])
def test_another_key_or_zone_at_the_door_takes_the_approval_away(other):
    room = Room()
    room.tell()
    room.approve()
    assert room.room.approval(LAMP, KEY, "floor-2") is None
    room.tell(**other)
    assert room.room.approval(LAMP, ANOTHER, "floor-1") is None
    room.tell()
    assert room.room.approval(LAMP, KEY, "floor-1") is None


def test_all_of_it_lasts_over_a_restart():
    room = Room()
    room.tell()
    room.tell(OTHER)
    room.approve()
    before = list(room.room)
    room.restart()
    assert list(room.room) == before
    room.undo()
    room.restart()
    assert room.room.approval(LAMP, KEY, "floor-1") is None


def test_who_is_in_is_forgotten_and_who_was_never_here_costs_nothing():
    room = Room()
    room.tell()
    for thing in (LAMP, LAMP, OTHER):
        asyncio.run(room.room.leave(thing, is_member=False))
    room.restart()
    assert room.things == []


def test_each_word_is_an_entry_with_the_key_and_who_said_it():
    room = Room()
    room.tell()
    room.approve()
    room.undo()
    told, said, undone = room.entries()
    assert (told.kind, told.cause) == (Kind.AUTHORIZATION, "hold")
    assert (said.kind, said.actor, said.thing, said.cause) == (Kind.APPROVAL, "owner", LAMP, "approved")
    assert dict(said.details) == {
        "thumbprint": KEY,
        "scope": "member",
        "until": (AT + APPROVAL_LIFETIME).isoformat(),
        "compared": True,
    }
    assert (undone.cause, dict(undone.details)) == ("undone", {"thumbprint": KEY})


def test_what_the_disk_does_not_keep_was_not_said():
    room = Room()
    room.tell()
    room.store.is_full = True
    for act in (room.approve, lambda: room.tell(OTHER)):
        with pytest.raises(StorageError):
            act()
    assert (room.things, room.room.approval(LAMP, KEY, "floor-1")) == ([LAMP], None)


def test_a_seat_is_free_again_when_somebody_was_silent_for_a_week():
    room = Room()
    room.tell()
    room.tell(OTHER)
    third = a_thing(3).id
    assert not room.room.has_seat(None)
    assert not room.room.has_seat(third)
    assert room.room.has_seat(LAMP)
    room.clock.seconds = timedelta(days=7).total_seconds()
    room.tell()
    assert room.room.has_seat(None)
    room.tell(third)
    room.restart()
    assert room.things == [LAMP, third]


@pytest.mark.requirement("R-28")
@pytest.mark.parametrize("key", ["", "0001", "0001020304050g07", "00" * 33, "key", "٠٠٠١٠٢٠٣٠٤٠٥٠٦٠٧"])
def test_too_little_to_compare_is_refused(key):
    room = Room()
    room.tell()
    with pytest.raises(ConfigError, match="16 to 64"):
        room.room.find(LAMP).compare(key)


@pytest.mark.requirement("R-28")
def test_keys_are_compared_as_people_write_them():
    room = Room()
    room.tell()
    waiting = room.room.find(LAMP)
    assert shown(KEY) == "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f"
    for same in (shown(KEY), "00:01:02:03:04:05:06:07", "0001 0203 0405 0607 08", KEY.hex().upper()):
        waiting.compare(same)
    for other in ("0001-0203-0405-0608", ANOTHER.hex()):
        with pytest.raises(UntrustedError, match="another key"):
            waiting.compare(other)


@pytest.mark.parametrize("document", [b"\x80", b"\x00", codec.encode([1, 2, b"", "rule", ["a"]])])
def test_what_is_kept_and_is_none_is_refused(document):
    room = Room()
    asyncio.run(room.records.write({LAMP: document}))
    with pytest.raises(DecodeError):
        room.restart()


def test_by_whose_word_a_thing_came_in_is_kept_until_it_comes_in_anew_without():
    room = Room()
    room.tell()
    room.approve()
    asyncio.run(room.room.leave(LAMP, is_member=False))
    for _ in range(2):
        kept = room.room.kept(LAMP, KEY, "floor-1")
        assert kept is not None
        assert kept.by == "owner"
        assert (room.things, room.room.approval(LAMP, KEY, "floor-1")) == ([], None)
        assert room.room.kept(LAMP, ANOTHER, "floor-1") is None
        assert room.room.kept(LAMP, KEY, "floor-2") is None
        asyncio.run(room.room.leave(LAMP, is_member=True))
        room.restart()
    asyncio.run(room.room.leave(LAMP, is_member=False))
    room.restart()
    assert room.room.kept(LAMP, KEY, "floor-1") is None


class Races:
    """A room whose disk lets others have their turn."""

    def __init__(self):
        self.room = Room()
        self.room.tell()
        self.seen = self.room.room.find(LAMP)
        self.room.store.is_slow = True

    def at_once(self, *steps):
        async def story():
            return await asyncio.gather(*steps, return_exceptions=True)

        return asyncio.run(story())

    def knock(self, key=KEY):
        return self.room.room.tell(LAMP, key, rule="lamps", zone="floor-1", entries=())

    def approve(self):
        approval = Approval("member", self.room.clock.utc() + APPROVAL_LIFETIME, "owner")
        return self.room.room.approve(self.seen, approval, details={"compared": True})


def test_who_knocks_while_a_person_says_yes_is_let_in():
    races = Races()
    races.at_once(races.approve(), races.knock())
    races.room.restart()
    assert races.room.room.approval(LAMP, KEY, "floor-1") is not None


def test_who_knocks_while_a_person_takes_it_back_is_not_let_in():
    races = Races()
    races.at_once(races.approve())
    races.at_once(races.room.room.undo(LAMP, by="owner"), races.knock())
    for _ in range(2):
        assert races.room.room.approval(LAMP, KEY, "floor-1") is None
        races.room.restart()


@pytest.mark.requirement("R-34")
def test_a_yes_to_one_key_is_none_to_the_key_that_was_shown_meanwhile():
    races = Races()
    _, refused = races.at_once(races.knock(ANOTHER), races.approve())
    assert type(refused) is PolicyError
    assert races.room.room.approval(LAMP, ANOTHER, "floor-1") is None
    assert races.room.room.approval(LAMP, KEY, "floor-1") is None


def _by_installer(room, thing, *, most, delegation=b"ben"):
    approval = Approval("", room.clock.utc() + APPROVAL_LIFETIME, "installer:ben", delegation)
    return room.room.approve(room.room.find(thing), approval, details={}, most=most)


@pytest.mark.requirement("R-03")
@pytest.mark.parametrize("restarts", [False, True])
def test_a_delegation_lets_in_so_many_things_and_no_more(restarts):
    room = Room(seats=3)
    for thing in (LAMP, OTHER):
        room.tell(thing)
    asyncio.run(_by_installer(room, LAMP, most=1))
    if restarts:
        room.restart()
    # The same thing again is no other, also once it is in.
    asyncio.run(_by_installer(room, LAMP, most=1))
    asyncio.run(room.room.leave(LAMP, is_member=False))
    with pytest.raises(ForbiddenError, match="1 things"):
        asyncio.run(_by_installer(room, OTHER, most=1))
    assert room.room.let_in(b"ben") == 1
    asyncio.run(_by_installer(room, OTHER, most=1, delegation=b"carla"))


@pytest.mark.requirement("R-03")
def test_of_two_that_are_approved_together_the_second_counts_the_first():
    room = Room()
    room.store.is_slow = True
    for thing in (LAMP, OTHER):
        room.tell(thing)

    async def both():
        asked = [_by_installer(room, thing, most=1) for thing in (LAMP, OTHER)]
        return await asyncio.gather(*asked, return_exceptions=True)

    outcomes = asyncio.run(both())
    assert [type(one).__name__ for one in outcomes] == ["Waiting", "ForbiddenError"]


@pytest.mark.requirement("R-03")
def test_what_is_undone_or_was_not_kept_counts_for_nothing_and_what_ended_is_forgotten():
    room = Room()
    for thing in (LAMP, OTHER):
        room.tell(thing)
    asyncio.run(_by_installer(room, LAMP, most=1))
    asyncio.run(room.room.undo(LAMP, by="owner"))
    room.restart()
    room.store.is_full = True
    with pytest.raises(StorageError):
        asyncio.run(_by_installer(room, LAMP, most=1))
    room.store.is_full = False
    asyncio.run(_by_installer(room, OTHER, most=1))
    asyncio.run(room.room.forget(b"ben"))
    room.restart()
    assert room.room.let_in(b"ben") == 0


def test_an_approval_of_before_is_read_and_a_damaged_one_is_not():
    room = Room()
    room.tell()
    (document,) = room.records.load().values()
    kept = codec.decode(document)
    for said in (["", 7, "owner"], ["", 7, "installer:ben", b"ben"]):
        asyncio.run(room.records.write({LAMP: codec.encode([*kept[:-1], said])}))
        room.restart()
        read = room.room.find(LAMP).approval
        assert read is not None
        assert read.by == said[2]
    asyncio.run(room.records.write({LAMP: codec.encode([*kept[:-1], ["", 7, "installer:ben", "ben"]])}))
    with pytest.raises(DecodeError):
        room.restart()
