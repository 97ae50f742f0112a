"""What changed is written together; the campaigns' own tests show the rest."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.domain.things import AT, a_thing
from tests.unit.planes.software.desk import CountingRecords
from thingstead.domain.campaign import Campaign, Header, Status
from thingstead.domain.campaign_plan import EVERYONE, STAGED, Plan, Share, Stage
from thingstead.domain.plane import PlaneName
from thingstead.errors import DecodeError, StorageError
from thingstead.planes.software.campaign_record import Subject
from thingstead.planes.software.campaign_store import CampaignStore, Live
from thingstead.planes.software.release import ClassKey, Line
from thingstead.storage.memory import MemoryStore

SUBJECT = Subject(Line(ClassKey(b"v" * 16, b"c" * 16), "acme"), "LX-1", "1.1.0", 7, b"\1" * 32)
TWO_STAGES = Plan((Stage(Share(3)), Stage(Share(basis=10000))))
THINGS = [a_thing(number).id for number in range(4)]


class SlowRecords(CountingRecords):
    """Others get on while it writes."""

    async def write(self, changes, *, entries=()):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await super().write(changes, entries=entries)


def opened(disk):
    records = SlowRecords(PlaneName.SOFTWARE, disk)
    lives: list[Live] = []
    return CampaignStore(records, lambda: lives), lives, records


def a_live(plan=TWO_STAGES):
    header = Header(plan, AT, since=AT)
    campaign = Campaign(header, changes=[header])
    for thing in THINGS:
        campaign.place(thing, zone="hall")
    return Live(SUBJECT, campaign)


def test_nothing_new_costs_no_write():
    store, lives, records = opened(MemoryStore())
    lives.append(a_live())
    asyncio.run(store.keep())
    asyncio.run(store.keep())
    assert records.writes == 1


def test_what_comes_while_it_is_written_is_written_next():
    disk = MemoryStore()
    store, lives, records = opened(disk)
    live = a_live()
    lives.append(live)
    live.campaign.ask(THINGS[0], AT)

    async def meanwhile():
        live.campaign.ask(THINGS[1], AT + timedelta(seconds=1))
        live.campaign.change(Status.PAUSED, AT, cause="paused")
        await store.keep()

    async def story():
        await asyncio.gather(store.keep(), meanwhile())

    asyncio.run(story())
    assert records.writes == 2
    assert live.campaign.unkept == {}
    assert live.campaign.changes == []
    again, _, _ = opened(disk)
    ((subject, header),) = again.headers()
    assert header.status is Status.PAUSED
    assert set(again.take_up(subject, live.campaign).away) == set(THINGS[:2])


def test_what_fails_to_be_written_is_still_to_be_written():
    store, lives, records = opened(MemoryStore())
    live = a_live()
    lives.append(live)
    live.campaign.ask(THINGS[0], AT)
    records.error = StorageError("the disk is full")
    with pytest.raises(StorageError):
        asyncio.run(store.keep())
    assert (len(live.campaign.unkept), len(live.campaign.changes)) == (1, 1)


def test_a_plan_is_there_until_its_campaign_has_begun():
    disk = MemoryStore()
    store, _, _ = opened(disk)
    asyncio.run(store.intend("aa", STAGED))
    asyncio.run(store.intend("bb", None))
    assert opened(disk)[0].plan_of("aa") == STAGED
    assert opened(disk)[0].plan_of("bb") is None
    assert not store.is_intended("cc")
    for name in ("aa", "bb", "cc"):
        store.begun(name)
    asyncio.run(store.keep())
    assert opened(disk)[0].documents == {}


def test_what_will_not_be_published_is_forgotten():
    disk = MemoryStore()
    store, _, _ = opened(disk)
    asyncio.run(store.intend("aa", STAGED))
    asyncio.run(store.give_up("aa"))
    assert opened(disk)[0].documents == {}


def test_of_an_ended_one_its_outcome_stays_and_its_places_go():
    disk = MemoryStore()
    store, lives, _ = opened(disk)
    live = a_live(EVERYONE)
    lives.append(live)
    live.campaign.ask(THINGS[0], AT)
    asyncio.run(store.keep())
    lives.clear()
    store.end(live, Header(EVERYONE, AT, Status.SUPERSEDED, "superseded"), SUBJECT)
    asyncio.run(store.keep())
    assert [header.status for _, header in opened(disk)[0].headers()] == [Status.SUPERSEDED]
    assert len(store.documents) == 1


def test_nothing_is_taken_up_of_a_backup_that_is_none():
    store, _, _ = opened(MemoryStore())
    with pytest.raises(DecodeError):
        asyncio.run(store.restore({"aa": b"\x00"}))
    assert store.documents == {}
