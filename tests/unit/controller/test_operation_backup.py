import asyncio

import pytest

from tests.unit.controller.planes import FakePlane, JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.controller.operation import Operations
from thingstead.controller.operation_backup import rows
from thingstead.domain import thing as thing_record
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.protocols.cbor import codec


class _Keeps(FakePlane):
    def snapshot(self):
        return {"document": b"kept"}


def _ask(path):
    clock = JumpingClock()
    planes = [_Keeps(name, clock) for name in PlaneName]
    operations = Operations(*rows(planes, Register(Snapshot(things=(a_thing(),))), domain="home", clock=clock))
    return asyncio.run(operations.answer({"operation": "backup", "arguments": {"path": str(path)}}))


def test_a_file_that_is_there_is_never_written_over(tmp_path):
    path = tmp_path / "backup"
    path.write_bytes(b"precious")
    assert _ask(path)["error"]["kind"] == "ConfigError"
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize("path", ["", "backup", "./backup"])
def test_a_path_that_depends_on_where_the_controller_runs_is_refused(path):
    assert _ask(path)["error"]["kind"] == "ConfigError"


def test_a_directory_that_is_not_there_is_told(tmp_path):
    assert _ask(tmp_path / "no" / "backup")["error"]["kind"] == "StorageError"


def test_every_plane_and_every_thing_is_in_a_file_that_is_its_owner_s_alone(tmp_path):
    path = tmp_path / "backup"
    result = _ask(path)["result"]
    assert path.stat().st_mode & 0o777 == 0o600
    version, domain, _at, things, planes = codec.decode(path.read_bytes())
    assert (version, domain, things) == (1, "home", [thing_record.encode(a_thing())])
    assert planes == {name.value: {"document": b"kept"} for name in PlaneName}
    assert result["things"] == 1
