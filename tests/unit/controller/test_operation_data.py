"""What may be asked of kept data, through the one table."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from thingstead.controller import operation_data
from thingstead.controller.operation import Operations
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.plane import PlaneName
from thingstead.domain.purpose import Purpose
from thingstead.domain.register import Register
from thingstead.domain.service import CARRIED
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Snapshot
from thingstead.identifier import TransitionId, thing_id_from_random
from thingstead.planes.data.collector import Collector
from thingstead.protocols.senml import pack
from thingstead.protocols.senml.record import Record
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

AT = datetime(2026, 1, 1, tzinfo=UTC)
THING = thing_id_from_random(bytes(10))


class StillClock:
    def now(self):
        return 0.0

    def utc(self):
        return AT


def asked(*questions, forgotten=None):
    async def forget(thing):
        if forgotten is not None:
            forgotten.append(thing)

    async def run():
        store = MemoryStore()
        records = PlaneRecords(PlaneName.DATA, store)
        purposes = (Purpose("load", "see that it lives", timedelta(days=1)),)
        collector = Collector(records, purposes=purposes, clock=StillClock())
        thing = Thing(THING, 1, LifecycleState.OPERATIONAL, Restriction.NONE, "aurora", "LX-1", "A-1", 2)
        await collector.admit(thing, cause="joined", transition_id=TransitionId(f"{THING}/1"))
        collector.collect(THING, pack.render_cbor([Record(name="load", value=0.5, time=AT.timestamp())]))
        operations = Operations(*operation_data.rows(collector, Register(Snapshot((thing,))), forget=forget))
        return [await operations.answer({"operation": name, "arguments": given}) for name, given in questions]

    return asyncio.run(run())


def test_the_newest_values_of_all_things_are_one_query():
    (answer,) = asked(("data.list", {}))
    assert answer == {"result": [{"thing": THING, "latest": {"load": 0.5}}]}


def test_whom_a_thing_talked_to_is_erased_with_the_rest_and_only_of_things_that_are_known():
    forgotten: list[str] = []
    asked(("data.show", {"thing": THING}), forgotten=forgotten)
    asked(("data.erase", {"thing": "thing-bbbbbbbbbbbbbbbb"}), forgotten=forgotten)
    assert forgotten == []
    asked(("data.erase", {"thing": THING}), forgotten=forgotten)
    assert forgotten == [THING]


def test_what_is_exported_and_then_erased_is_gone():
    exported, erased, after, left = asked(
        ("data.export", {"thing": THING}),
        ("data.erase", {"thing": THING}),
        ("data.show", {"thing": THING}),
        ("data.list", {}),
    )
    page = exported["result"]
    assert f'"{THING}/load"' in page["senml"]
    assert (page["thing"], page["values"], page["following"]) == (THING, 1, "")
    assert (erased["result"]["series"], erased["result"]["values"]) == (1, 1)
    assert after["result"]["latest"] == {}
    assert left["result"] == []


@pytest.mark.parametrize("arguments", [{}, {"thing": 7}, {"thing": None}])
def test_a_question_about_nobody_is_refused(arguments):
    for name in ("data.show", "data.export", "data.erase"):
        (answer,) = asked((name, arguments))
        assert answer["error"]["kind"] == "ConfigError"


@pytest.mark.parametrize("name", ["lamp", "thing-A", "../x", ""])
def test_a_thing_is_asked_about_by_its_id_only(name):
    for operation in ("data.show", "data.export", "data.erase"):
        (answer,) = asked((operation, {"thing": name}))
        assert answer["error"]["kind"] == "DecodeError"


@pytest.mark.parametrize("name", ["data.show", "data.export", "data.erase"])
def test_of_a_thing_that_was_never_here_nothing_is_told_and_no_receipt_is_given(name):
    (answer,) = asked((name, {"thing": thing_id_from_random(bytes(9) + b"\x01")}))
    assert (answer["error"]["kind"], answer["error"]["reason"]) == ("ConfigError", "unknown-thing")


def test_what_may_be_collected_is_told_with_its_purpose_and_its_protection():
    ((flow,),) = [answer["result"] for answer in asked(("data.flows", {}))]
    assert (flow["series"], flow["purpose"], flow["retention_days"]) == ("load", "see that it lives", 1.0)
    assert flow["needs"] == flow["services"] == sorted(CARRIED)
