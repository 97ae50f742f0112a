from collections import Counter
from dataclasses import replace

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.analysis.question import QUESTIONS
from thingstead.controller.evidence import findings
from thingstead.controller.figures import Figures
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.ledger.tally import Tally
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.plane import PlaneName
from thingstead.domain.thing import RELEASE, KeyRow
from thingstead.protocols.profile import path

NOTHING = Figures(
    at=AT,
    things=(),
    live=frozenset(),
    owed=0,
    tally=Tally(),
    sealed=0,
    half_open=0,
    max_half_open=256,
    refused={},
    dropped={},
    paths=(),
    public=(),
    expiries=0,
    idle=(),
    is_offline=False,
    forgotten={},
)


def with_key(number, **fields):
    return a_thing(number, keys=(KeyRow(bytes([number]) * 32, "maker", AT),), **fields)


MENDED = (KeyRow(b"r" * 32, RELEASE, AT),)
LAMP, SENSOR, GONE, NEW = (
    with_key(1),
    a_thing(2, maker="brook", keys=(KeyRow(b"\x02" * 32, "maker", AT), *MENDED)),
    with_key(3, state=LifecycleState.DECOMMISSIONED),
    with_key(4, state=LifecycleState.INSTALLED),
)


def a_tally(**attributes):
    tally = Tally()
    tally.by_kind = Counter({Kind.TRANSITION: 7, Kind.AUTHENTICATION: 3, Kind.AUTHORIZATION: 3, Kind.KILL_CLOCK: 1})
    tally.by_kind |= Counter({Kind.EXAMINATION: 2})
    tally.by_kind |= Counter({Kind.APPROVAL: 2, Kind.DELEGATION: 1})
    tally.refusals = Counter({"role": 1, "delegation": 1, "source": 1})
    tally.happened = Counter(
        {
            (Kind.TRANSITION, "handed-over"): 1,
            (Kind.TRANSITION, "support-adopted"): 1,
            (Kind.AUTHENTICATION, "handed-over"): 1,
            (Kind.ALARM, "clone"): 1,
            (Kind.ALARM, "oscore_nonce_reuse"): 1,
            (Kind.ALARM, "silence"): 2,
            (Kind.ALARM, "lost_contact"): 1,
            (Kind.RESTRICTION, "algorithm"): 1,
            (Kind.CONFIGURATION, "restored"): 1,
            (Kind.APPRAISAL, "good"): 2,
            (Kind.INSTALLATION, "installed"): 3,
            (Kind.ALARM, "new-behaviour"): 1,
            (Kind.APPRAISAL, "bad"): 1,
            (Kind.APPRAISAL, "exposure-scan"): 1,
            (Kind.NETWORK_POLICY, "owner-refusal"): 1,
            (Kind.RELEASE, "published"): 1,
        }
    )
    tally.restricted = Counter({"response": 1})
    tally.newest = {Kind.TRANSITION: 39}
    tally.verdicts = Counter({"admit": 3})
    tally.maintained = Counter({"domain": 3, "thing": 2})
    tally.slowest_kill = 412.0
    for name, value in attributes.items():
        setattr(tally, name, value)
    return tally


LIVED = replace(
    NOTHING,
    things=(LAMP, SENSOR, GONE, NEW),
    live=frozenset({LAMP.id, SENSOR.id}),
    tally=a_tally(),
    sealed=49,
    refused={
        "undeclared": 1,
        "forbidden": 4,
        "untrusted": 2,
        "unprotected": 1,
        "busy": 1,
        "unknown maker": 1,
        "attestation": 3,
    },
    dropped={"replay": 5, "malformed": 9, "amplification": 1, "incomplete": 2, "unverified": 3, "unauthenticated": 1},
    paths=(path.EDHOC, "/senml"),
    public=(path.EDHOC,),
    expiries=7,
    is_offline=True,
    forgotten={"silent": 1},
    assets={True: 9, False: 4},
    hybrid=1,
)
NEVER = {"R-05", "R-08", "R-10", "R-16", "R-23", "R-24", "R-36", "R-52", "R-53", "R-57", "R-60", "R-74", "R-77"}


def shown(figures):
    return {one.question: one for one in findings(figures)}


def test_every_row_answers_a_question_that_is_asked_and_is_whole():
    for one in findings(LIVED):
        assert one.question in QUESTIONS
        assert one.plane is None
        assert one.control
        assert one.evidence
        assert one.remaining_risk


def test_a_domain_in_which_nothing_happened_shows_nothing():
    assert {one.question for one in findings(NOTHING) if one.holds} == set()


def test_what_was_seen_is_shown_and_what_cannot_be_seen_from_here_is_not():
    assert {one.question for one in findings(LIVED) if not one.holds} == NEVER


