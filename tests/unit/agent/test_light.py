"""The lamp as a resource: one CBOR Boolean switches it, and nothing else does."""

from dataclasses import replace

import pytest

from tests.unit.endpoint import ladder
from thingstead.agent.envelope import Envelope, GuardedActuator
from thingstead.agent.lamp import SimulatedLamp
from thingstead.agent.light import Light
from thingstead.endpoint.event import ExchangeId, RequestReceived
from thingstead.endpoint.resource import Resources
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code, ContentFormat

SCOPE = Scope(dict.fromkeys(("/light", "/light/level"), int(Permission.GET | Permission.PUT)))


class Room:
    """A lamp, and who looks at it."""

    def __init__(self, lamp=None):
        self.resources = Resources(lambda _event: ("domain", SCOPE))
        self.told: list[tuple[int, object]] = []
        light = Light(
            GuardedActuator(lamp or SimulatedLamp(), Envelope(lowest=10, highest=80)),
            lambda exchange, message: self.told.append((exchange, codec.decode(message.payload))),
        )
        light.serve(self.resources)

    def ask(self, method, payload=b"", place="/light", *, exchange=1, observe=False):
        message = request(method, place, payload=payload)
        event = RequestReceived(ExchangeId(exchange), message, ladder.THING, None, None, None, None, True, False)
        event = replace(event, observe=observe)
        answer = self.resources.answer(event, 0.0)
        assert answer is not None
        return answer


def ask(lamp, method, payload=b"", place="/light"):
    return Room(lamp).ask(method, payload, place)


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


@pytest.mark.spec("RFC 7641 3")
def test_who_observes_is_told_of_changes_and_of_nothing_else():
    room = Room()
    answer = room.ask(Code.GET, exchange=1, observe=True)
    assert (codec.decode(answer.payload), answer.option(6)) == (False, b"")
    room.ask(Code.GET, place="/light/level", exchange=2, observe=True)
    room.ask(Code.GET, exchange=3)
    for wanted in (True, True, False):
        room.ask(Code.PUT, codec.encode(wanted), exchange=9)
    room.ask(Code.PUT, codec.encode(50), "/light/level", exchange=9)
    room.ask(Code.PUT, codec.encode(99), "/light/level", exchange=9)
    assert room.told == [(1, True), (1, False), (2, 50)]


def test_of_many_who_observe_the_newest_are_told():
    room = Room()
    for exchange in range(40):
        room.ask(Code.GET, exchange=exchange, observe=True)
    room.ask(Code.PUT, codec.encode(value=True), exchange=99)
    assert [exchange for exchange, _ in room.told] == list(range(8, 40))
