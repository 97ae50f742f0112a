"""A reading that cannot be taken or told is lost, and the next one comes all the same."""

from datetime import UTC, datetime

import pytest

from thingstead.agent.story import Wait
from thingstead.agent.telemetry import tell
from thingstead.errors import ConfigError, TransportError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record

AT = datetime(2026, 11, 23, tzinfo=UTC)


class Sensor:
    """Counts its readings; fails the ones it is told to."""

    def __init__(self, *failing):
        self.failing = failing
        self.readings = 0

    def read(self, at):
        self.readings += 1
        if self.readings in self.failing:
            raise ConfigError("the file is gone")
        return [Record(name="n", value=float(self.readings), time=at.timestamp())]


def story(sensor, intervals=(2.0,) * 9):
    left = iter(intervals)
    return tell(sensor, interval=lambda: next(left), utc=lambda: AT)


def value(wanted):
    (record,) = pack.parse_cbor(wanted.message.payload, at=AT)
    return record.value


@pytest.mark.parametrize("failing", [(1,), (1, 2)])
def test_a_sensor_that_fails_costs_its_reading_only(failing):
    telling = story(Sensor(*failing))
    for _ in failing:
        assert next(telling) == Wait(2.0, "telemetry")
    assert value(next(telling)) == len(failing) + 1.0


def test_a_reading_that_is_not_delivered_is_not_repeated():
    telling = story(Sensor())
    assert value(next(telling)) == 1.0
    assert telling.throw(TransportError("no response in time")) == Wait(2.0, "telemetry")
    assert value(next(telling)) == 2.0


def test_a_fault_of_ours_is_not_taken_for_a_lost_reading():
    telling = story(Sensor())
    next(telling)
    with pytest.raises(RuntimeError):
        telling.throw(RuntimeError("a bug"))


def test_the_interval_is_asked_each_time():
    telling = story(Sensor(), (2.0, 0.5))
    waits = []
    for _ in range(2):
        wanted = next(telling)
        assert (wanted.message.code, wanted.message.path, wanted.protected) == (Code.POST, "/senml", True)
        assert wanted.message.uint_option(12) == ContentFormat.SENML_CBOR
        waits.append(telling.send(Message(Code.CHANGED)).seconds)
    assert waits == [2.0, 0.5]