@pytest.mark.parametrize(
    ("question", "change"),
    [
        ("R-01", {"tally": a_tally(undeclared=1)}),
        ("R-02", {"sealed": None}),
        ("R-03", {"tally": a_tally(refusals=Counter({"role": 1}))}),
        ("R-03", {"tally": a_tally(by_kind=Counter({Kind.APPROVAL: 2}))}),
        ("R-06", {"tally": a_tally(refusals=Counter())}),
        ("R-07", {"tally": a_tally(refusals=Counter())}),
        ("R-07", {"tally": a_tally(maintained=Counter({"domain": 3}))}),
        ("R-07", {"tally": a_tally(maintained=Counter({"thing": 3}))}),
        ("R-28", {"refused": {}}),
        ("R-38", {"tally": a_tally(restricted=Counter({"owner": 1}))}),
        ("R-38", {"idle": (PlaneName.NETWORK,)}),
        ("R-89", {"tally": a_tally(happened=Counter({(Kind.NETWORK_POLICY, "owner-refusal"): 1}))}),
        ("R-89", {"tally": a_tally(happened=Counter({(Kind.APPRAISAL, "exposure-scan"): 1}))}),
        ("R-89", {"idle": (PlaneName.NETWORK,)}),
        ("R-22", {"refused": {}}),
        ("R-30", {"tally": a_tally(happened=Counter())}),
        ("R-22", {"tally": a_tally(happened=Counter())}),
        ("R-28", {"tally": Tally()}),
        ("R-84", {"tally": a_tally(happened=Counter())}),
        ("R-87", {"hybrid": 0}),
        ("R-84", {"tally": a_tally(by_kind=Counter({Kind.TRANSITION: 7}))}),
        ("R-04", {"live": frozenset({LAMP.id, NEW.id})}),
        ("R-04", {"things": (LAMP, SENSOR)}),
        ("R-09", {"live": frozenset({LAMP.id, GONE.id})}),
        ("R-09", {"tally": a_tally(slowest_kill=None)}),
        ("R-09", {"tally": a_tally(slowest_kill=60_001.0)}),
        ("R-09", {"tally": a_tally(unfinished_kills=1)}),
        ("R-09", {"idle": (PlaneName.NETWORK,)}),
        ("R-11", {"tally": a_tally(happened=Counter())}),
        ("R-11", {"things": (LAMP, GONE, NEW)}),
        ("R-12", {"forgotten": {}}),
        ("R-14", {"refused": {}}),
        ("R-15", {"dropped": {}}),
        ("R-19", {"dropped": {}}),
        ("R-47", {"dropped": {}}),
        ("R-49", {"dropped": {}}),
        ("R-51", {"refused": {}}),
        ("R-55", {"dropped": {}}),
        ("R-21", {"tally": a_tally(happened=Counter())}),
        ("R-62", {"tally": a_tally(happened=Counter())}),
        ("R-62", {"live": frozenset()}),
        ("R-78", {"tally": a_tally(happened=Counter())}),
        ("R-78", {"tally": a_tally(refusals=Counter({"role": 1}))}),
        ("R-27", {"refused": {}, "dropped": {}}),
        ("R-35", {"refused": {}}),
        ("R-37", {"dropped": {}}),
        ("R-59", {"tally": a_tally(by_kind=Counter({Kind.AUTHENTICATION: 3, Kind.AUTHORIZATION: 2}))}),
        ("R-61", {"tally": Tally()}),
        ("R-76", {"tally": a_tally(happened=Counter())}),
        ("R-79", {"is_offline": False}),
        ("R-86", {"assets": {}}),
        ("T5", {"public": (path.EDHOC, "/senml")}),
        ("T8", {"things": (LAMP, replace(SENSOR, keys=LAMP.keys))}),
        ("C5.1.2", {"refused": {}}),
    ],
)
def test_evidence_against_a_control_or_none_for_it_is_not_shown(question, change):
    assert not shown(replace(LIVED, **change))[question].holds


def test_the_figures_are_those_that_were_counted():
    told = shown(LIVED)
    assert "7 transitions" in told["R-01"].evidence
    assert "slowest plane 412 ms" in told["R-09"].evidence
    assert "5 stale messages" in told["R-15"].evidence
    assert "4 requests outside their scope" in told["R-35"].evidence


def test_keys_that_sign_releases_are_of_many_things_and_no_thing_s_own():
    both = tuple(replace(one, keys=(*one.keys, *MENDED)) for one in (LAMP, GONE))
    assert shown(replace(LIVED, things=both))["T8"].holds


def test_a_plane_that_does_not_act_is_named():
    assert "NOT acting: network" in shown(replace(LIVED, idle=(PlaneName.NETWORK,)))["R-09"].evidence
