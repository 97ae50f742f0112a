"""A campaign of 10,000 things: what one poll costs, how fast all get it, and what is offered after the n-th failure.

Things are simulated: each polls and reports as its transport would have it do, straight at the status tracker; a
release is verified once, and every place is on disk (SQLite, with an fsync) before its thing hears of it. hawkBit's
server is a Java program with a database and cannot run here: nothing is measured beside it.
"""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import cycle
from pathlib import Path

from bench.figure import Figure
from thingstead.analysis.image_scan import Finding
from thingstead.clock import SystemClock
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.campaign import Status
from thingstead.domain.campaign_plan import Plan, Share, Stage
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import PlaneName
from thingstead.domain.release_policy import Concern, ReleasePolicy, Stance
from thingstead.domain.thing import Thing
from thingstead.identifier import thing_id_from_random
from thingstead.phases.maintain import make_release, sign_release
from thingstead.planes.software.campaigns import DOCUMENTS, Campaigns
from thingstead.planes.software.carried import Terms
from thingstead.planes.software.door import outcome_report
from thingstead.planes.software.image_scan import ImageScanner
from thingstead.planes.software.shelf import Shelf
from thingstead.planes.software.source import sort_of
from thingstead.planes.software.status_tracker import StatusTracker
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.storage.records import PlaneRecords
from thingstead.storage.sqlite import SqliteStore

__all__ = ["figures"]

_THINGS, _ZONES = 10_000, 20
_IMAGE = b"firmware " * 11_111
_TERMS = Terms("owner", ReleasePolicy({Concern.SBOM_MISSING: Stance.ALLOW}))
_AT_ONCE = 256
"""So many ask at one moment."""
_STAGED = Plan(
    (Stage(Share(10)), Stage(Share(basis=1000)), Stage(Share(basis=10_000))),
    zone_share=Share(basis=5000),
    abort=(Share(basis=500),),
    patience=timedelta(days=1),
)


def figures() -> Iterator[Figure]:
    """Offers, polls, a whole campaign, and the end of one."""
    with tempfile.TemporaryDirectory() as folder:
        yield from asyncio.run(_figures(Path(folder)))


async def _figures(folder: Path) -> list[Figure]:
    found: list[Figure] = []
    for name, story in (("whole", _whole), ("failing", _failing)):
        root = folder / name
        root.mkdir(mode=0o700)
        async with _opened(root) as world:
            found += await story(world)
    return found


class _World:
    """A tracker over a disk, and ten thousand things that it knows."""

    def __init__(self, store: SqliteStore) -> None:
        vendor = vendor_identifier("acme.example")
        keys = (generate(KeyType.P256), generate(KeyType.ML_DSA_44))
        clock = SystemClock()
        self.things = [_thing(number) for number in range(_THINGS)]
        before = _resident()
        self.campaigns = Campaigns(PlaneRecords(PlaneName.SOFTWARE, store, prefix=DOCUMENTS), clock=clock)
        self.tracker = StatusTracker(
            PlaneRecords(PlaneName.SOFTWARE, store),
            anchors=[TrustAnchor("acme", keys[0].public, (keys[0].public, keys[1].public), vendor)],
            sorts=lambda: {sort_of(self.things[0])},
            scan=_scan,
            clock=clock,
            shelf=Shelf(clock, self.campaigns),
        )
        self.tracker.resume(iter(self.things))
        unsigned = make_release(
            _IMAGE,
            vendor_id=vendor,
            class_id=class_identifier(vendor, "LX-1"),
            sequence_number=2,
            version="1.1.0",
        )
        self.encoded = envelope.encode(sign_release(unsigned, keys))
        self.memory = before

    async def publish(self, plan: Plan) -> None:
        await self.campaigns.intend(self.encoded, plan)
        await self.tracker.publish(self.encoded, _IMAGE, terms=_TERMS)

    async def ask(self, things: list[Thing]) -> list[Thing]:
        """All of them poll at one moment; who is given it once that is on disk."""
        given = [thing for thing in things if self.tracker.poll(thing.id) is not None]
        await asyncio.gather(*[self.tracker.keep(thing.id) for thing in given])
        return given

    async def report(self, things: list[Thing], *, is_installed: bool) -> None:
        offers = [self.tracker.poll(thing.id) for thing in things]
        reports = [outcome_report(offer, is_installed=is_installed) for offer in offers if offer is not None]
        await asyncio.gather(*[self.tracker.report(thing.id, one) for thing, one in zip(things, reports, strict=True)])


