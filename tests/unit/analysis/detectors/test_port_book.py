"""Invariant: what is sent under a thing's address from another port than the thing's is never put down to the thing."""

import pytest

from thingstead.analysis.detectors.port_book import PortBook
from thingstead.analysis.detectors.sight import foreign, mac

LAMP = bytes.fromhex("020000000001")
HOME, ELSEWHERE = "lan1", "lan2"
HOUR = 3600.0


def settled(**fields):
    """The lamp was heard behind one port alone for a while."""
    book = PortBook(**fields)
    for at in (0.0, 300.0, 601.0):
        assert book.sender(LAMP, HOME, at) == LAMP
    return book


pytestmark = pytest.mark.requirement("R-34")


def test_a_frame_from_another_port_is_put_down_to_whoever_is_there():
    sender = settled().sender(LAMP, ELSEWHERE, 602.0)
    assert sender == foreign(LAMP, ELSEWHERE) != LAMP
    assert mac(sender) == "02:00:00:00:00:01 behind lan2"


def test_the_thing_itself_is_still_at_home_while_another_uses_its_address():
    book = settled()
    for at in range(602, 700):
        assert book.sender(LAMP, ELSEWHERE, float(at)) != LAMP
        assert book.sender(LAMP, HOME, at + 0.5) == LAMP


def test_nobody_is_accused_while_two_use_an_address_and_neither_is_known():
    book = PortBook()
    assert book.sender(LAMP, ELSEWHERE, 0.0) == LAMP, "nobody else yet"
    assert book.sender(LAMP, HOME, 1.0) != LAMP
    assert book.sender(LAMP, ELSEWHERE, 2.0) != LAMP


def test_a_thing_without_keys_is_where_it_is_heard_once_it_was_silent_elsewhere():
    book = settled()
    assert book.sender(LAMP, ELSEWHERE, 1200.0) != LAMP
    assert book.sender(LAMP, ELSEWHERE, 1202.0) == LAMP
    assert book.sender(LAMP, HOME, 1203.0) != LAMP


def test_silence_moves_nothing_that_rules_hold_to_its_port():
    book = settled(held=True)
    assert book.sender(LAMP, ELSEWHERE, HOUR * 24) != LAMP
    assert book.sender(LAMP, HOME, HOUR * 25) == LAMP


def test_silence_moves_nothing_that_has_shown_its_keys():
    book = settled()
    book.verify(LAMP, 601.0)
    assert book.sender(LAMP, ELSEWHERE, HOUR * 24) != LAMP


def test_a_thing_that_moved_is_where_it_shows_its_keys():
    book = settled()
    book.verify(LAMP, 601.0)
    book.sender(LAMP, ELSEWHERE, 700.0)
    book.verify(LAMP, 700.0)
    assert book.sender(LAMP, ELSEWHERE, 702.0) != LAMP, "the tap may be late"
    assert book.sender(LAMP, ELSEWHERE, 706.0) == LAMP
    assert book.sender(LAMP, HOME, 707.0) != LAMP


def test_a_forger_who_is_seen_before_the_message_that_verified_gains_nothing():
    book = settled()
    book.verify(LAMP, 1000.0)
    assert book.sender(LAMP, ELSEWHERE, 1000.0) != LAMP, "in one batch, and first"
    assert book.sender(LAMP, HOME, 1000.0) == LAMP
    for at in range(1001, 1060):
        assert book.sender(LAMP, ELSEWHERE, float(at)) != LAMP


def test_a_place_is_known_at_once_where_the_thing_alone_is_heard_and_verifies():
    book = PortBook()
    book.sender(LAMP, HOME, 1000.0)
    book.verify(LAMP, 1000.5)
    assert book.sender(LAMP, ELSEWHERE, 1001.0) != LAMP
    assert book.sender(LAMP, HOME, 1001.5) == LAMP


def test_what_verifies_while_another_is_heard_too_may_have_come_from_either():
    book = PortBook()
    book.sender(LAMP, ELSEWHERE, 1000.0)
    book.sender(LAMP, HOME, 1000.1)
    book.verify(LAMP, 1000.5)
    assert book.sender(LAMP, ELSEWHERE, 1001.0) != LAMP
    assert book.sender(LAMP, HOME, 1001.5) != LAMP
