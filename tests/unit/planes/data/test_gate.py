"""What telemetry is let in; the collector's own tests show the rest of it."""

from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.domain.purpose import Purpose
from thingstead.errors import ForbiddenError
from thingstead.planes.data.gate import Gate, Limits
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record

THING = a_thing().id
PURPOSES = (Purpose("power", "find faults", timedelta(days=30), every=timedelta(minutes=5)),)


def a_gate(**limits):
    gate = Gate(purposes=PURPOSES, clock=JumpingClock(), limits=Limits(**limits))
    gate.admit([THING])
    return gate


def senml(*names):
    return pack.render_cbor([Record(name=name, value=1.0, time=AT.timestamp()) for name in names])


@pytest.mark.requirement("R-14")
@pytest.mark.parametrize(("names", "reason"), [(("load",), "undeclared"), (("power", "load"), "undeclared")])
def test_of_a_pack_that_is_refused_nothing_counts(names, reason):
    gate = a_gate()
    with pytest.raises(ForbiddenError) as refused:
        gate.read(THING, senml(*names))
    assert refused.value.reason == reason
    assert gate.accepted == 0
    assert gate.interval(THING) is None


def test_what_waits_counts_until_it_is_settled():
    gate = a_gate(max_pending=1)
    gate.read(THING, senml("power"))
    with pytest.raises(ForbiddenError):
        gate.read(THING, senml("power"))
    gate.settle(1)
    gate.read(THING, senml("power"))


def test_who_is_barred_brings_nothing_in():
    gate = a_gate()
    gate.bar(THING)
    with pytest.raises(ForbiddenError):
        gate.read(THING, senml("power"))


def test_a_series_that_is_over_counts_no_more():
    gate = a_gate(max_series=0)
    with pytest.raises(ForbiddenError):
        gate.read(THING, senml("power"))
    gate = a_gate()
    gate.know(THING, ["power"])
    assert gate.interval(THING) == timedelta(minutes=5)
    gate.forget(THING, "power")
    assert gate.interval(THING) is None
    gate.know(THING, ["power"])
    gate.forget(THING)
    assert gate.interval(THING) is None