@asynccontextmanager
async def _opened(root: Path) -> AsyncIterator[_World]:
    store = SqliteStore(root)
    try:
        yield _World(store)
    finally:
        await store.close()


async def _scan(image: bytes) -> list[Finding]:
    return ImageScanner().scan(image)


def _thing(number: int) -> Thing:
    return Thing(
        thing_id_from_random(number.to_bytes(10, "big")),
        1,
        LifecycleState.OPERATIONAL,
        Restriction.NONE,
        "acme",
        "LX-1",
        f"A{number:05}",
        2,
        zone=f"zone-{number % _ZONES}",
    )


async def _whole(world: _World) -> list[Figure]:
    await world.publish(_STAGED)
    first = await world.ask(world.things[:11])
    waits = world.things[10].id
    refused = _per_second(lambda: world.tracker.poll(waits))
    await world.report(first, is_installed=True)
    await world.campaigns.look()
    wall, cpu = time.perf_counter(), time.process_time()
    waiting, offering, rounds = world.things[len(first) :], 0.0, 0
    while waiting:
        rounds += 1
        given: list[Thing] = []
        begun = time.perf_counter()
        for start in range(0, len(waiting), _AT_ONCE):
            given += await world.ask(waiting[start : start + _AT_ONCE])
        offering += time.perf_counter() - begun
        for start in range(0, len(given), _AT_ONCE):
            await world.report(given[start : start + _AT_ONCE], is_installed=True)
        await world.campaigns.look()
        left = {thing.id for thing in given}
        waiting = [thing for thing in waiting if thing.id not in left]
    seconds, spent = time.perf_counter() - wall, time.process_time() - cpu
    polls = _per_second(lambda: world.tracker.poll(world.things[0].id))
    return [
        Figure("10,000 things by stages, each place on disk: offers", "1/s", round(_THINGS / offering)),
        Figure("10,000 things by stages: until all run it", "s", round(seconds, 2)),
        Figure("10,000 things by stages: rounds of polls", "", rounds),
        Figure("10,000 things by stages: CPU for one, report and all", "us", round(spent / _THINGS * 1e6)),
        Figure("10,000 things: a poll that is answered again", "1/s", round(polls)),
        Figure("10,000 things: a poll that has to wait", "1/s", round(refused)),
        Figure(
            "10,000 things: memory of campaign, records and tracker", "MB", round((_resident() - world.memory) / 1e6, 1)
        ),
    ]


async def _failing(world: _World) -> list[Figure]:
    """All are offered it at once; 5 % fail, and what is offered after the failure that ends it is counted."""
    plan = Plan(abort=(Share(basis=500),), zone_share=Share(basis=6000))
    await world.publish(plan)
    given: list[Thing] = []
    for start in range(0, len(world.things), _AT_ONCE):
        given += await world.ask(world.things[start : start + _AT_ONCE])
    live = world.campaigns.find("LX-1").campaign
    fatal = live.fatal or 0
    failing, others = given[: fatal - 1], cycle(given[fatal:])
    for start in range(0, len(failing), _AT_ONCE):
        await world.report(failing[start : start + _AT_ONCE], is_installed=False)
    last = world.tracker.poll(given[fatal].id)
    assert last is not None
    begun = time.perf_counter()

    async def poll_on() -> tuple[float, int]:
        """Others ask without a pause while the failure that ends it is taken in."""
        offered_last, after = begun, 0
        while live.header.status is not Status.ABORTED:
            for _ in range(64):
                if world.tracker.poll(next(others).id) is not None:
                    offered_last, after = time.perf_counter(), after + 1
            await asyncio.sleep(0)
        return offered_last, after

    failure = world.tracker.report(given[fatal - 1].id, outcome_report(last, is_installed=False))
    (offered_last, after), _ = await asyncio.gather(poll_on(), failure)
    await world.campaigns.keep()
    return [
        Figure("5 % of 10,000 fail: which failure ends it", "", fatal),
        Figure("5 % of 10,000 fail: from it to the last offer", "ms", round(max(offered_last - begun, 0.0) * 1e3, 3)),
        Figure("5 % of 10,000 fail: offers in that time", "", after),
        Figure(
            "5 % of 10,000 fail: from it until that is on disk", "ms", round((time.perf_counter() - begun) * 1e3, 1)
        ),
    ]


def _per_second(once: Callable[[], object]) -> float:
    begun, count = time.perf_counter(), 20_000
    for _ in range(count):
        once()
    return count / (time.perf_counter() - begun)


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
