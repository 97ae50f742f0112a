from datetime import timedelta

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.planes.software.campaign import Progress, campaign
from thingstead.planes.software.catalogue import Published
from thingstead.planes.software.release import ClassKey
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.protocols.suit.registry import Reason

ONE, TWO, THREE = (a_thing(number).id for number in (1, 2, 3))
DIGEST, OTHER = b"\1" * 32, b"\2" * 32
RELEASE = Published("acme", "LX-1", "1.1.0", 7, AT, ClassKey(b"vendor", b"class"), b"image", b"envelope")

RUNS = SoftwareRecord(7, "1.1.0", DIGEST, b"image", AT)
RUNS_ANOTHER = SoftwareRecord(6, "1.0.0", OTHER, b"old", AT - timedelta(days=9))
REFUSED = RUNS_ANOTHER.refuse(DIGEST, Reason.CONDITION_FAILED)


def counts(records=None, offered=(), fetched=()):
    """(offered, fetched, installed, refused) of a release with that progress and those reports."""
    progress = Progress(set(offered), set(fetched))
    counted = campaign(DIGEST, RELEASE, progress, things=3, records=records or {})
    return counted.offered, counted.fetched, counted.installed, counted.refused


def test_a_campaign_says_which_release_it_is_and_for_how_many():
    counted = campaign(DIGEST, RELEASE, Progress(), things=3, records={})
    assert (counted.maker, counted.model, counted.version, counted.sequence_number) == ("acme", "LX-1", "1.1.0", 7)
    assert (counted.published_at, counted.things) == (AT, 3)


@pytest.mark.parametrize(
    "record",
    [SoftwareRecord(), RUNS_ANOTHER, RUNS_ANOTHER.refuse(OTHER, Reason.CONDITION_FAILED)],
    ids=["nothing told", "another release", "another refused"],
)
def test_a_report_about_something_else_counts_for_nothing(record):
    assert counts({ONE: record}) == (0, 0, 0, 0)


def test_a_thing_that_runs_it_was_offered_it_and_fetched_it_whether_we_remember_or_not():
    assert counts({ONE: RUNS}) == (1, 1, 1, 0)
    assert counts({ONE: RUNS}, offered=[ONE, TWO], fetched=[ONE]) == (2, 1, 1, 0)


def test_a_thing_that_refused_it_was_offered_it_and_need_not_have_fetched_it():
    assert counts({ONE: REFUSED}) == (1, 0, 0, 1)
    assert counts({ONE: REFUSED}, fetched=[ONE]) == (1, 1, 0, 1)


def test_who_refused_it_first_and_runs_it_now_is_among_those_that_run_it_only():
    changed_its_mind = RUNS.refuse(DIGEST, Reason.CONDITION_FAILED)
    assert counts({ONE: changed_its_mind}) == (1, 1, 1, 0)


def test_each_thing_is_counted_once_in_each_column():
    records = {ONE: RUNS, TWO: REFUSED, THREE: RUNS_ANOTHER}
    assert counts(records, offered=[ONE, TWO, THREE], fetched=[ONE, THREE]) == (3, 2, 1, 1)
