import asyncio

import pytest

from tests.unit.controller.planes import FakePlane, JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.controller import backup as backup_file
from thingstead.controller.directory import KEYS
from thingstead.controller.notary import Notary
from thingstead.controller.operation import Operations
from thingstead.controller.operation_backup import rows
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.errors import ConfigError
from thingstead.identifier import KeyId
from thingstead.protocols.cose import key as cose_key
from thingstead.simulator.virtual.memory import MemoryHeads
from thingstead.storage.memory import MemoryStore


class _Keeps(FakePlane):
    def snapshot(self):
        return {"document": b"kept"}


class Domain:
    """What a backup is made of; `policy` None stands for a file that cannot be read."""

    policy: str | None = "profile = 'home'"

    def __init__(self):
        self.clock, self.store, self.keys = JumpingClock(), MemoryStore(), MemoryKeyStore()
        for name, key_type in KEYS.items():
            self.keys.create(KeyId(name), key_type)
        self.ledger_key = self.keys.handle(KeyId("ledger"))

    def settings_text(self):
        return "[coap]\nport = 5690"

    def operators_text(self):
        return ""

    def policy_text(self):
        if self.policy is None:
            raise ConfigError("expected a policy")
        return self.policy

    def anchors(self):
        return ()

    def ask(self, path):
        notary = Notary(self.store, MemoryHeads(), key=self.ledger_key, domain="home", clock=self.clock)
        table = rows(
            [_Keeps(name, self.clock) for name in PlaneName],
            Register(Snapshot(things=(a_thing(),))),
            files=self,
            keys=self.keys,
            store=self.store,
            notary=notary,
            delegations=lambda: (),
            domain="home",
            clock=self.clock,
        )
        return asyncio.run(Operations(*table).answer({"operation": "backup", "arguments": {"path": str(path)}}))


def test_a_file_that_is_there_is_never_written_over(tmp_path):
    path, domain = tmp_path / "backup", Domain()
    path.write_bytes(b"precious")
    assert domain.ask(path)["error"]["kind"] == "ConfigError"
    assert path.read_bytes() == b"precious"
    assert list(domain.store.leaves()) == []


@pytest.mark.parametrize("path", ["", "backup", "./backup"])
def test_a_path_that_depends_on_where_the_controller_runs_is_refused(path):
    assert Domain().ask(path)["error"]["kind"] == "ConfigError"


def test_a_directory_that_is_not_there_is_told(tmp_path):
    assert Domain().ask(tmp_path / "no" / "backup")["error"]["kind"] == "StorageError"


def test_where_the_domain_s_user_may_not_write_it_is_told_before_the_ledger_is(tmp_path):
    domain = Domain()
    (tmp_path / "file").touch()
    refused = domain.ask(tmp_path / "file" / "backup")["error"]
    assert (refused["kind"], "may not write in" in refused["message"]) == ("ConfigError", True)
    assert list(domain.store.leaves()) == []


def test_where_the_owner_s_files_cannot_be_read_there_is_no_half_backup(tmp_path):
    domain = Domain()
    domain.policy = None
    assert domain.ask(tmp_path / "backup")["error"]["kind"] == "ConfigError"
    assert list(tmp_path.iterdir()) == []


def test_everything_is_in_a_signed_file_that_is_its_owner_s_alone_and_no_key_is(tmp_path):
    path, domain = tmp_path / "backup", Domain()
    result = domain.ask(path)["result"]
    assert path.stat().st_mode & 0o777 == 0o600
    data = path.read_bytes()
    backup = backup_file.authenticate(data, domain.ledger_key.public).backup
    assert (backup.domain, backup.things) == ("home", (a_thing(),))
    assert (backup.settings, backup.policy) == (domain.settings_text(), domain.policy)
    assert backup.planes == {name: {"document": b"kept"} for name in PlaneName}
    assert (result["things"], result["entries"], result["bytes"]) == (1, 1, len(data))
    for name in KEYS:
        key = domain.keys.handle(KeyId(name))
        assert backup.keys[name] == cose_key.thumbprint(key.public)
        assert key.private_bytes().reveal() not in data


def test_that_it_was_made_is_on_the_ledger_and_in_it(tmp_path):
    domain = Domain()
    domain.ask(tmp_path / "backup")
    backup = backup_file.authenticate((tmp_path / "backup").read_bytes(), domain.ledger_key.public).backup
    assert backup.leaves == tuple(domain.store.leaves())
    (noted,) = [entry.decode(leaf) for leaf in backup.leaves]
    assert (noted.kind, noted.cause, noted.actor) == (Kind.DISCLOSURE, "backup", "owner")
