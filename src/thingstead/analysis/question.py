"""The questions that a security domain must answer: RFC 8576's threats and challenges, and the requirements from them.

``T1`` to ``T11`` are the threats of RFC 8576 §3, ``C5.1.1`` to ``C5.11`` the challenges of §5 with a section of
their own, ``C6.1`` to ``C6.7`` those that §6 calls of particular importance, in its order; ``R-01`` to ``R-90``
are requirements.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from thingstead.analysis.requirement import REQUIREMENT_ROWS

__all__ = ["QUESTIONS", "REQUIREMENTS", "Question", "QuestionKind"]


class QuestionKind(StrEnum):
    """What sort of question it is; in the order in which they are printed."""

    THREAT = "threat"
    CHALLENGE = "challenge"
    REQUIREMENT = "requirement"


@dataclass(frozen=True, slots=True)
class Question:
    """One row of the document.

    Attributes:
        id: e.g. ``T5``, ``C5.3.1``, ``R-15``.
        kind: threat, challenge or requirement.
        title: in a few words.
        spec: the section it comes from.
        missing: what is not there as long as nothing answers it; never empty.
        rests_on: questions whose answers answer this one too.
    """

    id: str
    kind: QuestionKind
    title: str
    spec: str
    missing: str
    rests_on: tuple[str, ...] = ()


_THREATS = """
T1|vulnerable software or code|nothing keeps a flaw in a thing's software from being used
T2|loss of privacy|nothing bounds what is collected about people
T3|cloning of things|a copy of a thing passes for the thing
T4|malicious substitution of things|a swapped thing is not noticed
T5|eavesdropping|traffic can be read now, or recorded and read later
T6|man in the middle|an active party between two things is not noticed
T7|firmware attacks|a thing installs what an attacker gives it
T8|extraction of private information|whoever holds a thing gets its keys and data
T9|routing attacks|nobody looks at mesh routing
T10|elevation of privilege|whoever is in may do anything
T11|denial of service|things and controller can be exhausted, or used to attack others
"""
_CHALLENGES = """
C5.1.1|resource constraints|what security costs on small things and links is not known
C5.1.2|resistance to denial of service|an attack on things that nobody watches goes unnoticed
C5.1.3|end-to-end security, translation and middleboxes|nothing protects a message across a translating node
C5.1.4|new network architectures|things cannot talk directly, or over very small frames
C5.2|bootstrapping of a security domain|unassociated things cannot become a domain
C5.3.1|group membership and security|no groups are run here
C5.3.2|mobility and changing addresses|a change of address ends the association
C5.4|secure software update and cryptographic agility|software and algorithms cannot be replaced safely
C5.5|end of life|a thing outlives its maker without a way on
C5.6|verifying device behaviour|nobody knows what a thing does on the network
C5.7|testing: bugs and vulnerabilities|neither types of things nor their combinations are tested
C5.8|quantum resistance|what is recorded today can be read, and signatures forged, later
C5.9|privacy protection|people have no awareness or control of what is collected
C5.10|reverse engineering|firmware and hardware give up keys and data
C5.11|trustworthy operation|mass exploitation of known holes is not prevented
"""
_IMPORTANT = """
C6.1|bootstrapping of security|C5.2
C6.2|group security|C5.3.1
C6.3|secure software updates|C5.4
C6.4|long-term security and quantum resistance|C5.8
C6.5|privacy protection|C5.9
C6.6|prevention of data leakage: keys, personal data, algorithms|C5.10 T8
C6.7|trustworthy operation|C5.11
"""


def _resting(name: str) -> tuple[str, ...]:
    return tuple([number for number, answers, _, _ in REQUIREMENT_ROWS if name in answers])


def _threats() -> list[Question]:
    rows = [line.split("|") for line in _THREATS.split("\n") if line]
    return [
        Question(name, QuestionKind.THREAT, title, "RFC 8576 §3", missing, _resting(name))
        for name, title, missing in rows
    ]


def _challenges() -> list[Question]:
    rows = [line.split("|") for line in _CHALLENGES.split("\n") if line]
    return [
        Question(name, QuestionKind.CHALLENGE, title, f"RFC 8576 §{name[1:]}", missing, _resting(name))
        for name, title, missing in rows
    ]


def _important() -> list[Question]:
    rows = [line.split("|") for line in _IMPORTANT.split("\n") if line]
    return [
        Question(
            name,
            QuestionKind.CHALLENGE,
            title,
            "RFC 8576 §6",
            f"nothing answers {' or '.join(rests_on.split())}",
            (*rests_on.split(), *[number for other in rests_on.split() for number in _resting(other)]),
        )
        for name, title, rests_on in rows
    ]


def _requirements() -> list[Question]:
    return [
        Question(number, QuestionKind.REQUIREMENT, title, "requirements", missing)
        for number, _, title, missing in REQUIREMENT_ROWS
    ]


QUESTIONS: dict[str, Question] = {
    question.id: question for question in (*_threats(), *_challenges(), *_important(), *_requirements())
}
"""Every question by its id, in the order of the document."""

REQUIREMENTS: dict[str, str] = {
    question.id: question.title for question in QUESTIONS.values() if question.kind is QuestionKind.REQUIREMENT
}
"""Number -> title: the requirements that tests can be evidence for."""
