"""Records are taken up from where the owner has them, and what they are about is acted on at once."""

import asyncio
import json
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.planes.software.desk import LAMP, OPEN, Desk, made, told
from tests.unit.planes.software.test_publication import bundle
from thingstead.controller import operation_osv
from thingstead.controller.operation import Operations
from thingstead.controller.vulnerability_watch import DOCUMENTS, VulnerabilityWatch
from thingstead.domain.plane import PlaneName
from thingstead.domain.release_policy import VulnerabilityPolicy
from thingstead.domain.role import OWNER, Operator, Role
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-18")
PACKAGE = {"name": "zlib", "ecosystem": "OSS-Fuzz"}
SBOM = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "zlib", "version": "1.2"}]}


class Conductor:
    def __init__(self):
        self.asked = []

    async def restrict(self, thing, restriction, **_kwargs):
        self.asked.append(thing)


class House:
    """A domain in which a lamp runs a release with a part in it."""

    def __init__(self, folder):
        self.desk, self.conductor, self.folder = Desk().admit(), Conductor(), folder
        encoded = made()
        brought = bundle(encoded, {"sbom.cdx.json": json.dumps(SBOM).encode()})
        asyncio.run(self.desk.tracker.publish(encoded, self.desk_image(), terms=OPEN, bundle=brought))
        self.desk.report(LAMP, told(encoded))
        conductor: Any = self.conductor
        self.watch = VulnerabilityWatch(
            self.desk.tracker.exposures,
            conductor,
            records=PlaneRecords(PlaneName.SOFTWARE, self.desk.store, prefix=DOCUMENTS),
            policy=VulnerabilityPolicy,
            clock=JumpingClock(),
        )

    @staticmethod
    def desk_image():
        return b"image 1.1.0 " * 100

    def write(self, identifier, severity):
        affected = {"package": PACKAGE, "versions": ["1.2"], "ecosystem_specific": {"severity": severity}}
        (self.folder / f"{identifier}.json").write_text(json.dumps({"id": identifier, "affected": [affected]}))

    def ask(self, operation, operator=OWNER, **arguments):
        table = Operations(*operation_osv.rows(self.desk.tracker, self.watch))
        return asyncio.run(table.answer({"operation": operation, "arguments": arguments}, operator=operator))


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_an_import_cuts_off_what_is_concerned_and_lists_it(house, tmp_path):
    house.write("X-1", "CRITICAL")
    house.write("X-2", "LOW")
    (tmp_path / "x.json").write_text("[]")
    said = house.ask("osv.import", path=str(tmp_path))["result"]
    assert (said["read"], said["known"], said["passed_over"]) == (2, 2, 1)
    assert said["first_passed_over"].startswith("x.json: ")
    assert (said["quarantined"], said["tickets"]) == (1, 2)
    assert house.conductor.asked == [LAMP.id]
    rows = house.ask("osv.list")["result"]
    assert [(row["thing"], row["id"], row["severity"], row["certain"]) for row in rows] == [
        (LAMP.id, "X-1", "critical", True),
        (LAMP.id, "X-2", "low", True),
    ]
    assert house.ask("osv.list", thing="thing-of-nobody")["result"] == []


def test_where_nothing_is_nothing_changes(house, tmp_path):
    error = house.ask("osv.import", path=str(tmp_path / "absent"))["error"]
    assert error["kind"] == "ConfigError"
    assert house.ask("osv.list")["result"] == []


@pytest.mark.parametrize("role", [Role.MAINTAINER, Role.AUDITOR, Role.USER])
def test_only_the_owner_says_what_is_known(house, tmp_path, role):
    house.write("X-1", "CRITICAL")
    assert house.ask("osv.import", Operator(role), path=str(tmp_path))["error"]["kind"] == "RoleError"


def test_many_records_come_in_several_batches():
    class Large:
        def encode(self):
            return bytes(600_000)

    rows: Any = [Large()] * 5
    assert [len(batch) for batch in operation_osv._batches(rows)] == [1] * 5
    assert list(operation_osv._batches([])) == []
