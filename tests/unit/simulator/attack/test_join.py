"""The attack against domains that do not hold; those that do are in tests/scenarios/threats."""

from tests.scenarios.threats.ground import attacked
from thingstead.errors import ReplayError
from thingstead.planes.identity.registrar import Registrar
from thingstead.simulator.attack import join as attack
from thingstead.simulator.attack.join import join


def test_a_refusal_for_another_reason_is_not_taken_for_the_right_one(monkeypatch):
    genuine = Registrar.authenticate

    def confused(self, identity, *, at):
        if b"mallory" in identity:
            raise ReplayError("as if it had come before")
        return genuine(self, identity, at=at)

    monkeypatch.setattr(Registrar, "authenticate", confused)
    assert [verdict.held for verdict in attacked(join)] == [False, True, True]


def test_whoever_gets_in_is_told_as_one_that_is_in(monkeypatch):
    """They come with things of a maker that the domain trusts, which it rightly takes."""

    async def in_earnest(target):
        monkeypatch.setattr(attack, "_maker", lambda _name: target.maker)
        return await join(target)

    stranger, counterfeiter, forger = attacked(in_earnest)
    assert [(verdict.held, verdict.observed) for verdict in (stranger, counterfeiter)] == [(False, "it is in")] * 2
    assert forger.held
