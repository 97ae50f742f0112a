from __future__ import annotations

import pytest

from thingstead.analysis.traffic.clue import Clue, Source
from thingstead.analysis.traffic.kind import guess

CLOUD = Clue(Source.ASKED_NAME, "devs.tplinkcloud.com")
NAME = Clue(Source.DHCP_NAME, "HS100(EU)")


def test_a_guess_says_what_it_rests_on() -> None:
    found = guess([CLOUD, NAME], [])
    assert found.kind == "smart plug"
    assert found.because == ("DHCP host name: HS100(EU)", "looked up: devs.tplinkcloud.com")


def test_what_speaks_for_the_same_makes_it_surer() -> None:
    assert 0 < guess([CLOUD], []).confidence < guess([CLOUD, NAME], []).confidence < 1


def test_many_names_of_one_cloud_are_one_hint() -> None:
    many = [Clue(Source.ASKED_NAME, f"{number}.tplinkcloud.com") for number in range(9)]
    assert guess(many, []).confidence == guess(many[:1], []).confidence


def test_what_speaks_for_another_kind_makes_it_less_sure() -> None:
    assert guess([NAME, Clue(Source.SERVICE, "_ipp._tcp")], []).confidence < 0.8


def test_a_service_speaks_too() -> None:
    found = guess([], [(6, 554)])
    assert (found.kind, found.because) == ("camera", ("answers at TCP port 554",))


@pytest.mark.parametrize(
    "clue",
    [Clue(Source.ASKED_NAME, "HS100"), Clue(Source.HTTP_AGENT, "HS100"), Clue(Source.DHCP_NAME, "nothing known")],
)
def test_a_word_in_another_place_speaks_for_nothing(clue: Clue) -> None:
    assert guess([clue], []) == guess([], [(6, 4711)])


def test_of_who_said_nothing_nothing_is_guessed() -> None:
    found = guess([], [])
    assert (found.kind, found.confidence, found.because) == ("", 0.0, ())


def test_the_order_in_which_it_was_said_does_not_matter() -> None:
    assert guess([CLOUD, NAME], [(6, 80), (6, 9999)]) == guess([NAME, CLOUD], [(6, 9999), (6, 80)])


def test_who_makes_one_kind_of_device_speaks_for_it_a_little() -> None:
    found = guess([Clue(Source.INTERFACE, "eQ-3 Entwicklung GmbH")], [])
    assert (found.kind, found.because) == ("hub", ("maker of its interface: eQ-3 Entwicklung GmbH",))
    assert found.confidence < guess([NAME], []).confidence


@pytest.mark.parametrize(
    "maker", ["", "Samsung Electronics Co.,Ltd", "Intel Corporate", "(an address of its own making)"]
)
def test_who_makes_many_kinds_or_radios_speaks_for_none(maker: str) -> None:
    assert guess([Clue(Source.INTERFACE, maker)], []).kind == ""
