"""Whoever audits is given what the checks of a release came to, with a signature that needs nobody's word."""

import asyncio
import base64

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.planes.software.desk import IMAGE, OPEN, Desk, made
from thingstead.analysis.image_scan import Finding
from thingstead.controller import operation_result
from thingstead.controller.notary import Notary
from thingstead.controller.operation import Operations
from thingstead.crypto.key import KeyType, generate
from thingstead.domain import release_result
from thingstead.domain.release_result import Verdict
from thingstead.domain.role import OWNER, Operator, Role
from thingstead.errors import AuthenticationError, PolicyError
from thingstead.protocols.suit import envelope
from thingstead.simulator.virtual.memory import MemoryHeads
from thingstead.storage.memory import MemoryStore

pytestmark = pytest.mark.requirement("R-84")
KEY = generate(KeyType.P256)


class House:
    """A tracker whose ledger is followed by a notary."""

    def __init__(self):
        self.desk = Desk().admit()
        self.notary = Notary(self.desk.store, MemoryHeads(), key=KEY, domain="home", clock=JumpingClock())

    def publish(self, encoded):
        asyncio.run(self.desk.tracker.publish(encoded, IMAGE, terms=OPEN))

    def ask(self, encoded, operator=OWNER, store=None):
        rows = operation_result.rows(self.desk.tracker, store or self.desk.store, self.notary)
        asked = {"operation": "release.result", "arguments": {"manifest": name_of(encoded)}}
        return asyncio.run(Operations(*rows).answer(asked, operator=operator))


def name_of(encoded):
    return envelope.decode(encoded).digest.value.hex()[:16]


@pytest.fixture
def house():
    return House()


@pytest.mark.spec("RFC 9942 5.2.1")
def test_a_published_release_has_a_result_under_the_ledgers_key(house):
    house.publish(made())
    house.publish(made("1.2.0", 3))
    told = house.ask(made(), Operator(Role.AUDITOR, "ada"))["result"]
    proved = release_result.authenticate(base64.b64decode(told["signed"]), KEY.public)
    assert (proved.result.version, proved.result.verdict) == ("1.1.0", Verdict.PUBLISHED)
    assert (proved.entry.index, proved.entry.actor) == (told["entry"], "owner")
    assert base64.b64decode(told["result"]) == release_result.encode(proved.result)
    with pytest.raises(AuthenticationError):
        release_result.authenticate(base64.b64decode(told["signed"]), generate(KeyType.P256).public)


def test_a_refused_release_has_one_too(house):
    house.desk.findings = [Finding("wifi_key", 7, "Wi-Fi key")]
    encoded = made()
    with pytest.raises(PolicyError):
        house.publish(encoded)
    signed = base64.b64decode(house.ask(encoded)["result"]["signed"])
    assert release_result.authenticate(signed, KEY.public).result.verdict is Verdict.REFUSED


def test_a_release_that_was_never_brought_has_none(house):
    assert house.ask(made())["error"]["kind"] == "ConfigError"


@pytest.mark.parametrize("role", [Role.USER, Role.INSTALLER])
def test_who_does_not_audit_is_told_nothing(house, role):
    encoded = made()
    house.publish(encoded)
    assert house.ask(encoded, Operator(role))["error"]["kind"] == "RoleError"


def test_a_result_that_the_ledger_does_not_know_is_not_vouched_for(house):
    encoded = made()
    house.publish(encoded)
    assert house.ask(encoded, store=MemoryStore())["error"]["kind"] == "StorageError"
