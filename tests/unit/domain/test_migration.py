"""Before keys change, every thing is accounted for: it moves, it sleeps and will move, or it is named."""

from datetime import UTC, date, datetime, timedelta

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.crypto_policy import crypto_policy
from thingstead.domain.migration import Candidate, Standing, overdue, plan, require_retirable, sunset
from thingstead.errors import PolicyError
from thingstead.identifier import ThingId
from thingstead.protocols.profile import key_set
from thingstead.protocols.profile.key_set import KeySet

AT = datetime(2030, 6, 1, tzinfo=UTC)
UNTIL = date(2030, 12, 31)
P256, OTHER, QUANTUM = (generate(one).public for one in (KeyType.P256, KeyType.P256, KeyType.ML_DSA_44))
OLD, NEW, HYBRID = KeySet((P256,)), KeySet((QUANTUM,)), key_set.hybrid((P256, QUANTUM))
CLASSICAL = frozenset({int(AlgorithmId.ESP256)})
BOTH = CLASSICAL | {int(AlgorithmId.ML_DSA_44)}
DAY = timedelta(days=1)


def lamp(serial="A1", *, silent=timedelta(hours=1), model="LX-1", verifies=BOTH, step=None, mended=None):
    heard = None if silent is None else AT - silent
    return Candidate(ThingId(f"thing-{serial}"), serial, model, heard, timedelta(hours=1), step, verifies, mended)


def standing(one, *, until=UNTIL, after=NEW, beside=()):
    made = plan(OLD, after, [one, *beside], at=AT, step=1, until=until)
    return next(each for each in made.prospects if each.candidate == one)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (lamp(), Standing.AWAKE),
        (lamp(step=0), Standing.AWAKE),
        (lamp(step=1), Standing.DONE),
        (lamp(step=2, silent=900 * DAY), Standing.DONE),
        (lamp(silent=30 * DAY), Standing.ASLEEP),
        (lamp(silent=200 * DAY), Standing.ASLEEP),
        (lamp(silent=214 * DAY), Standing.LATE),
        (lamp(silent=None), Standing.LATE),
        (lamp(mended=AT - DAY), Standing.LATE),
        (lamp(verifies=CLASSICAL), Standing.UNABLE),
        (lamp(verifies=frozenset()), Standing.UNABLE),
        (lamp(verifies=None), Standing.UNTOLD),
    ],
)
def test_every_thing_has_its_standing(one, expected):
    assert standing(one).standing is expected


def test_without_a_last_day_nobody_is_late():
    for one in (lamp(silent=None), lamp(silent=2000 * DAY)):
        found = plan(NEW, KeySet((QUANTUM, OTHER)), [one], at=AT, step=1)
        assert [each.standing for each in found.prospects] == [Standing.ASLEEP]


def test_the_last_safe_day_is_the_earlier_of_the_old_keys_and_of_support():
    assert standing(lamp()).last_safe == UNTIL
    assert standing(lamp(mended=datetime(2030, 9, 1, tzinfo=UTC))).last_safe == date(2030, 8, 31)


def test_a_thing_that_said_nothing_verifies_what_all_others_of_its_type_do():
    silent = lamp(verifies=None)
    assert standing(silent, beside=[lamp("A2")]).standing is Standing.AWAKE
    assert standing(silent, beside=[lamp("A2"), lamp("A3", verifies=CLASSICAL)]).standing is Standing.UNABLE
    assert standing(silent, beside=[lamp("B1", model="TH-2")]).standing is Standing.UNTOLD


def test_a_hybrid_takes_both_algorithms_of_a_thing():
    assert standing(lamp(), after=HYBRID).standing is Standing.AWAKE
    assert standing(lamp(verifies=CLASSICAL), after=HYBRID).standing is Standing.UNABLE


@pytest.mark.requirement("R-75")
@pytest.mark.parametrize("one", [lamp(verifies=CLASSICAL), lamp(verifies=None)])
def test_a_plan_for_a_class_that_cannot_verify_is_refused_by_name(one):
    made = plan(OLD, NEW, [one, lamp("B1", model="TH-2")], at=AT, step=1, until=UNTIL)
    with pytest.raises(PolicyError, match=r"A1 \(LX-1\)") as caught:
        made.require_safe(())
    assert caught.value.reason == "capability"
    made.require_safe({one.thing})


