from __future__ import annotations

import pytest

from tests.unit.analysis.traffic.packets import PHONE
from tests.unit.analysis.traffic.test_proposal import contact
from thingstead.analysis.traffic.story import amount, sentence, who


@pytest.mark.requirement("R-81")
def test_a_sentence_says_who_how_often_how_much_and_what_for() -> None:
    assert sentence(contact(port=123, protocol=17, name="time.example")) == (
        "it contacted time.example once by UDP port 123 (time), to set its clock: 300 B out, 300 B in"
    )


def test_who_came_from_elsewhere_is_the_one_that_acts() -> None:
    assert sentence(contact(PHONE, 23, outbound=False, out=0)).startswith(
        "10.77.0.9 contacted it once by TCP port 23 (remote login in clear), to log in, in clear: 0 B out"
    )


def test_what_nobody_answered_is_said() -> None:
    assert sentence(contact(back=0)).endswith("unanswered")


def test_what_nobody_can_tell_is_not_made_up() -> None:
    assert "its maker has to say what for" in sentence(contact(port=50443))


def test_those_beyond_the_bound_are_many_others() -> None:
    assert who(contact(b"", None)) == "many others"


@pytest.mark.parametrize(
    ("octets", "text"), [(0, "0 B"), (1023, "1023 B"), (2048, "2.0 kB"), (3 << 20, "3.0 MB"), (5 << 30, "5.0 GB")]
)
def test_amounts_are_rounded(octets: int, text: str) -> None:
    assert amount(octets) == text
