from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.analysis.traffic.packets import CLOUD, LAMP, PHONE, ROUTER, look_up, packet
from thingstead.analysis.traffic.name_book import NameBook, NameLimits


@pytest.mark.spec("RFC 9726 3")
def test_a_name_holds_as_long_as_its_answer_says_and_no_longer() -> None:
    book = NameBook()
    book.learn("cloud.example", CLOUD, at=100.0, ttl=60)
    assert book.names_of(CLOUD, 160.0) == ("cloud.example",)
    assert book.names_of(CLOUD, 160.1) == ()


def test_an_address_that_nobody_asked_for_stands_for_nothing() -> None:
    assert NameBook().names_of(CLOUD, 0.0) == ()


def test_a_time_to_live_of_nothing_gives_who_asked_a_moment() -> None:
    book = NameBook()
    book.learn("cloud.example", CLOUD, at=0.0, ttl=0)
    assert book.names_of(CLOUD, 30.0)
    assert not book.names_of(CLOUD, 31.0)


def test_a_time_to_live_of_years_ends_after_a_day() -> None:
    book = NameBook()
    book.learn("cloud.example", CLOUD, at=0.0, ttl=1 << 31)
    assert not book.names_of(CLOUD, 86_401.0)


def test_the_newest_of_several_names_comes_first() -> None:
    book = NameBook()
    for at, name in enumerate(("a.example", "b.example", "a.example")):
        book.learn(name, CLOUD, at=at, ttl=60)
    assert book.names_of(CLOUD, 3.0) == ("a.example", "b.example")


@pytest.mark.spec("RFC 9726 3.2")
def test_an_address_of_several_owners_is_told_from_one_of_several_hosts() -> None:
    book = NameBook()
    book.learn("a.maker.example", CLOUD, at=0.0, ttl=60)
    book.learn("b.maker.example", CLOUD, at=0.0, ttl=60)
    assert not book.shared(CLOUD, 1.0)
    book.learn("c.other.test", CLOUD, at=0.0, ttl=60)
    assert book.shared(CLOUD, 1.0)
    assert not book.shared(CLOUD, 100.0)


def test_more_names_than_one_address_may_have_put_the_oldest_out() -> None:
    book = NameBook(NameLimits(max_names=2))
    for name in ("a.example", "b.example", "c.example"):
        book.learn(name, CLOUD, at=0.0, ttl=60)
    assert book.names_of(CLOUD, 0.0) == ("c.example", "b.example")


def test_more_addresses_than_are_remembered_put_the_oldest_out() -> None:
    book = NameBook(NameLimits(max_addresses=1))
    book.learn("a.example", CLOUD, at=0.0, ttl=60)
    book.learn("b.example", LAMP, at=0.0, ttl=60)
    assert book.names_of(CLOUD, 0.0) == ()
    assert book.names_of(LAMP, 0.0) == ("b.example",)


def test_the_answer_to_a_look_up_is_learned() -> None:
    book = NameBook()
    for one in look_up("cloud.example", CLOUD, at=5.0):
        book.see(one)
    assert book.names_of(CLOUD, 6.0) == ("cloud.example",)


def test_an_answer_that_nobody_asked_for_names_nothing() -> None:
    book = NameBook()
    book.see(look_up("cloud.example", CLOUD)[1])
    assert book.names_of(CLOUD, 0.0) == ()


@pytest.mark.parametrize("other", [{"source": PHONE}, {"destination": PHONE}, {"destination_port": 5001}])
def test_an_answer_from_another_place_or_to_another_names_nothing(other: dict[str, object]) -> None:
    book = NameBook()
    asked, answered = look_up("cloud.example", CLOUD)
    book.see(asked)
    book.see(replace(answered, **other))  # type: ignore[arg-type]  # fields of the right type
    assert book.names_of(CLOUD, 0.0) == ()


def test_an_answer_to_another_question_names_nothing() -> None:
    book = NameBook()
    book.see(look_up("cloud.example", CLOUD)[0])
    book.see(look_up("other.example", CLOUD)[1])
    book.see(look_up("cloud.example", CLOUD, number=8)[1])
    assert book.names_of(CLOUD, 0.0) == ()


def test_what_is_no_dns_on_its_port_names_nothing() -> None:
    book = NameBook()
    book.see(packet(LAMP, ROUTER, 5000, 53, payload=b"no dns"))
    book.see(packet(LAMP, ROUTER, 5000, 53, payload=bytes([0, 7, 1, 0]) + bytes(8)))
    assert book.names_of(CLOUD, 0.0) == ()


def test_questions_beyond_the_bound_are_forgotten() -> None:
    book = NameBook(NameLimits(max_questions=1))
    asked, answered = look_up("cloud.example", CLOUD)
    book.see(asked)
    book.see(look_up("other.example", CLOUD)[0])
    book.see(answered)
    assert book.names_of(CLOUD, 0.0) == ()


@pytest.mark.parametrize("name", ["a\\032b.example", "-.example", "a" * 60 + ".\\195.example"])
def test_a_name_that_no_rule_can_say_is_none(name: str) -> None:
    book = NameBook()
    for one in look_up(name, CLOUD):
        book.see(one)
    assert book.names_of(CLOUD, 0.0) == ()
