"""What the checks of a release came to is shown, written with its signature, and verified without a domain."""

import base64
import json

import pytest

from tests.unit.domain.test_release_result import ENCODED, KEY, enclosed
from thingstead.crypto.key import KeyType, generate
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key

pytestmark = pytest.mark.requirement("R-84")
TOLD = {
    "entry": 1,
    "result": base64.b64encode(ENCODED).decode(),
    "signed": base64.b64encode(enclosed()).decode(),
}


@pytest.fixture
def ledger_key(tmp_path):
    path = tmp_path / "ledger.key"
    path.write_bytes(codec.encode(cose_key.public_map(KEY.public)))
    return path


@pytest.fixture
def written(run, controller, tmp_path):
    controller.answer = {"result": TOLD}
    path = tmp_path / "lamp.result"
    code, out, _ = run("release", "result", "3f2a9c41", "--output", path)
    assert code == 0
    assert "release verify-result" in out.splitlines()[-1]
    assert controller.asked == [("release.result", {"manifest": "3f2a9c41"})]
    return path


def test_each_check_is_shown_with_what_it_came_to(run, controller):
    controller.answer = {"result": TOLD}
    shown = json.loads(run("release", "result", "3f2a9c41", "--json")[1])
    assert shown["checks"] == {
        "signatures": "passed",
        "network_grows": "held; mud.json: it may contact b.example",
    }
    assert (shown["verdict"], shown["first_of_its_type"]) == ("published", True)
    assert "network grows" in run("release", "result", "3f2a9c41")[1]


def test_what_was_written_is_verified_with_the_ledgers_key_alone(run, written, ledger_key):
    code, out, _ = run("release", "verify-result", written, "--key", ledger_key, "--json")
    shown = json.loads(out)
    assert (code, shown["by"], shown["cause"], shown["version"]) == (0, "owner", "published", "1.1.0")


def test_one_changed_byte_is_refused(run, written, ledger_key):
    data = bytearray(written.read_bytes())
    place = data.index(b"b.example")
    data[place] ^= 1
    written.write_bytes(data)
    assert run("release", "verify-result", written, "--key", ledger_key)[0] == 24


def test_another_key_is_refused(run, written, ledger_key):
    ledger_key.write_bytes(codec.encode(cose_key.public_map(generate(KeyType.P256).public)))
    assert run("release", "verify-result", written, "--key", ledger_key)[0] == 21


def test_what_is_no_result_is_refused(run, ledger_key):
    assert run("release", "verify-result", ledger_key, "--key", ledger_key)[0] != 0
