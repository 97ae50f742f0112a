"""A maintainer's device asks nobody but the thing that a permit is for, and not after it has ended."""

import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from thingstead.agent.caller import Caller
from thingstead.agent.story import Request
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import ConfigError, ExpiredError, StateError
from thingstead.protocols.ace import token
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile.maintenance import Task, rights
from thingstead.protocols.profile.permit import Carried, PermitFile

pytestmark = pytest.mark.requirement("R-07")
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ISSUER, BEN, LAMP = (generate(KeyType.P256) for _ in range(3))
PLACE = ("192.0.2.7", 5683)


def caller(at=AT):
    encoded = token.issue(
        BEN.public,
        ISSUER,
        issuer="home",
        subject="maintainer:ben",
        audience="thing-a",
        scope=rights(Task),
        at=AT,
        expires=AT + timedelta(hours=1),
        cti=b"1",
        signature_id=AlgorithmId.ESP256,
    )
    file = PermitFile("home", "ben", (Carried("thing-a", encoded, LAMP.public),))
    clock = SimpleNamespace(utc=lambda: at, now=lambda: 0.0)
    return Caller(file, BEN, clock=clock, random_bytes=random.Random(1).randbytes)


def test_the_first_that_goes_out_is_a_handshake_to_the_thing_in_which_nobody_is_named():
    device = caller()
    device.stories.start("order", device.order(Task.BEGIN, "thing-a", PLACE, {}), 0.0)
    device.run(0.0)
    ((datagram, destination),) = device.datagrams_to_send(0.0)
    assert destination == PLACE
    assert b"ben" not in datagram
    assert b"thing-a" not in datagram


@pytest.mark.parametrize(
    ("thing", "at", "error"), [("thing-b", AT, ConfigError), ("thing-a", AT + timedelta(hours=1), ExpiredError)]
)
def test_without_a_permit_that_counts_nothing_goes_out(thing, at, error):
    device = caller(at)
    with pytest.raises(error):
        next(device.order(Task.BEGIN, thing, PLACE, {}))
    assert device.datagrams_to_send(0.0) == []


def test_it_knows_no_domain():
    device = caller()
    with pytest.raises(StateError):
        device._send(Request(request(Code.GET, "/token")), 0.0)
