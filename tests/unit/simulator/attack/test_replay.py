"""The attack against domains that do not hold; those that do are in tests/scenarios/threats."""

from tests.scenarios.threats.ground import attacked
from thingstead.protocols.coap.reliability import Deduplicator
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.simulator.attack.replay import replay


def test_it_tells_when_a_number_that_was_seen_passes(monkeypatch):
    monkeypatch.setattr(ReplayWindow, "check", lambda _self, _number: None)
    exactly, as_new, elsewhere, handshake = attacked(replay)
    assert (exactly.held, as_new.held, elsewhere.held, handshake.held) == (True, False, False, True)
    assert as_new.observed.startswith("3 values more")


def test_it_tells_when_a_repetition_is_not_known_as_one(monkeypatch):
    monkeypatch.setattr(Deduplicator, "remember", lambda *_args: None)
    exactly, *_ = attacked(replay)
    assert not exactly.held


def test_what_holds_is_told_with_the_reason_that_was_counted():
    verdicts = attacked(replay)
    assert all(verdict.held for verdict in verdicts)
    assert ["duplicate" in verdicts[0].evidence, "replay" in verdicts[1].evidence] == [True, True]
