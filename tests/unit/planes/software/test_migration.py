"""Each thing is handed the one step that it lacks, and what was decided outlives whoever decided it."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.software.desk import ACME, ANCHORS, CountingRecords
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.ledger import entry
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.migration import Standing
from thingstead.domain.plane import PlaneName
from thingstead.domain.thing import released_under
from thingstead.errors import ConfigError, DecodeError, PolicyError, StateError, StorageError, UntrustedError
from thingstead.planes.software.migration import Migrations
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import succession, update_poll
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.succession import StepKind
from thingstead.storage.memory import MemoryStore

OLD, NEW, MENDERS = generate(KeyType.P256), generate(KeyType.ML_DSA_44), generate(KeyType.P256)
IDENTITY = generate(KeyType.P256).public
FIRST = TrustAnchor("acme", IDENTITY, (OLD.public,), ACME)
BROOK = ANCHORS[1]
LAMP, OTHER = a_thing(0), a_thing(1)
BOTH = frozenset({int(AlgorithmId.ESP256), int(AlgorithmId.ML_DSA_44)})
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def after(anchor, *makers):
    for make in makers:
        anchor = anchor_file.follow(anchor, [make(anchor.update_keys)])
    return anchor


def introduction(state):
    return succession.introduce(state, KeySet((NEW.public,)), [OLD, NEW], at=SINCE)


def retirement(state):
    return succession.retire(state, [OLD, NEW], at=SINCE)


def withdrawal(state):
    return succession.take_back(state, [OLD], at=SINCE)


def the_way_back(state):
    return succession.introduce(state, KeySet((OLD.public,)), [OLD, NEW], at=SINCE)


INTRODUCED = after(FIRST, introduction)
RETIRED = after(INTRODUCED, retirement)
RETURNED = after(INTRODUCED, withdrawal)


class Domain:
    """Migrations over a store that outlives them."""

    def __init__(self, things=(LAMP, OTHER), anchors=(FIRST, BROOK)):
        self.store, self.clock = MemoryStore(), JumpingClock()
        self.things, self.files = list(things), anchors
        self.times = {}
        self.restart()

    def restart(self):
        self.records = CountingRecords(PlaneName.IDENTITY, self.store, prefix="update-keys/")
        self.migrations = Migrations(
            self.records,
            things=lambda: self.things,
            heard=lambda thing: (self.times.get(thing, self.clock.utc()), timedelta(hours=1)),
            crypto=CryptoPolicy(),
            clock=self.clock,
        )
        self.trusted = self.migrations.resume(self.files)

    def poll(self, thing, place, verifies=BOTH):
        return self.migrations.hear(thing, update_poll.Standing(place, verifies))

    def walk(self, thing, anchor):
        """Poll as a thing does, to the end; how many steps it got."""
        places = [update_poll.place(state) for state in anchor.states]
        steps = 0
        while self.poll(thing, places[steps]) is not None:
            steps += 1
        return steps

    def advance(self, anchor, *kinds, **arguments):
        taken = asyncio.run(self.migrations.advance(anchor, *kinds, actor="owner", **arguments))
        self.trusted = self.migrations.resume(self.files)
        return taken

    def start(self, **arguments):
        return self.advance(INTRODUCED, StepKind.INTRODUCE, **arguments)

    def flush(self):
        asyncio.run(self.migrations.flush())

    def causes(self):
        return [entry.decode(leaf).cause for leaf in self.store.leaves()]


@pytest.fixture
def domain():
    made = Domain()
    for thing in (LAMP, OTHER):
        made.poll(thing, update_poll.place(FIRST.update_keys))
    return made


def test_a_thing_is_handed_the_step_that_it_lacks_and_none_that_it_has(domain):
    domain.start()
    assert domain.poll(LAMP, update_poll.place(FIRST.update_keys)) == INTRODUCED.steps[0]
    assert domain.poll(LAMP, update_poll.place(INTRODUCED.update_keys)) is None


def test_whoever_slept_walks_all_of_them(domain):
    domain.start()
    for thing in (LAMP, OTHER):
        domain.walk(thing, INTRODUCED)
    domain.advance(RETIRED, StepKind.RETIRE)
    assert domain.walk(OTHER, RETIRED) == 2


@pytest.mark.parametrize(
    "place", [b"", bytes(8), update_poll.place(RETIRED.update_keys)], ids=["none", "nobody's", "the last"]
)
def test_a_thing_elsewhere_is_handed_nothing(domain, place):
    domain.start()
    assert domain.poll(LAMP, place) is None


def test_a_thing_of_another_maker_is_handed_nothing(domain):
    domain.start()
    sensor = a_thing(2, maker="brook", model="TH-2")
    assert domain.poll(sensor, update_poll.place(FIRST.update_keys)) is None
    assert domain.poll(a_thing(3, maker="nobody"), update_poll.place(FIRST.update_keys)) is None


def test_a_thing_whose_updates_another_took_over_walks_with_that_one():
    menders = replace(FIRST, maker="menders", release_keys=(MENDERS.public,), vendor_id=bytes(16))
    step = succession.introduce(menders.update_keys, KeySet((NEW.public,)), [MENDERS, NEW], at=SINCE)
    moved = anchor_file.follow(menders, [step])
    adopted = replace(LAMP, keys=released_under((), [cose_key.thumbprint(MENDERS.public)], at=SINCE))
    domain = Domain(things=[adopted], anchors=(FIRST, moved))
    assert domain.poll(adopted, update_poll.place(menders.update_keys)) == step
    assert domain.poll(adopted, update_poll.place(FIRST.update_keys)) is None


def test_a_plan_changes_nothing(domain):
    kind, plan = domain.migrations.plan(INTRODUCED, until=date(2030, 1, 1))
    assert (kind, plan.counts()["awake"], plan.until) == (StepKind.INTRODUCE, 2, date(2030, 1, 1))
    assert domain.trusted == (FIRST, BROOK)
    assert domain.causes() == []


@pytest.mark.requirement("R-76")
def test_what_was_decided_outlives_a_crash_before_anybody_was_told(domain):
    domain.start(until=date(2030, 1, 1))
    domain.restart()
    assert domain.trusted[0] == INTRODUCED
    campaign, keys, plan = domain.migrations.standing("acme")
    assert (campaign.until, keys.number, plan.counts()["awake"]) == (date(2030, 1, 1), 1, 0)
    assert domain.causes() == ["update-keys-introduced"]


def test_what_things_said_is_written_a_moment_later_once_with_its_entry(domain):
    domain.start()
    domain.walk(LAMP, INTRODUCED)
    domain.flush()
    writes = domain.records.writes
    domain.walk(LAMP, INTRODUCED)
    domain.flush()
    domain.restart()
    _, _, plan = domain.migrations.standing("acme")
    assert [one.standing for one in plan.prospects if one.candidate.thing == LAMP.id] == [Standing.DONE]
    assert writes == 2
    assert domain.causes().count("update-keys") == 2


def test_a_full_disk_loses_nothing_that_a_thing_said(domain):
    domain.records.error = StorageError("disk full")
    with pytest.raises(StorageError):
        domain.flush()
    domain.records.error = None
    domain.flush()
    domain.restart()
    assert domain.records.load().keys() >= {f"thing/{LAMP.id}", f"thing/{OTHER.id}"}


def test_a_full_disk_takes_no_step(domain):
    domain.records.error = StorageError("disk full")
    with pytest.raises(StorageError):
        domain.start()
    assert domain.migrations.resume(domain.files) == (FIRST, BROOK)


def test_a_thing_that_is_heard_daily_costs_a_write_a_day(domain):
    domain.flush()
    before = domain.records.writes
    domain.clock.seconds += timedelta(days=2).total_seconds()
    domain.poll(LAMP, update_poll.place(FIRST.update_keys))
    domain.flush()
    assert domain.records.writes == before + 1
    assert domain.causes().count("update-keys") == 2


def test_a_thing_that_goes_back_and_forth_fills_no_ledger(domain):
    domain.start()
    for anchor in (FIRST, INTRODUCED) * 5:
        domain.poll(LAMP, update_poll.place(anchor.update_keys))
        domain.flush()
    steps = [one.details["step"] for one in map(entry.decode, domain.store.leaves()) if one.thing == LAMP.id]
    assert steps == [0, 1]


def test_who_is_gone_is_forgotten(domain):
    domain.flush()
    domain.things[1] = replace(OTHER, state=LifecycleState.DECOMMISSIONED)
    domain.poll(LAMP, update_poll.place(FIRST.update_keys), frozenset())
    domain.flush()
    assert f"thing/{OTHER.id}" not in domain.records.load()


def test_a_fifth_that_sleeps_is_named_beforehand_and_keeps_nobody_waiting(domain):
    domain.times[OTHER.id] = domain.clock.utc() - timedelta(days=20)
    domain.migrations._reached[OTHER.id] = replace(domain.migrations._reached[OTHER.id], at=domain.times[OTHER.id])
    until = (domain.clock.utc() + timedelta(days=60)).date()
    _, plan = domain.migrations.plan(INTRODUCED, until=until)
    (sleeper,) = [one for one in plan.prospects if one.standing is Standing.ASLEEP]
    assert (sleeper.candidate.thing, sleeper.last_safe) == (OTHER.id, until)
    domain.start(until=until)
    domain.walk(LAMP, INTRODUCED)
    domain.advance(RETIRED, StepKind.RETIRE)
    (told,) = domain.migrations.expiries()
    assert (set(told.strands), told.at.date()) == ({OTHER.id, LAMP.id}, until + timedelta(days=1))
    for thing in (LAMP, OTHER):
        domain.walk(thing, RETIRED)
    assert domain.migrations.expiries() == []


@pytest.mark.requirement("R-76")
def test_who_would_be_stranded_is_left_only_by_name(domain):
    domain.times[OTHER.id] = domain.clock.utc() - timedelta(days=90)
    domain.migrations._reached[OTHER.id] = replace(domain.migrations._reached[OTHER.id], at=domain.times[OTHER.id])
    until = (domain.clock.utc() + timedelta(days=60)).date()
    with pytest.raises(PolicyError) as caught:
        domain.start(until=until)
    assert caught.value.reason == "stranded"
    domain.start(until=until, leaving=[OTHER.id])
    domain.walk(LAMP, INTRODUCED)
    domain.advance(RETIRED, StepKind.RETIRE)
    assert domain.migrations.standing("acme")[0].leaving == {OTHER.id}


def test_old_keys_stay_while_somebody_awake_has_not_the_new_ones(domain):
    domain.start()
    domain.walk(LAMP, INTRODUCED)
    with pytest.raises(PolicyError) as caught:
        domain.advance(RETIRED, StepKind.RETIRE)
    assert caught.value.reason == "moving"


def test_an_overlap_is_taken_back(domain):
    domain.start(until=date(2030, 1, 1))
    domain.walk(LAMP, INTRODUCED)
    domain.advance(RETURNED, StepKind.RETURN, StepKind.INTRODUCE)
    assert (domain.walk(LAMP, RETURNED), domain.walk(OTHER, RETURNED)) == (2, 2)
    campaign, keys, _ = domain.migrations.standing("acme")
    assert (campaign.until, keys.effective) == (None, KeySet((OLD.public,)))
    assert domain.migrations.expiries() == []


def test_after_a_retirement_the_owner_goes_back_by_another_introduction(domain):
    domain.start()
    for thing in (LAMP, OTHER):
        domain.walk(thing, INTRODUCED)
    domain.advance(RETIRED, StepKind.RETIRE)
    for thing in (LAMP, OTHER):
        domain.walk(thing, RETIRED)
    back = after(RETIRED, the_way_back)
    with pytest.raises(PolicyError) as caught:
        domain.advance(back, StepKind.INTRODUCE)
    assert caught.value.reason == "sunset"
    domain.advance(back, StepKind.RETURN, StepKind.INTRODUCE)
    for thing in (LAMP, OTHER):
        domain.walk(thing, back)
    home = after(back, retirement)
    domain.advance(home, StepKind.RETIRE)
    assert (domain.walk(LAMP, home), domain.walk(OTHER, home)) == (4, 4)


@pytest.mark.parametrize(
    ("anchor", "kinds", "error"),
    [
        (FIRST, (StepKind.INTRODUCE,), ConfigError),
        (replace(FIRST, maker="nobody"), (StepKind.INTRODUCE,), ConfigError),
        (INTRODUCED, (StepKind.RETIRE,), StateError),
        (INTRODUCED, (StepKind.RETURN,), StateError),
        (replace(INTRODUCED, identity_key=OLD.public), (StepKind.INTRODUCE,), UntrustedError),
        (replace(FIRST, release_keys=(MENDERS.public,)), (StepKind.INTRODUCE,), UntrustedError),
    ],
)
def test_a_file_that_goes_on_otherwise_is_refused(domain, anchor, kinds, error):
    with pytest.raises(error):
        domain.advance(anchor, *kinds)
    assert domain.causes() == []


def test_a_file_two_steps_ahead_is_taken_one_step_at_a_time(domain):
    domain.advance(RETIRED, StepKind.INTRODUCE)
    with pytest.raises(StateError):
        domain.advance(RETIRED, StepKind.INTRODUCE)


def test_another_anchor_that_the_owner_puts_there_by_hand_counts(domain):
    domain.start()
    fresh = replace(FIRST, release_keys=(MENDERS.public,))
    assert domain.migrations.overlay((fresh,)) == (fresh,)
    elsewhere = after(
        FIRST, lambda state: succession.introduce(state, KeySet((MENDERS.public,)), [OLD, MENDERS], at=SINCE)
    )
    assert domain.migrations.overlay((elsewhere,)) == (elsewhere,)
    assert domain.migrations.overlay((RETIRED,)) == (RETIRED,)


def test_of_a_maker_whose_keys_never_moved_there_is_nothing_to_tell(domain):
    assert domain.migrations.makers() == ()
    assert domain.migrations.standing("brook")[2] is None
    with pytest.raises(ConfigError):
        domain.migrations.standing("nobody")


@pytest.mark.parametrize("key", ["maker/acme", f"thing/{LAMP.id}"])
@pytest.mark.parametrize("document", [b"\x80", b"\xa0"])
def test_what_is_damaged_on_disk_is_told(domain, key, document):
    asyncio.run(domain.records.write({key: document}))
    with pytest.raises(DecodeError):
        domain.restart()
