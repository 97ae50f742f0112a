"""The attack against domains that do not hold; those that do are in tests/scenarios/threats."""

from tests.scenarios.threats.ground import attacked
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.registry import Code
from thingstead.simulator.attack.station import Answer, Station
from thingstead.simulator.attack.token import token


def failed(verdicts):
    return [verdict.what for verdict in verdicts if not verdict.held]


def test_it_tells_when_scopes_do_not_count(monkeypatch):
    monkeypatch.setattr(Scope, "allows", lambda _self, _path, _method: None)
    beyond = failed(attacked(token))
    assert any(what.endswith("what a member's scope does not hold") for what in beyond)
    assert any(what.endswith("after all those tokens") for what in beyond)


def test_it_tells_when_somebody_takes_a_token_that_is_shown(monkeypatch):
    genuine = Station.ask

    async def ask(self, message, **options):
        answer = await genuine(self, message, **options)
        return Answer(Code.CREATED) if message.payload else answer

    monkeypatch.setattr(Station, "ask", ask)
    assert len([what for what in failed(attacked(token)) if "token" in what and "shown at" in what]) == 4


def test_silence_is_not_taken_for_a_refusal(monkeypatch):
    async def ask(_self, _message, **_options):
        return Answer(0, "silence")

    monkeypatch.setattr(Station, "ask", ask)
    assert any("scope does not hold" in what for what in failed(attacked(token)))
