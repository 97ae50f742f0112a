import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.planes.software.desk import IMAGE, LAMP, OPEN, OTHER_LAMP, Desk, made, told
from thingstead.controller import operation_software
from thingstead.controller.operation import Operations
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit.registry import Reason
from thingstead.storage.policy_file import parse_policy

POLICY = replace(parse_policy(""), release=OPEN.policy)


class Quiet:
    """A network that knows nothing, and is told what is offered."""

    def __init__(self):
        self.told: list[str] = []

    def allowed(self):
        return {}

    async def offered(self, manifest):
        self.told.append(manifest)


QUIET: Any = Quiet()


class Owner:
    """Somebody at the control socket, with two files."""

    def __init__(self, folder):
        self.desk = Desk().admit()
        self.envelope, self.image = folder / "lamp.suit", folder / "image"
        self.envelope.write_bytes(made())
        self.image.write_bytes(IMAGE)

    def ask(self, operation, **arguments):
        rows = operation_software.rows(self.desk.tracker, self.desk.campaigns, policy=lambda: POLICY, network=QUIET)
        table = Operations(*rows)
        return asyncio.run(table.answer({"operation": operation, "arguments": arguments}))

    def publish(self, **arguments):
        return self.ask("release.publish", envelope=str(self.envelope), image=str(self.image), **arguments)


def test_a_release_is_published_from_files_and_listed(tmp_path):
    owner = Owner(tmp_path)
    assert owner.publish()["result"]["version"] == "1.1.0"
    (listed,) = owner.ask("release.list")["result"]
    assert (listed["model"], listed["sequence_number"], listed["things"]) == ("LX-1", 2, 2)


def test_a_model_is_shown_thing_by_thing(tmp_path):
    owner = Owner(tmp_path)
    owner.publish()
    owner.desk.report(LAMP, told(made()))
    owner.desk.report(OTHER_LAMP, told(made(), Reason.CONDITION_FAILED))
    shown = owner.ask("release.show", model="LX-1")["result"]
    rows = {row["thing"]: row for row in shown["things"]}
    assert rows[LAMP.id]["version"] == "1.1.0"
    assert rows[OTHER_LAMP.id]["sequence_number"] is None
    assert rows[OTHER_LAMP.id]["refused"] == ["condition-failed"]
    assert owner.ask("release.show", model="LX-9")["result"] == {"releases": [], "things": []}


def test_a_refused_release_says_why(tmp_path):
    owner = Owner(tmp_path)
    owner.envelope.write_bytes(made(keys=()))
    assert owner.publish()["error"]["reason"] == "unsigned"
    assert owner.ask("release.list")["result"] == ()


@pytest.mark.parametrize("broken", ["absent", "too large"])
def test_a_file_that_cannot_be_taken_is_named(tmp_path, broken):
    owner = Owner(tmp_path)
    if broken == "absent":
        owner.image.unlink()
    else:
        owner.image.write_bytes(bytes(profile.MAX_IMAGE_SIZE + 1))
    error = owner.publish()["error"]
    assert error["kind"] == "ConfigError"
    assert str(owner.image) in error["message"]


@pytest.mark.requirement("R-72")
def test_a_release_is_published_with_its_plan(tmp_path):
    owner = Owner(tmp_path)
    assert "result" in owner.publish(plan='stages = [1, "100%"]')
    assert owner.desk.tracker.poll(LAMP.id) is not None
    assert owner.desk.tracker.poll(OTHER_LAMP.id) is None


def test_a_plan_with_a_fault_publishes_nothing(tmp_path):
    owner = Owner(tmp_path)
    assert "plan, line 2" in owner.publish(plan='\nstages = ["half"]')["error"]["message"]
    assert owner.ask("release.list")["result"] == ()


def test_of_a_refused_release_no_plan_is_kept(tmp_path):
    owner = Owner(tmp_path)
    owner.envelope.write_bytes(made(keys=()))
    owner.publish(plan='stages = [1, "100%"]')
    assert owner.desk.kept.load() == {}
