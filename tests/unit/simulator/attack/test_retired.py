"""The attack against domains that do not hold; those that do are in tests/scenarios/threats."""

from tests.scenarios.threats.ground import attacked
from thingstead.controller import admission, join_judge
from thingstead.controller.server import DomainServer
from thingstead.simulator.attack.retired import retired


def failed(verdicts):
    return {verdict.plane for verdict in verdicts if not verdict.held}


def test_it_tells_when_a_retired_thing_is_welcome(monkeypatch):
    for module in (admission, join_judge):
        monkeypatch.setattr(module, "require_welcome", lambda _known: None)
    assert "identity" in failed(attacked(retired))


def test_it_tells_when_the_association_outlives_the_thing(monkeypatch):
    monkeypatch.setattr(DomainServer, "end", lambda *_args, **_kwargs: None)
    assert {"access", "data"} <= failed(attacked(retired))


def test_every_plane_is_asked_where_all_hold():
    verdicts = attacked(retired)
    assert failed(verdicts) == set()
    assert {verdict.plane for verdict in verdicts} == {"identity", "access", "groups", "software", "network", "data"}
