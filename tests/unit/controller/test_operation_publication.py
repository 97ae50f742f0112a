"""Who asks is who brought, approved or took back a release."""

import asyncio

import pytest

from tests.unit.controller.test_operation_software import QUIET
from tests.unit.planes.software.desk import IMAGE, Desk, made
from thingstead.controller import operation_publication, operation_software
from thingstead.controller.operation import Operations
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.role import OWNER, Operator, Role
from thingstead.storage.policy_file import parse_policy

BEN = Operator(Role.MAINTAINER, "ben", proof=b"signed by ben")
HOLDS = parse_policy('[release]\nsbom_missing = "hold"\n')


class House:
    """A tracker behind the table of operations, and one release on disk."""

    def __init__(self, folder):
        self.desk = Desk().admit()
        self.folder = folder
        (folder / "release.suit").write_bytes(made())
        (folder / "image.bin").write_bytes(IMAGE)

    def ask(self, operation, operator=OWNER, **arguments):
        tracker = self.desk.tracker
        table = Operations(
            *operation_software.rows(tracker, self.desk.campaigns, policy=lambda: HOLDS, network=QUIET),
            *operation_publication.rows(tracker, self.desk.campaigns, policy=lambda: HOLDS, network=QUIET),
        )
        return asyncio.run(table.answer({"operation": operation, "arguments": arguments}, operator=operator))

    def bring(self, **more):
        envelope, image = self.folder / "release.suit", self.folder / "image.bin"
        return self.ask("release.publish", envelope=str(envelope), image=str(image), **more)

    def approve(self, row, *operator):
        return self.ask("publication.approve", *operator, manifest=row["manifest"], reasons=row["reasons"])


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    assert house.bring()["error"]["kind"] == "HeldError"
    return house


def test_what_waits_is_listed_with_who_brought_it_and_why(house):
    (row,) = house.ask("publication.list")["result"]
    assert (row["by"], row["model"], len(row["manifest"])) == ("owner", "LX-1", 16)
    assert row["because"] == ["sbom.cdx.json: the release says nothing of what it is made of"]


def test_the_owner_does_not_approve_what_they_brought(house):
    (row,) = house.ask("publication.list")["result"]
    error = house.approve(row)["error"]
    assert (error["kind"], error["reason"]) == ("ForbiddenError", "same")


def test_a_second_person_approves_and_their_signature_is_on_the_ledger(house):
    (row,) = house.ask("publication.list")["result"]
    assert house.approve(row, BEN)["result"]["version"] == "1.1.0"
    last = house.desk.entries(Kind.RELEASE)[-1]
    assert (last.cause, last.actor, last.details["proof"]) == ("approved", "maintainer:ben", b"signed by ben")


def test_an_approval_names_what_was_shown_and_nothing_else_is_approved(house):
    (row,) = house.ask("publication.list")["result"]
    assert house.ask("publication.approve", BEN, manifest=row["manifest"])["error"]["kind"] == "ConfigError"
    assert house.approve({**row, "reasons": "0" * 16}, BEN)["error"]["reason"] == "reasons"
    assert len(house.ask("publication.list")["result"]) == 1


def test_nobody_says_in_whose_name_they_ask(house):
    (row,) = house.ask("publication.list")["result"]
    error = house.ask("publication.approve", manifest=row["manifest"], by="maintainer:ben")["error"]
    assert error["kind"] == "ConfigError"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.USER, Role.INSTALLER])
def test_who_does_not_maintain_decides_nothing(house, role):
    (row,) = house.ask("publication.list")["result"]
    for operation in ("publication.approve", "publication.withdraw"):
        error = house.ask(operation, Operator(role), manifest=row["manifest"])["error"]
        assert error["kind"] == "RoleError"


def test_what_is_taken_back_waits_no_more(house):
    (row,) = house.ask("publication.list")["result"]
    assert house.ask("publication.withdraw", BEN, manifest=row["manifest"])["result"]["version"] == "1.1.0"
    assert house.ask("publication.list")["result"] == []
    assert not [key for key in house.desk.kept.load() if key.startswith("plan/")]
    assert house.approve(row, BEN)["error"]["reason"] == "held"


def test_a_folder_brings_its_files_along_and_they_must_be_stated(house):
    (house.folder / "mud.json").write_bytes(b"{}")
    error = house.bring(folder=str(house.folder))["error"]
    assert (error["kind"], error["reason"]) == ("UntrustedError", "statement")


def test_a_folder_that_cannot_be_read_is_named(house):
    error = house.bring(folder=str(house.folder / "absent"))["error"]
    assert error["kind"] == "ConfigError"
    for number in range(33):
        (house.folder / f"file-{number}").write_bytes(b"")
    assert "at most 32 files" in house.bring(folder=str(house.folder))["error"]["message"]


def test_what_a_published_release_brought_is_shown_by_how_its_digest_begins(house):
    (row,) = house.ask("publication.list")["result"]
    assert house.ask("release.carried", manifest=row["manifest"])["result"] is None
    house.approve(row, BEN)
    told = house.ask("release.carried", manifest=row["manifest"])["result"]
    assert (told["version"], told["files"], told["image"]) == ("1.1.0", {}, len(IMAGE))
    assert house.ask("release.carried", manifest="")["result"] is None
