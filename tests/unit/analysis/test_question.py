import pytest

from tests.sabotage.registry import REQUIRED
from thingstead.analysis.question import QUESTIONS, REQUIREMENTS, QuestionKind


def of(kind):
    return [question.id for question in QUESTIONS.values() if question.kind is kind]


@pytest.mark.requirement("R-90")
@pytest.mark.spec("RFC 8576 3")
def test_all_eleven_threats_are_asked_about():
    assert of(QuestionKind.THREAT) == [f"T{number}" for number in range(1, 12)]


@pytest.mark.requirement("R-90")
@pytest.mark.spec("RFC 8576 5")
@pytest.mark.spec("RFC 8576 6")
def test_every_challenge_with_a_section_and_the_seven_of_the_conclusion_are_asked_about():
    sections = ["1.1", "1.2", "1.3", "1.4", "2", "3.1", "3.2", *map(str, range(4, 12))]
    assert of(QuestionKind.CHALLENGE) == [*[f"C5.{one}" for one in sections], *[f"C6.{one}" for one in range(1, 8)]]


@pytest.mark.requirement("R-90")
def test_all_ninety_requirements_are_asked_about():
    assert of(QuestionKind.REQUIREMENT) == [f"R-{number:02}" for number in range(1, 91)]
    assert REQUIREMENTS.keys() >= REQUIRED


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=lambda question: question.id)
def test_no_question_is_without_title_source_or_what_is_missing(question):
    assert question.title
    assert question.spec
    assert question.missing
    assert set(question.rests_on) <= QUESTIONS.keys()
    assert question.id not in question.rests_on


def test_every_threat_and_challenge_rests_on_something():
    unsupported = [
        one.id for one in QUESTIONS.values() if one.kind is not QuestionKind.REQUIREMENT and not one.rests_on
    ]
    assert unsupported == []
