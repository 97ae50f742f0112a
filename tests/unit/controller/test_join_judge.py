"""What becomes of a join, by the policy and by what the thing was: nothing is written by asking."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.controller.planes import House
from tests.unit.controller.test_admission import OTHER_KEY, SCOPES, THING_KEY, known, rule
from tests.unit.domain.things import AT
from thingstead.controller.join_judge import JoinJudge
from thingstead.controller.waiting_room import Approval, WaitingRoom
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import PlaneName
from thingstead.domain.policy import IdentityFacts, JoinPolicy, ProfileName, Verdict
from thingstead.errors import PolicyError, UntrustedError
from thingstead.protocols.cose import key as cose_key
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

S = LifecycleState
OWN, OTHER = (cose_key.thumbprint(key.public) for key in (THING_KEY, OTHER_KEY))
FACTS = IdentityFacts("acme", "LX-1", "A0001", OWN, "edhoc-3")


class Hall:
    """A judge, with whom it knows and who waits."""

    def __init__(self, *rules, store=None, seats=2):
        self.store = store or MemoryStore()
        house = House(self.store)
        self.clock, self.register = house.clock, house.register
        records = PlaneRecords(PlaneName.IDENTITY, self.store, prefix="waiting/")
        self.waiting = WaitingRoom(records, clock=house.clock, seats=seats)
        self.policy = JoinPolicy(ProfileName.BUILDING, SCOPES, rules)
        self.judge = JoinJudge(self.register, self.waiting, policy=lambda: self.policy, clock=house.clock)

    def decide(self, facts=FACTS, ownerless=""):
        return self.judge.explain(facts, at=AT, ownerless=ownerless).decision


def test_who_is_on_its_way_in_counts_until_it_leaves():
    hall = Hall(rule(count=1))
    hall.judge.enter(FACTS)
    second = replace(FACTS, serial="A0002", thumbprint=OTHER)
    assert hall.decide(second).verdict is Verdict.HOLD
    hall.judge.leave(("acme", "A0001"))
    assert hall.decide(second).verdict is Verdict.ADMIT


def test_the_policy_of_now_decides():
    hall = Hall(rule())
    assert hall.decide().verdict is Verdict.ADMIT
    hall.policy = JoinPolicy(ProfileName.BUILDING, SCOPES, (rule(Verdict.REFUSE),))
    assert hall.decide().verdict is Verdict.REFUSE


def test_who_is_nobody_s_waits_and_is_not_refused_for_that():
    found = Hall(rule()).decide(ownerless="nobody says that it is ours")
    assert (found.verdict, found.rule) == (Verdict.HOLD, "lamps, but nobody says that it is ours")


def test_another_key_than_it_had_waits_for_a_person():
    found = Hall(rule(), store=known(S.OPERATIONAL)).decide(replace(FACTS, thumbprint=OTHER))
    assert found.verdict is Verdict.HOLD
    assert "is not the one that it had" in found.rule


@pytest.mark.parametrize(
    ("state", "restriction"),
    [
        (S.DECOMMISSIONED, Restriction.NONE),
        (S.OPERATIONAL, Restriction.QUARANTINED),
        (S.OPERATIONAL, Restriction.HELD),
    ],
)
def test_who_left_or_is_restricted_is_not_even_judged(state, restriction):
    with pytest.raises(UntrustedError):
        Hall(rule(), store=known(state, restriction)).decide()


def test_where_no_seat_is_left_who_would_wait_is_refused():
    found = Hall(rule(Verdict.HOLD), seats=0).decide()
    assert (found.verdict, found.rule) == (Verdict.REFUSE, "lamps, but too many wait already")


@pytest.mark.parametrize(
    ("approved", "verdict"), [(OWN, Verdict.ADMIT), (OTHER, Verdict.HOLD)], ids=["hers", "another"]
)
@pytest.mark.requirement("R-28")
def test_a_person_s_word_is_for_the_key_that_they_saw(approved, verdict):
    hall = Hall(rule(Verdict.HOLD), store=known(S.INSTALLED))
    (thing,) = hall.register.things()

    async def story():
        await hall.waiting.tell(thing.id, approved, rule="lamps", zone="floor-1", entries=())
        said = Approval("member", AT + timedelta(days=1), "owner")
        await hall.waiting.approve(hall.waiting.find(thing.id), said, details={})

    asyncio.run(story())
    assert hall.decide().verdict is verdict


def test_a_scope_that_the_policy_lacks_is_not_required_into_being():
    hall = Hall(rule(Verdict.HOLD), store=known(S.INSTALLED))
    (thing,) = hall.register.things()
    hall.judge.require_scope(thing, "guest")
    with pytest.raises(PolicyError, match="no scope 'root'"):
        hall.judge.require_scope(thing, "root")


def test_without_a_rule_that_gives_one_a_scope_has_to_be_named():
    hall = Hall(store=known(S.INSTALLED))
    (thing,) = hall.register.things()
    with pytest.raises(PolicyError, match="name one"):
        hall.judge.require_scope(thing, "")
