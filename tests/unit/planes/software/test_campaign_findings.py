import pytest

from tests.unit.planes.software.desk import LAMP, Desk, made, told
from thingstead.domain.campaign_plan import Plan, Share, Stage

STAGES = Plan((Stage(Share(1)), Stage(Share(basis=10000))))


def a_desk(*, plan=STAGES):
    desk = Desk().admit()
    desk.plan(plan)
    desk.publish()
    return desk


@pytest.mark.parametrize("question", ["R-69", "R-72"])
def test_nothing_is_shown_before_a_campaign_has_brought_something(question):
    (finding,) = a_desk().tracker.findings(question)
    assert not finding.holds
    assert "1 by stages or shares, in which 0 things" in finding.evidence


@pytest.mark.parametrize("question", ["R-69", "R-72"])
def test_what_it_brought_is_shown(question):
    desk = a_desk()
    desk.tracker.poll(LAMP.id)
    desk.report(LAMP, told(made()))
    (finding,) = desk.tracker.findings(question)
    assert finding.holds


def test_what_everybody_gets_at_once_shows_no_plan():
    desk = a_desk(plan=Plan())
    desk.tracker.poll(LAMP.id)
    desk.report(LAMP, told(made()))
    assert not desk.tracker.findings("R-72")[0].holds


def test_other_questions_are_others():
    assert list(a_desk().campaigns.findings("R-01")) == []
