"""What the plane answers is of questions that are asked, and each names what stays."""

import pytest

from thingstead.analysis.question import QUESTIONS
from thingstead.planes.access.finding import FINDINGS


@pytest.mark.parametrize("question", sorted(FINDINGS))
def test_every_answer_is_to_a_question_and_names_control_and_risk(question):
    assert question in QUESTIONS
    assert all(FINDINGS[question])
