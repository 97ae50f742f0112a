"""What the test of a type came to is listed, shown, written with its signature, and verified without a domain."""

import base64
import json

import pytest

from tests.unit.domain.test_release_result import KEY
from tests.unit.domain.test_type_result import ENCODED, enclosed
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key

pytestmark = pytest.mark.requirement("R-84")
TOLD = {"entry": 1, "result": base64.b64encode(ENCODED).decode(), "signed": base64.b64encode(enclosed()).decode()}


@pytest.fixture
def ledger_key(tmp_path):
    path = tmp_path / "ledger.key"
    path.write_bytes(codec.encode(cose_key.public_map(KEY.public)))
    return path


def test_types_are_listed_and_an_empty_list_says_why(run, controller):
    controller.answer = {"result": []}
    assert "test_types" in run("type", "list")[1]
    controller.answer = {"result": [{"type": "3f2a", "maker": "acme", "model": "LX-1", "verdict": "failed"}]}
    shown = run("type", "list")[1]
    assert "failed" in shown
    assert shown.splitlines()[-1].endswith("thingstead type result 3f2a")


def test_a_type_is_tested_with_a_thing(run, controller):
    assert run("type", "test", "thing-abcdefghijklmnop")[0] == 0
    assert controller.asked == [("type.test", {"thing": "thing-abcdefghijklmnop"})]


def test_each_check_is_shown(run, controller):
    controller.answer = {"result": TOLD}
    shown = json.loads(run("type", "result", "3f2a", "--json")[1])
    assert (shown["verdict"], shown["checks"]) == ("passed", {"in-clear": "passed", "replay": "passed"})


def test_what_was_written_is_verified_and_one_changed_byte_refused(run, controller, tmp_path, ledger_key):
    controller.answer = {"result": TOLD}
    path = tmp_path / "lamp.result"
    assert run("type", "result", "3f2a", "--output", path)[0] == 0
    code, out, _ = run("type", "verify-result", path, "--key", ledger_key, "--json")
    assert (code, json.loads(out)["model"]) == (0, "LX-1")
    data = bytearray(path.read_bytes())
    data[data.index(b"LX-1")] ^= 1
    path.write_bytes(data)
    assert run("type", "verify-result", path, "--key", ledger_key)[0] == 24


def test_what_is_no_result_is_refused(run, ledger_key):
    assert run("type", "verify-result", ledger_key, "--key", ledger_key)[0] != 0