@pytest.mark.requirement("R-76")
def test_a_plan_that_strands_a_sleeper_is_refused_until_the_owner_names_it():
    late = lamp(silent=300 * DAY)
    made = plan(OLD, NEW, [late, lamp("A2")], at=AT, step=1, until=UNTIL)
    with pytest.raises(PolicyError, match="A1") as caught:
        made.require_safe({ThingId("thing-A2")})
    assert caught.value.reason == "stranded"
    made.require_safe({late.thing})
    assert made.counts() == {"done": 0, "awake": 1, "asleep": 0, "late": 1, "unable": 0, "untold": 0}


@pytest.mark.requirement("R-76")
@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (lamp(), "moving"),
        (lamp(silent=214 * DAY), "stranded"),
        (lamp(verifies=CLASSICAL), "capability"),
    ],
)
def test_old_keys_do_not_retire_while_somebody_would_be_left(one, reason):
    now = plan(OLD, NEW, [one, lamp("A2", step=1)], at=AT, step=1, until=UNTIL)
    with pytest.raises(PolicyError) as caught:
        require_retirable(now, ())
    assert caught.value.reason == reason
    require_retirable(now, {one.thing})


def test_old_keys_retire_while_somebody_sleeps_who_will_walk_in_time():
    now = plan(OLD, NEW, [lamp(silent=30 * DAY), lamp("A2", step=1)], at=AT, step=1, until=UNTIL)
    require_retirable(now, ())


@pytest.mark.requirement("R-76")
def test_after_its_last_safe_day_whoever_has_not_walked_is_to_be_isolated():
    things = [lamp(silent=30 * DAY), lamp("A2", step=1)]
    now = plan(OLD, NEW, things, at=AT, step=1, until=UNTIL)
    assert overdue(now, at=datetime(2030, 12, 31, 23, tzinfo=UTC)) == ()
    assert [one.candidate.serial for one in overdue(now, at=datetime(2031, 1, 1, tzinfo=UTC))] == ["A1"]


@pytest.mark.requirement("R-75")
@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [(OLD, OLD, "same-keys"), (NEW, OLD, "sunset"), (HYBRID, OLD, "sunset"), (HYBRID, KeySet((OTHER,)), "sunset")],
)
def test_a_change_that_wins_nothing_is_refused(before, after, reason):
    with pytest.raises(PolicyError) as caught:
        plan(before, after, [lamp()], at=AT, step=1)
    assert caught.value.reason == reason


def test_signatures_that_end_before_they_are_needed_are_refused():
    with pytest.raises(PolicyError) as caught:
        plan(OLD, KeySet((OTHER,)), [lamp()], at=AT, step=1, until=date(2040, 1, 1))
    assert caught.value.reason == "sunset"
    with pytest.raises(PolicyError):
        plan(NEW, OLD, [lamp()], at=datetime(2036, 1, 1, tzinfo=UTC), step=1, is_way_back=True)


def test_the_owner_goes_back_on_purpose_and_a_key_may_follow_another_of_its_kind():
    assert plan(NEW, OLD, [lamp()], at=AT, step=1, is_way_back=True).prospects
    assert plan(OLD, KeySet((OTHER,)), [lamp()], at=AT, step=1).prospects


def test_a_set_lasts_as_long_as_whoever_forges_lacks_one_signature():
    end = date(2035, 12, 31)
    assert (sunset(OLD), sunset(NEW), sunset(HYBRID)) == (end, None, None)
    assert sunset(KeySet((P256, QUANTUM))) is None
    assert sunset(key_set.threshold((P256, QUANTUM), 1)) == end
    assert sunset(key_set.threshold((P256, OTHER, QUANTUM), 2)) == end
    assert sunset(KeySet((P256, OTHER))) == end


def test_a_refusal_names_eight_and_counts_the_rest():
    many = [lamp(f"A{number:02}", verifies=None) for number in range(11)]
    with pytest.raises(PolicyError, match=r"A07 .* and 3 more"):
        plan(OLD, NEW, many, at=AT, step=1, until=UNTIL).require_safe(())


def test_the_owners_own_date_of_an_algorithm_comes_before_the_registrys():
    crypto = crypto_policy({"ESP256": date(2031, 3, 31)}, 2035)
    assert (sunset(OLD, crypto), sunset(HYBRID, crypto)) == (date(2031, 3, 31), None)
    made = plan(OLD, NEW, [lamp()], at=AT, step=1, crypto=crypto)
    assert made.prospects[0].last_safe == date(2031, 3, 31)
    with pytest.raises(PolicyError):
        plan(NEW, OLD, [lamp()], at=datetime(2031, 4, 1, tzinfo=UTC), step=1, is_way_back=True, crypto=crypto)
