"""The attack against domains that do not hold; those that do are in tests/scenarios/threats."""

import pytest

from tests.scenarios.threats.ground import attacked
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.simulator.attack import tamper as attack
from thingstead.simulator.attack.tamper import tamper

pytestmark = pytest.mark.slow


def test_it_tells_when_a_changed_header_makes_a_value_count_twice(monkeypatch):
    monkeypatch.setattr(ReplayWindow, "check", lambda _self, _number: None)
    _, header, *_ = attacked(tamper)
    assert not header.held
    assert not header.observed.startswith("0 ")


def test_it_tells_when_what_it_changed_is_taken(monkeypatch):
    """Nothing is changed in fact, so that each of its datagrams is the genuine one."""
    monkeypatch.setattr(attack, "_with_bit_changed", lambda data, _place: data)
    request, _, message_1, message_3 = attacked(tamper)
    assert [verdict.held for verdict in (request, message_1, message_3)] == [False, False, False]
