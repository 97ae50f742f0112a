"""Invariant: whoever has not the new update keys in the end was named before the old ones went, and is to be isolated;
whoever wakes by its last safe day has them. A fifth of the things sleeps, controllers die, owners come every day."""

import asyncio
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.software.desk import ACME
from thingstead.agent.update_anchor import UpdateAnchor
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.migration import Standing, overdue
from thingstead.domain.plane import PlaneName
from thingstead.domain.thing import Thing
from thingstead.errors import PolicyError
from thingstead.planes.software.migration import Migrations
from thingstead.protocols.profile import succession, update_poll
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.succession import StepKind
from thingstead.simulator.virtual.memory import Fate, HomeLife
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

OLD, NEW = generate(KeyType.P256), generate(KeyType.ML_DSA_44)
BIRTH = Birth("", b"", b"", OLD.public, (OLD.public,), bytes(16), bytes(16))
CLASSICAL = frozenset({int(AlgorithmId.ESP256)})
BOTH = CLASSICAL | {int(AlgorithmId.ML_DSA_44)}
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
LAST_DAY = 90


def following(anchor, step):
    return anchor_file.follow(anchor, [step(anchor.update_keys)])


FIRST = TrustAnchor("acme", OLD.public, (OLD.public,), ACME)
OVERLAP = following(FIRST, lambda state: succession.introduce(state, KeySet((NEW.public,)), [OLD, NEW], at=SINCE))
FINAL = following(OVERLAP, lambda state: succession.retire(state, [OLD, NEW], at=SINCE))


@dataclass
class Sleeper:
    """A thing that sleeps from one day to another; the agent's own keys walk."""

    record: Thing
    able: bool
    asleep: range
    disk: dict[str, bytes] = field(default_factory=dict)

    @property
    def keys(self):
        born = replace(BIRTH, verifies=BOTH if self.able else CLASSICAL)
        return UpdateAnchor(HomeLife(self.disk, Fate()), lambda: born)

    @property
    def is_over(self):
        return self.keys.keys().number == len(FINAL.steps)

    def poll(self, domain):
        if not self.able and self.keys.keys().number:
            raise AssertionError("it walked to what it cannot verify")
        while (step := domain.hear(self)) is not None and self.able:
            self.keys.walk(step)


class Fleet:
    """So many things, of which a fifth sleeps, and their domain."""

    def __init__(self, seed, size=60):
        self.random, self.clock, self.store = random.Random(seed), JumpingClock(), MemoryStore()
        self.things = [self.thing(number, asleep=number < size // 5) for number in range(size)]
        self.day, self.heard, self.named = 0, {}, set()
        self.begin()

    def thing(self, number, *, asleep):
        span = range(0)
        if asleep:
            start = self.random.randrange(0, 40)
            span = range(start, start + self.random.randrange(5, 120))
        # A type of its own for who is unable: else its word counts for all of the type.
        able = self.random.random() > 0.05
        return Sleeper(a_thing(number, model="LX-1" if able else "LX-0"), able, span)

    def begin(self):
        self.domain = Migrations(
            PlaneRecords(PlaneName.IDENTITY, self.store, prefix="update-keys/"),
            things=lambda: [one.record for one in self.things],
            heard=lambda thing: (self.heard.get(thing), timedelta(days=1)),
            crypto=CryptoPolicy(),
            clock=self.clock,
        )
        self.domain.resume((FIRST,))

    def hear(self, thing):
        self.heard[thing.record.id] = self.clock.utc()
        return self.domain.hear(thing.record, update_poll.read(thing.keys.query()))

    def pass_a_day(self):
        for thing in self.things:
            if self.day not in thing.asleep:
                thing.poll(self)
        asyncio.run(self.domain.flush())
        if self.random.random() < 0.1:
            self.begin()
        self.day += 1
        self.clock.seconds += 86_400

    def take(self, anchor, kind, **until):
        """What the owner does: look who would be stranded, name them, decide."""
        _, plan = self.domain.plan(anchor, **until)
        by_name = {one.candidate.thing for one in plan.prospects if one.standing is not Standing.AWAKE}
        left = {one.candidate.thing for one in plan.stranded}
        try:
            asyncio.run(self.domain.advance(anchor, kind, leaving=left, actor="owner", **until))
        except PolicyError as error:
            if error.reason != "moving":
                raise
            return False
        self.named |= by_name
        self.domain.resume((FIRST,))
        return True


@pytest.mark.requirement("R-76")
@pytest.mark.parametrize("seed", [*range(2), *[pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 60)]])
def test_nobody_is_stranded_but_who_was_named(seed):
    fleet = Fleet(seed)
    for _ in range(30):
        fleet.pass_a_day()
    until = (fleet.clock.utc() + timedelta(days=LAST_DAY)).date()
    assert fleet.take(OVERLAP, StepKind.INTRODUCE, until=until)
    retired = False
    for _ in range(LAST_DAY):
        fleet.pass_a_day()
        retired = retired or fleet.take(FINAL, StepKind.RETIRE)
    assert retired
    stranded = {one.record.id for one in fleet.things if not one.is_over}
    assert stranded <= fleet.named
    woke = {one.record.id for one in fleet.things if one.able and one.asleep.stop < fleet.day}
    assert not woke & stranded
    fleet.clock.seconds += 2 * 86_400
    _, _, now = fleet.domain.standing("acme")
    assert now is not None
    assert {one.candidate.thing for one in overdue(now, at=fleet.clock.utc())} == stranded
