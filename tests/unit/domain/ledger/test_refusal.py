from datetime import timedelta

from tests.unit.domain.things import AT, a_thing
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.ledger.refusal import Limits, RefusalCounter

_NEXT = AT + timedelta(minutes=1)


def test_a_thousand_refusals_of_one_kind_are_one_entry_when_their_minute_has_ended():
    counter = RefusalCounter()
    for number in range(1000):
        counter.count("replay", at=AT + timedelta(milliseconds=number), source="192.0.2.1")
    assert counter.due(AT + timedelta(seconds=59)) == ()
    assert counter.due(_NEXT) == (Draft(AT, Kind.REFUSAL, "192.0.2.1", None, "replay", {"count": 1000}),)
    assert counter.due(_NEXT) == ()


def test_thing_reason_source_and_minute_are_told_apart():
    counter = RefusalCounter()
    thing = a_thing().id
    counter.count("replay", at=AT, thing=thing, source="192.0.2.1")
    counter.count("replay", at=AT, thing=thing, source="192.0.2.2")
    counter.count("forbidden", at=AT, thing=thing)
    counter.count("replay", at=AT, source="192.0.2.1")
    counter.count("replay", at=_NEXT, thing=thing)
    first = counter.due(_NEXT)
    assert [(one.thing, one.actor, one.cause, one.details["count"]) for one in first] == [
        (thing, "thing", "replay", 2),
        (thing, "thing", "forbidden", 1),
        (None, "192.0.2.1", "replay", 1),
    ]
    assert len(counter.due(_NEXT + timedelta(minutes=1))) == 1


def test_many_sources_do_not_make_it_grow():
    counter = RefusalCounter(Limits(max_rows=4))
    for number in range(100):
        counter.count("unauthenticated", at=AT, source=f"192.0.2.{number}")
    rows = counter.due(_NEXT)
    assert len(rows) == 5
    assert (rows[-1].actor, rows[-1].details["count"]) == ("others", 96)
    assert sum(int(row.details["count"] or 0) for row in rows) == 100


def test_a_flood_of_strangers_does_not_hide_which_thing_was_refused():
    counter, thing = RefusalCounter(Limits(max_rows=4)), a_thing().id
    for number in range(100):
        counter.count("unauthenticated", at=AT, source=f"192.0.2.{number}")
    counter.count("forbidden", at=AT, thing=thing)
    assert [one.cause for one in counter.due(_NEXT) if one.thing == thing] == ["forbidden"]
