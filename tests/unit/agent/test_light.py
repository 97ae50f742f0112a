"""The lamp as a resource: one CBOR Boolean switches it, and nothing else does."""

import pytest

from tests.unit.endpoint import ladder
from thingstead.agent import light
from thingstead.agent.envelope import Envelope, GuardedActuator
from thingstead.agent.lamp import SimulatedLamp
from thingstead.endpoint.event import ExchangeId, RequestReceived
from thingstead.endpoint.resource import Resources
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code, ContentFormat

SCOPE = Scope(dict.fromkeys(("/light", "/light/level"), int(Permission.GET | Permission.PUT)))


def ask(lamp, method, payload=b"", place="/light"):
    resources = Resources(lambda _event: ("domain", SCOPE))
    light.serve(resources, GuardedActuator(lamp, Envelope(lowest=10, highest=80)))
    message = request(method, place, payload=payload)
    event = RequestReceived(ExchangeId(1), message, ladder.THING, None, None, None, None, True, False)
    answer = resources.answer(event, 0.0)
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xf6", b"\x01", b"\x00", b"\xf5\xf5", b"\x81\xf5", b"on", b"\xff", codec.encode("x" * 20), b"\x81" * 9],
)
def test_what_is_no_boolean_switches_nothing(payload):
    lamp = SimulatedLamp()
    assert ask(lamp, Code.PUT, payload).code == Code.BAD_REQUEST
    assert lamp.switched == 0


def test_a_lamp_is_neither_posted_nor_deleted():
    lamp = SimulatedLamp()
    assert {ask(lamp, method, b"\xf5").code for method in (Code.POST, Code.DELETE)} == {Code.METHOD_NOT_ALLOWED}
    assert lamp.switched == 0


@pytest.mark.parametrize("on", [True, False])
def test_a_boolean_switches_and_is_told_again(on):
    lamp = SimulatedLamp()
    assert ask(lamp, Code.PUT, codec.encode(on)).code == Code.CHANGED
    told = ask(lamp, Code.GET)
    assert (told.code, codec.decode(told.payload), lamp.is_on()) == (Code.CONTENT, on, on)
    assert told.uint_option(12) == ContentFormat.CBOR


@pytest.mark.requirement("R-16")
@pytest.mark.parametrize("level", [9, 81, 0, 100, -1, 1 << 40])
def test_a_level_that_is_not_safe_is_refused_to_whoever_may_command(level):
    lamp = SimulatedLamp()
    assert ask(lamp, Code.PUT, codec.encode(level), "/light/level").code == Code.UNPROCESSABLE_ENTITY
    assert lamp.level() == 100


@pytest.mark.parametrize("payload", [b"", b"\xf5", b"\xf6", codec.encode(50.5), codec.encode("50"), b"\x18"])
def test_what_is_no_integer_dims_nothing(payload):
    lamp = SimulatedLamp()
    assert ask(lamp, Code.PUT, payload, "/light/level").code == Code.BAD_REQUEST
    assert lamp.level() == 100


@pytest.mark.parametrize("level", [10, 50, 80])
def test_a_safe_level_is_set_and_told_again(level):
    lamp = SimulatedLamp()
    assert ask(lamp, Code.PUT, codec.encode(level), "/light/level").code == Code.CHANGED
    assert codec.decode(ask(lamp, Code.GET, place="/light/level").payload) == level
