"""What an owner asks about update keys; what the files say is not believed before it is verified."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.planes.software.test_migration import FIRST, INTRODUCED, LAMP, OTHER, RETIRED, Domain
from thingstead.controller import operation_migration
from thingstead.controller.operation import Operations
from thingstead.domain import anchor as anchor_file
from thingstead.protocols.profile import update_poll


class House(Domain):
    """A domain with an owner who asks."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.reloads = folder, 0
        for thing in (LAMP, OTHER):
            self.poll(thing, update_poll.place(FIRST.update_keys))

    async def reload_trust(self):
        self.reloads += 1
        self.trusted = self.migrations.resume(self.files)

    def ask(self, operation, anchor=None, **arguments: Any) -> Any:
        if anchor is not None:
            path = self.folder / "acme.anchor"
            path.write_bytes(anchor if isinstance(anchor, bytes) else anchor_file.encode(anchor))
            arguments["anchor"] = str(path)
        return self.answer({"operation": f"migration.{operation}", "arguments": arguments})

    def answer(self, asked) -> Any:
        register: Any = SimpleNamespace(things=lambda: self.things)
        owner: Any = self
        rows = operation_migration.rows(self.migrations, owner, register)
        return asyncio.run(Operations(*rows).answer(asked))


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_a_plan_counts_and_names_and_changes_nothing(house):
    told = house.ask("plan", INTRODUCED, until="2030-06-01")["result"]
    assert (told["maker"], told["step"], told["awake"], told["by_name"]) == ("acme", "introduce", 2, [])
    assert house.reloads == 0


def test_a_step_is_taken_and_then_trusted(house):
    assert house.ask("start", INTRODUCED)["result"]["number"] == 1
    for thing in (LAMP, OTHER):
        house.walk(thing, INTRODUCED)
    assert house.ask("retire", RETIRED)["result"]["must_sign"] == "1 of 1 ML_DSA_44"
    (told,) = house.ask("status")["result"]
    assert (told["phase"], told["number"], told["awake"], house.reloads) == ("steady", 2, 2, 2)
    assert house.ask("status", maker="brook")["result"][0]["since"] is None


@pytest.mark.parametrize(
    ("operation", "anchor", "arguments", "reason"),
    [
        ("start", b"no anchor", {}, "malformed"),
        ("start", b"\x80" * ((1 << 18) + 1), {}, "config"),
        ("start", FIRST, {}, "config"),
        ("start", INTRODUCED, {"until": "tomorrow"}, "config"),
        ("start", INTRODUCED, {"leaving": "A9999"}, "config"),
        ("plan", INTRODUCED, {"until": "2030-13-01"}, "config"),
        ("retire", INTRODUCED, {}, "step"),
        ("status", None, {"maker": "nobody"}, "config"),
    ],
)
def test_what_cannot_be_taken_is_refused(house, operation, anchor, arguments, reason):
    assert house.ask(operation, anchor, **arguments)["error"]["reason"] == reason
    assert house.reloads == 0


def test_a_file_that_is_not_there_is_refused(house):
    missing = {"operation": "migration.start", "arguments": {"anchor": str(house.folder / "acme.anchor")}}
    assert house.answer(missing)["error"]["reason"] == "config"


def test_a_thing_is_left_behind_by_its_serial_number_or_id(house):
    for thing in (LAMP, OTHER):
        house.poll(thing, update_poll.place(FIRST.update_keys), frozenset({-9}))
    assert house.ask("start", INTRODUCED, leaving=LAMP.serial)["error"]["reason"] == "capability"
    assert house.ask("start", INTRODUCED, leaving=f"{LAMP.serial},{OTHER.id}")["result"]["number"] == 1
    (told,) = house.ask("status")["result"]
    assert told["left_behind"] == sorted([LAMP.id, OTHER.id])
    assert [one["standing"] for one in told["by_name"]] == ["unable", "unable"]
