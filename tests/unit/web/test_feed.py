"""One answer for all who look, and nothing is asked more often than it is shown."""

import asyncio
import json

import pytest

from tests.unit.web.fakes import STATUS, FakeController, StillClock, waited
from thingstead.errors import ThingsteadError
from thingstead.web.feed import PARTS, Feed, asking


def collect(feed, count):
    async def run():
        shown = []
        async for line in feed.stream():
            shown.append(line)
            if len(shown) == count:
                feed.close()
        return shown

    return asyncio.run(run())


def test_a_snapshot_holds_every_part():
    shown = json.loads(asyncio.run(Feed(FakeController().ask, StillClock()).snapshot()))
    assert set(shown) == set(PARTS)
    assert shown["status"] == STATUS


def test_only_queries_are_asked():
    controller = FakeController()
    asyncio.run(Feed(controller.ask, StillClock()).snapshot())
    looked = {operation for operation, _ in controller.asked}
    assert looked == {"status", "thing.list", "data.list", "campaign.list", "ledger.show"}


def test_many_who_look_ask_once():
    controller = FakeController()

    async def look():
        feed = Feed(controller.ask, StillClock())
        await asyncio.gather(*[feed.snapshot() for _ in range(20)])

    asyncio.run(look())
    assert len(controller.asked) == len(PARTS)


def test_what_is_old_is_asked_again():
    controller, clock = FakeController(), StillClock()

    async def look():
        feed = Feed(controller.ask, clock, interval=1.0)
        await feed.snapshot()
        clock.seconds = 1.0
        await feed.snapshot()

    asyncio.run(look())
    assert len(controller.asked) == 2 * len(PARTS)


def test_a_part_that_cannot_be_asked_says_why_and_the_others_stand():
    shown = json.loads(asyncio.run(Feed(FakeController({"thing.list": []}).ask, StillClock()).snapshot()))
    assert shown == {
        "status": {"error": "no operation status"},
        "things": [],
        "telemetry": {"error": "no operation data.list"},
        "campaigns": {"error": "no operation campaign.list"},
        "ledger": {"error": "no operation ledger.show"},
        "clocks": {"error": "no operation ledger.show"},
    }


def test_a_stream_tells_what_changed_and_otherwise_keeps_quiet():
    clock = StillClock()
    counted = iter(range(1, 100))

    class Changing(FakeController):
        async def ask(self, operation, arguments):
            clock.seconds += 1
            return next(counted) // 3 if operation == "status" else 0

    shown = collect(Feed(Changing().ask, clock, interval=0.0), 3)
    told = [json.loads(line)["status"] for line in shown if line]
    assert told == sorted(set(told))


def test_a_quiet_stream_notices_who_has_left():
    shown = collect(Feed(FakeController().ask, StillClock(), interval=0.0), 2)
    assert shown[0]
    assert shown[1] == ""


def test_streams_are_bounded_and_counted_down():
    async def run():
        feed = Feed(FakeController().ask, StillClock(), interval=0.0, max_streams=1)
        stream = feed.stream()
        await anext(stream)
        full = feed.is_full
        await stream.aclose()
        return full, feed.is_full

    assert asyncio.run(run()) == (True, False)


def test_a_controller_in_this_process_is_asked_by_its_table():
    async def answer(asked):
        if asked["operation"] == "status":
            return {"result": asked["arguments"]}
        return {"error": {"message": "no such thing", "reason": "unknown-thing"}}

    ask = asking(answer)
    assert asyncio.run(waited(ask("status", {"a": 1}))) == {"a": 1}
    with pytest.raises(ThingsteadError, match="no such thing") as refused:
        asyncio.run(waited(ask("thing.show", {})))
    assert refused.value.reason == "unknown-thing"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (None, {}),
        (b"{", {}),
        (b"\xff", {}),
        (b'{"A-1": {"libcoap": "coap-client"}}', {"A-1": {"libcoap": "coap-client"}}),
    ],
)
def test_notes_are_what_their_file_says_now(tmp_path, written, shown):
    notes = tmp_path / "notes.json"
    feed = Feed(FakeController().ask, StillClock(), notes=notes, interval=0.0)
    assert json.loads(asyncio.run(feed.snapshot()))["notes"] == {}
    if written is not None:
        notes.write_bytes(written)
    assert json.loads(asyncio.run(feed.snapshot()))["notes"] == shown
