import asyncio
from datetime import timedelta
from itertools import chain

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.groups.parties import LIGHT, Disk, LiveGroups
from thingstead.domain.ledger.entry import Kind
from thingstead.errors import ConfigError, DecodeError, StorageError
from thingstead.planes.groups import record as group_record
from thingstead.planes.groups.keeper import DOMAIN_ROLES, Keeper
from thingstead.planes.groups.roster import Rosters
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm import Peer
from thingstead.protocols.ace.groupcomm_registry import Role

ONE, TWO = a_thing(1).id, a_thing(2).id
VALIDITY = timedelta(days=14)


class Kept:
    """A keeper with its disk, endpoint and clock; `numbers` are what randomness gives, then 1, 2, 3 and so on."""

    def __init__(self, disk=None, numbers=()):
        self.disk = disk or Disk()
        self.live = LiveGroups()
        self.clock = JumpingClock()
        random = chain(numbers, range(1, 1000))
        self.keeper = Keeper(
            self.disk,
            Rosters(self.live),
            domain=Peer(b"", b"domain", DOMAIN_ROLES, LIGHT),
            gm_credential=b"gm",
            validity=VALIDITY,
            clock=self.clock,
            random_bytes=lambda size: next(random).to_bytes(size, "big"),
        )

    def create(self, *names):
        return [asyncio.run(self.keeper.create(name)) for name in names][-1]

    def change(self, step, name="lamps", **options):
        return asyncio.run(self.keeper.change(name, step, **options))

    def joined(self, *things):
        for thing in things:
            self.change(lambda record, thing=thing: self.keeper.next_epoch(with_thing(record, thing)))
        return self.keeper.group("lamps")

    def on_disk(self, name="lamps"):
        return group_record.decode(self.disk.documents[f"group/{name}"])


def with_thing(record, thing):
    return record.with_member(thing, thing.encode(), roles=Role.RESPONDER, scope=Scope({}), at=JumpingClock().utc())


def test_a_group_is_on_disk_live_and_in_the_ledger_once():
    kept = Kept()
    record = kept.create("lamps", "lamps")
    assert (kept.on_disk(), kept.live.installed) == (record, [(record.gid, True)])
    assert [(one.kind, one.cause, one.details["group"]) for one in kept.disk.entries] == [
        (Kind.GROUP, "created", "lamps")
    ]


@pytest.mark.spec("RFC 10021 2.1.3")
def test_no_two_groups_have_one_prefix():
    kept = Kept(numbers=[7, 1, 1, 7, 2, 2, 8, 3, 3])
    first, second = kept.create("lamps"), kept.create("doors")
    assert first.prefix == bytes((0, 0, 0, 7))
    assert second.prefix == bytes((0, 0, 0, 8))


@pytest.mark.parametrize("name", ["doors", "", "x" * 100])
def test_a_group_that_is_not_there_is_neither_shown_nor_changed(name):
    kept = Kept()
    kept.create("lamps")
    assert kept.keeper.find(name) is None
    with pytest.raises(ConfigError, match="group create") as refused:
        kept.keeper.group(name)
    assert len(str(refused.value)) < 200
    with pytest.raises(ConfigError):
        kept.change(kept.keeper.next_epoch, name)
    assert kept.disk.documents.keys() == {"group/lamps"}


@pytest.mark.requirement("R-63")
def test_what_the_disk_does_not_take_is_not_live():
    kept = Kept()
    kept.create("lamps")
    before = kept.keeper.group("lamps"), list(kept.live.installed), list(kept.disk.entries)
    kept.disk.is_full = True
    with pytest.raises(StorageError):
        kept.change(kept.keeper.next_epoch, cause="operator")
    assert (kept.keeper.group("lamps"), kept.live.installed, kept.disk.entries) == before


def test_a_group_that_the_disk_does_not_take_is_not_there():
    kept = Kept()
    kept.disk.is_full = True
    with pytest.raises(StorageError):
        kept.create("lamps")
    assert (kept.keeper.groups(), kept.live.installed) == ((), [])


def test_a_step_that_changes_nothing_is_not_written():
    kept = Kept()
    kept.create("lamps")
    written = len(kept.disk.entries)
    for step in (lambda record: record, kept.keeper.without(ONE), lambda record: record.confirmed_by([b"\7"], 1)):
        kept.change(step, cause="operator")
    assert (len(kept.disk.entries), len(kept.live.installed)) == (written, 1)


def test_what_is_no_matter_of_the_ledger_is_kept_without_an_entry_and_without_new_keys():
    kept = Kept()
    kept.create("lamps")
    kept.joined(ONE)
    installed = list(kept.live.installed)
    kept.change(lambda record: record.confirmed_by([b"\1"], record.num))
    assert kept.on_disk().behind() == ()
    assert (kept.live.installed, len(kept.disk.entries)) == (installed, 1)


def test_steps_that_are_asked_for_at_once_follow_each_other():
    kept = Kept()
    kept.create("lamps")
    kept.disk.is_slow = True

    async def both():
        await asyncio.gather(*[kept.keeper.change("lamps", kept.keeper.next_epoch) for _ in range(5)])

    asyncio.run(both())
    assert kept.on_disk().num == kept.keeper.group("lamps").num == 6
    assert len({gid for gid, _ in kept.live.installed}) == 6


@pytest.mark.requirement("R-63")
def test_all_who_leave_together_leave_by_one_epoch():
    kept = Kept()
    kept.create("lamps")
    before = kept.joined(ONE, TWO)
    after = kept.change(kept.keeper.without(ONE, TWO), cause="retired")
    assert (after.num, after.members) == (before.num + 1, ())
    assert after.master_secret != before.master_secret


@pytest.mark.parametrize(("seconds", "left"), [(0, 14 * 86400), (86400, 13 * 86400), (14 * 86400, 0), (99 * 86400, 0)])
def test_keys_are_told_with_the_time_that_is_left_to_them(seconds, left):
    kept = Kept()
    kept.create("lamps")
    record = kept.joined(ONE)
    kept.clock.seconds += seconds
    assert kept.keeper.keys_of(record, record.members[0]).expires_in == left


def test_a_member_is_told_who_else_is_in_the_domain_first():
    kept = Kept()
    kept.create("lamps")
    record = kept.joined(ONE, TWO)
    keys = kept.keeper.keys_of(record, record.members[1])
    assert (keys.sender_id, keys.gm_credential) == (b"\2", b"gm")
    assert [(peer.sender_id, peer.credential) for peer in keys.members] == [
        (b"\0", b"domain"),
        (b"\1", ONE.encode()),
        (b"\2", TWO.encode()),
    ]


def test_after_a_start_the_groups_are_those_on_disk_and_their_numbers_go_on():
    before = Kept()
    before.create("lamps", "doors")
    before.change(lambda record: record.confirmed_by([], 1))
    after = Kept(Disk({**before.disk.documents, "admitted/x": b"another plane's matter"}))
    assert [record.name for record in after.keeper.groups()] == ["doors", "lamps"]
    assert after.live.installed == []
    after.keeper.resume()
    assert after.live.installed == [(before.keeper.group(name).gid, False) for name in ("lamps", "doors")]


def test_a_damaged_group_is_told_at_the_start_and_not_left_out():
    with pytest.raises(DecodeError):
        Kept(Disk({"group/lamps": b"\xff"}))
