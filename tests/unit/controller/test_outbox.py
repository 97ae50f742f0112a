"""Entries of a plane elsewhere are put on the ledger once, and only those that are its own."""

import asyncio

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.controller.test_remote_plane import kinds
from thingstead.controller.outbox import Outbox
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.errors import DecodeError, ForbiddenError
from thingstead.storage.memory import MemoryStore


@pytest.mark.parametrize("kind", [Kind.TRANSITION, Kind.ISSUE, Kind.CONFIGURATION, Kind.RECEIPT])
def test_a_plane_writes_nothing_on_the_ledger_that_is_another_s(kind):
    leaf = entry.encode(Draft(JumpingClock().utc(), kind, "owner").numbered(0))
    ledger = MemoryStore()

    async def fetch(_start):
        return [leaf]

    async def story():
        with pytest.raises(ForbiddenError, match=f"no {kind}"):
            await Outbox(PlaneName.DATA, ledger, fetch=fetch).take(1)

    asyncio.run(story())
    assert kinds(ledger) == []


def test_what_is_lost_there_is_told_and_a_leaf_that_is_none_taken_for_none():
    async def story():
        for leaves, error in (([], ForbiddenError), ([b"x"], DecodeError)):

            async def fetch(_start, leaves=leaves):
                return leaves

            with pytest.raises(error):
                await Outbox(PlaneName.DATA, MemoryStore(), fetch=fetch).take(1)

    asyncio.run(story())


def test_a_second_life_goes_on_where_the_first_one_ended():
    leaves = [entry.encode(Draft(JumpingClock().utc(), Kind.ERASURE, "owner").numbered(place)) for place in range(3)]
    ledger, asked = MemoryStore(), []

    async def fetch(start):
        asked.append(start)
        return leaves[start : start + 1]

    async def story():
        for entries in (2, 2, 3):
            await Outbox(PlaneName.DATA, ledger, fetch=fetch).take(entries)

    asyncio.run(story())
    assert asked == [0, 1, 2]
    assert len(kinds(ledger)) == 3
