"""What an operator is told of a living domain: status, calendar, ledger and the assurance document."""

import base64
import json
from xml.etree import ElementTree as ET

import pytest

from tests.sabotage.registry import REQUIRED
from tests.scenarios.world import play
from thingstead.analysis.question import QUESTIONS
from thingstead.domain.ledger import head
from thingstead.identifier import KeyId
from thingstead.protocols.receipts import receipt


async def a_life(world):
    """Two makers' things, one of them retired; the ledger is sealed."""
    lamp, other = await world.joined("A0001", "A0002")
    sensor = world.thing("B0001", maker=world.makers["brook"], model="TH-2")
    sensor.start()
    await world.until(lambda: sensor.is_joined)
    await world.domain.ask("thing.retire", thing=other.id)
    await world.sleep(2)
    return lamp, other, sensor


def ledger_key(world):
    return world.domain.keys.handle(KeyId("ledger")).public


def rows_of(document):
    return {row["question"]: row for row in document["rows"]}


@pytest.mark.requirement("R-90")
def test_a_living_domain_answers_every_question_with_no_cell_empty():
    async def story(world):
        await a_life(world)
        rows = rows_of(await world.domain.ask("assurance"))
        assert list(rows) == list(QUESTIONS)
        for row in rows.values():
            assert row["control"]
            assert row["evidence"]
            assert row["remaining_risk"]

    play(story)


@pytest.mark.requirement("R-90")
def test_every_claimed_requirement_is_answered_by_a_plane_that_is_there_or_by_the_controller():
    async def story(world):
        await a_life(world)
        rows = rows_of(await world.domain.ask("assurance"))
        assert [number for number in sorted(REQUIRED) if rows[number]["status"] == "open"] == []

    play(story)


@pytest.mark.requirement("R-90")
def test_the_evidence_follows_the_domain():
    async def story(world):
        before = rows_of(await world.domain.ask("assurance"))["R-01"]
        await a_life(world)
        after = rows_of(await world.domain.ask("assurance"))["R-01"]
        assert (before["status"], after["status"]) == ("not shown now", "shown")
        assert before["evidence"].startswith("NOT now: 0 things")
        assert after["evidence"].startswith("3 things in 2 states")

    play(story)


def test_planes_that_do_not_act_keep_a_retirement_from_being_shown():
    async def story(world):
        await a_life(world)
        row = rows_of(await world.domain.ask("assurance"))["R-09"]
        assert row["status"] == "not shown now"
        assert "NOT acting:" in row["evidence"]
        assert "network" in row["evidence"]

    play(story)


def test_the_document_is_also_a_page_and_text():
    async def story(world):
        await a_life(world)
        page = (await world.domain.ask("assurance.page"))["html"]
        assert len(ET.fromstring(page).findall(".//tbody/tr")) == len(QUESTIONS)
        assert "R-90" in (await world.domain.ask("assurance.text"))["text"]

    play(story)


def test_a_trace_names_the_tests_behind_a_requirement(tmp_path):
    tests = [{"id": "tests/x.py::test_x", "outcome": "passed"}]
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps({"requirements": {"R-24": {"tests": tests}}}))

    async def story(world):
        row = rows_of(await world.domain.ask("assurance", trace=str(trace)))["R-24"]
        assert row["tests"] == tests
        assert row["evidence"].endswith("tests: 1 passed")

    play(story)


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"requirements": 7}'])
def test_a_trace_that_is_none_is_refused_with_its_place(tmp_path, content):
    trace = tmp_path / "trace.json"
    if content is not None:
        trace.write_text(content)

    async def story(world):
        error = (await world.domain.answer("assurance", trace=str(trace)))["error"]
        assert error["kind"] == "ConfigError"
        assert str(trace) in error["message"]

    play(story)


def test_the_status_counts_things_and_says_loudly_which_planes_do_not_act():
    async def story(world):
        await a_life(world)
        status = await world.domain.ask("status")
        assert status["states"] == {"decommissioned": 1, "operational": 2}
        assert status["associations"] == 2
        modes = {plane["plane"]: plane["mode"] for plane in status["planes"]}
        assert modes["identity"] == "live"
        assert modes["network"] == "DRY_RUN: NOT ENFORCED"

    play(story)


def test_the_calendar_tells_whom_an_end_strands_and_the_last_safe_day():
    async def story(world):
        lamp, other, _sensor = await a_life(world)
        rows = await world.domain.ask("calendar")
        (credential,) = [row for row in rows if row["what"] == "domain credential"]
        assert lamp.id in credential["strands"]
        assert other.id not in credential["strands"]
        assert credential["last_safe_day"] < credential["at"]
        assert len(await world.domain.ask("calendar", days=1)) < len(rows)

    play(story)


@pytest.mark.requirement("R-02")
@pytest.mark.spec("RFC 9942 5.2.1")
def test_a_receipt_proves_an_entry_to_whoever_holds_the_public_key_alone():
    async def story(world):
        await a_life(world)
        proof = await world.domain.ask("ledger.proof", index=3)
        leaf = base64.b64decode(proof["leaf"])
        proven = receipt.authenticate(
            base64.b64decode(proof["receipt"]), leaf, public=ledger_key(world), accept=head.ACCEPTED
        )
        assert (proven.proof.index, proof["entry"]["index"]) == (3, 3)

    play(story)


@pytest.mark.parametrize("index", [-1, 10_000])
def test_an_entry_that_is_not_there_has_no_proof(index):
    async def story(world):
        assert (await world.domain.answer("ledger.proof", index=index))["error"]["kind"] == "ConfigError"

    play(story)


@pytest.mark.requirement("R-02")
def test_the_newest_head_covers_the_ledger_and_verifies():
    async def story(world):
        await a_life(world)
        shown = await world.domain.ask("ledger.head")
        signed = head.authenticate(base64.b64decode(shown["head"]), ledger_key(world), domain="home").head
        assert (signed.size, signed.root.hex()) == (shown["signed"], shown["root"])
        assert shown["signed"] == shown["entries"]

    play(story)


def test_a_young_ledger_has_no_head_yet():
    async def story(world):
        assert (await world.domain.ask("ledger.head"))["at"] is None

    play(story)


def test_the_ledger_is_shown_from_its_end_or_from_a_place():
    async def story(world):
        await a_life(world)
        size = (await world.domain.ask("ledger.head"))["entries"]
        newest = [row["index"] for row in await world.domain.ask("ledger.show", count=3)]
        assert newest == [size - 3, size - 2, size - 1]
        assert [row["index"] for row in await world.domain.ask("ledger.show", after=4, count=2)] == [5, 6]
        assert [row["index"] for row in await world.domain.ask("ledger.show", after=-1, count=1)] == [0]

    play(story)


def test_entries_of_one_thing_or_kind_are_found_among_the_others():
    async def story(world):
        _lamp, other, _sensor = await a_life(world)
        rows = await world.domain.ask("ledger.show", thing=other.id, kind="kill-clock")
        assert [(row["thing"], row["kind"]) for row in rows] == [(other.id, "kill-clock")]

    play(story)


@pytest.mark.parametrize("asked", [{"count": 0}, {"count": 1001}, {"kind": "gossip"}])
def test_what_cannot_be_shown_is_refused(asked):
    async def story(world):
        assert (await world.domain.answer("ledger.show", **asked))["error"]["kind"] == "ConfigError"

    play(story)
