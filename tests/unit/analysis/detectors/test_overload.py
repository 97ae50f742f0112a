import dataclasses

import pytest

from tests.unit.analysis.detectors.traffic import (
    GATEWAY,
    LAMP,
    OTHER_IP,
    REMOTE_IP,
    SCENE,
    back,
    ip,
    syn,
    tcp,
    told,
    udp,
)
from thingstead.analysis.detectors.detector import Severity
from thingstead.analysis.traffic.name_book import NameBook

NAME = "overload"
START = 60_000
_NAMES = NameBook()
_NAMES.learn("relay.example", ip(REMOTE_IP), at=START, ttl=86_400)
LOOKED_UP = dataclasses.replace(SCENE, names=_NAMES)


def minutes(count, *, rate, first=0, make=syn, **fields):
    """So many requests in each minute."""
    return [
        make(START + (first + minute) * 60 + number * 60 / rate, **fields)
        for minute in range(count)
        for number in range(rate)
    ]


@pytest.mark.requirement("R-51")
@pytest.mark.parametrize("make", [syn, udp])
def test_a_thing_that_asks_ten_times_as_often_for_minutes_is_found(make):
    (found,) = told(NAME, *minutes(10, rate=5, make=make), *minutes(4, rate=300, first=10, make=make))
    assert (found.device, found.severity) == (LAMP, Severity.INCIDENT)
    assert "5 are usual" in found.evidence[0]


@pytest.mark.requirement("R-51")
@pytest.mark.parametrize("port", [443, 3478])
def test_a_call_or_a_film_with_a_host_that_was_looked_up_is_one_conversation(port):
    many = [*minutes(10, rate=5), *minutes(6, rate=3000, first=10, make=udp, ports=(50_000, port))]
    assert not told(NAME, *many, scene=LOOKED_UP)
    assert told(NAME, *many), "a host out of nowhere"


@pytest.mark.requirement("R-51")
@pytest.mark.parametrize("fields", [{"ports": (5683, 5683)}, {"ports": (40_000, 53)}, {"to": OTHER_IP}])
def test_requests_count_whoever_was_looked_up_and_so_does_all_within_the_site(fields):
    many = [*minutes(10, rate=5), *minutes(6, rate=400, first=10, make=udp, **fields)]
    assert told(NAME, *many, scene=LOOKED_UP)


@pytest.mark.requirement("R-51")
@pytest.mark.parametrize(
    "packets",
    [
        [*minutes(10, rate=5), *minutes(3, rate=299, first=10), *minutes(2, rate=5, first=13)],
        [*minutes(10, rate=5), *minutes(2, rate=400, first=10), *minutes(5, rate=5, first=12)],
        [*minutes(10, rate=100), *minutes(6, rate=400, first=10)],
        [*minutes(10, rate=5), *minutes(6, rate=400, first=10, make=udp, payload=bytes(1000))],
        minutes(10, rate=400, make=tcp, payload=b"much"),
        [back(one) for one in minutes(10, rate=400)],
        minutes(10, rate=400, mac=GATEWAY),
    ],
    ids=["not much", "not long", "as usual", "a stream", "one connection", "answers", "the gateway"],
)
def test_what_is_no_overload_is_not_told(packets):
    assert not told(NAME, *packets)
