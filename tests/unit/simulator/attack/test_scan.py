"""The attack against domains that do not hold; those that do are in tests/scenarios/threats."""

from dataclasses import replace

import pytest

from tests.scenarios.threats.ground import attacked
from thingstead.errors import TransportError
from thingstead.phases.knocking import PATHS
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.simulator.attack.scan import scan
from thingstead.simulator.attack.station import Answer, Station

pytestmark = pytest.mark.slow


def failed(verdicts):
    return [verdict for verdict in verdicts if not verdict.held]


def path_of(message):
    return "/" + "/".join(value.decode() for number, value in message.options if number == OptionNumber.URI_PATH)


@pytest.mark.parametrize("answer", [Answer(Code.CONTENT), Answer(Code.BAD_REQUEST), Answer(0, "silence")], ids=str)
def test_it_tells_which_path_does_not_refuse(monkeypatch, answer):
    genuine = Station.ask

    async def ask(self, message, **options):
        return answer if path_of(message) == "/keys" else await genuine(self, message, **options)

    monkeypatch.setattr(Station, "ask", ask)
    (verdict,) = failed(attacked(scan))
    assert verdict.what == "/keys in clear, by 7 methods"


def test_it_tells_when_something_malformed_is_answered_as_if_it_were_a_request(monkeypatch):
    async def throw(_self, datagrams):
        return [b"\x60\x45\0\1" for _ in datagrams]

    monkeypatch.setattr(Station, "throw", throw)
    (verdict,) = failed(attacked(scan))
    assert verdict.observed.count("60450001") == verdict.observed.count("; ") + 1 > 10


def test_it_tells_what_silences_the_domain_and_throws_nothing_after_it(monkeypatch):
    thrown = []

    async def throw(_self, datagrams):
        thrown.extend(datagrams)
        raise TransportError("silence")

    monkeypatch.setattr(Station, "throw", throw)
    (verdict,) = failed(attacked(scan))
    assert (verdict.observed, len(thrown)) == ("nothing: no answer to a ping after it", 1)


@pytest.mark.parametrize(
    ("answering", "observed"),
    [
        ({}, "nothing"),
        ({5683: {"UDP"}, 22: {"TCP"}}, "TCP 22, UDP 5683"),
        ({5683: {"UDP", "TCP"}}, "TCP 5683, UDP 5683"),
    ],
)
def test_it_tells_which_ports_answer_beside_the_one_that_should(answering, observed):
    async def knock(port):
        return frozenset(answering.get(port, ()))

    *_, ports = attacked(lambda target: scan(replace(target, knock=knock)))
    assert (ports.held, ports.observed) == (False, observed)


def test_where_the_address_is_not_the_domain_s_alone_no_port_is_knocked_at():
    verdicts = attacked(scan)
    assert [verdict.plane for verdict in verdicts] == ["access"] * (len(PATHS) + 1)


def test_the_one_port_that_should_answer_is_no_finding():
    async def knock(port):
        return frozenset({"UDP"} if port == 5683 else ())

    assert failed(attacked(lambda target: scan(replace(target, knock=knock)))) == []
