import asyncio

import pytest

from tests.unit.controller.test_attesting import LAMP, Room
from thingstead.controller.operation import Operations
from thingstead.controller.operation_attestation import rows, told_of

pytestmark = pytest.mark.requirement("R-22")


def answer(room, thing):
    table = Operations(*rows(room.attesting, room.attesting._register))
    return asyncio.run(table.answer({"operation": "thing.attest", "arguments": {"thing": thing}}))


def test_what_came_of_evidence_is_shown_with_every_finding():
    shown = answer(Room(), LAMP.id)["result"]
    assert (shown["thing"], shown["attestation"], shown["attested_version"]) == (LAMP.id, "good", "1.0")
    assert shown["findings"] == ["none: software-measured, a program measured it and no hardware vouches for that"]
    assert told_of(None) == {"attestation": "never"}


@pytest.mark.parametrize("thing", ["", "lamp", "thing-qqqqqqqqqqqqqqqq"])
def test_who_is_not_known_does_not_attest(thing):
    assert "error" in answer(Room(), thing)
