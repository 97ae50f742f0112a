"""Backup and restore as they are typed: one sentence where they cannot be, and what to know where they can."""

import json
import shutil

import pytest

from tests.unit.controller.test_backup import BACKUP
from tests.unit.controller.test_restoration import signed_head
from thingstead.controller import backup as backup_file
from thingstead.controller.directory import KEYS, DomainDirectory
from thingstead.crypto.key import KeyType, generate
from thingstead.identifier import KeyId
from thingstead.protocols.cose import key as cose_key


@pytest.fixture
def lost(tmp_path, monkeypatch, run):
    """A current directory with the backup, the keys and the head of a domain, whose directory is gone."""
    monkeypatch.chdir(tmp_path)
    assert run("init", "home", "--profile", "home")[0] == 0
    home = DomainDirectory(tmp_path / "home")
    key = home.key_store().handle(KeyId("ledger"))
    backup = backup_file.Backup(
        domain="home",
        at=BACKUP.at,
        settings=home.settings_text(),
        policy=home.policy_text(),
        anchors=(),
        keys={name: cose_key.thumbprint(home.public(name)) for name in KEYS},
        things=BACKUP.things,
        planes={},
        leaves=(),
    )
    (tmp_path / "home.backup").write_bytes(backup_file.sign(backup, key))
    (tmp_path / "foreign.backup").write_bytes(backup_file.sign(backup, generate(KeyType.P256)))
    (tmp_path / "damaged.backup").write_bytes((tmp_path / "home.backup").read_bytes()[:-1])
    (tmp_path / "empty.head").write_bytes(signed_head(0, key=key))
    (tmp_path / "foreign.head").write_bytes(signed_head(0))
    shutil.copytree(home.keys, tmp_path / "keys")
    shutil.rmtree(home.root)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "photo").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("home.backup", "new"), 60, "the following arguments are required: --keys"),
        (("home.backup", "new", "--keys", "absent"), 60, "a backup holds none"),
        (("home.backup", "new", "--keys", "taken"), 50, "its owner's alone"),
        (("absent.backup", "new", "--keys", "keys"), 60, "expected a file at"),
        (("home.backup", "taken", "--keys", "keys"), 60, "to be empty or not there"),
        (("damaged.backup", "new", "--keys", "keys"), 11, "well-formed"),
        (("empty.head", "new", "--keys", "keys"), 11, "expected a backup"),
        (("foreign.backup", "new", "--keys", "keys"), 21, "of another domain than these keys"),
        (("home.backup", "new", "--keys", "keys", "--head", "absent.head"), 60, "expected a file at"),
        (("home.backup", "new", "--keys", "keys", "--head", "foreign.head"), 21, ""),
        (("home.backup", "new", "--keys", "keys", "--head", "home.backup"), 11, ""),
    ],
)
def test_what_cannot_be_restored_is_one_sentence_and_nothing_is_there_after_it(lost, run, words, code, says):
    before = sorted(lost.rglob("*"))
    got, out, err = run("backup", "restore", *words)
    assert (got, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 2
    assert sorted(lost.rglob("*")) == before


def test_a_domain_that_does_not_run_is_not_backed_up(lost, run):
    assert run("backup", "restore", "home.backup", "new", "--keys", "keys")[0] == 0
    code, _, err = run("backup", "other.backup", "--domain", "new")
    assert (code, "no controller answers at" in err) == (40, True)


def test_where_nobody_knows_what_was_decided_since_it_is_said_with_what_to_do(lost, run):
    code, out, _ = run("backup", "restore", "home.backup", "new", "--keys", "keys")
    assert code == 0
    assert "to join again by themselves: 1;" in out
    assert "no head says whether anything was decided after this backup" in out
    assert "begin again in another directory, with --head" in out
    assert "thingstead thing retire" in out
    assert "next: thingstead up new" in out
    assert json.loads(run("config", "check", "new", "--json")[1])["domain"]["name"] == "home"
    assert run("ledger", "verify", "new")[0] == 0


def test_where_the_head_shows_it_nothing_waits(lost, run):
    words = ("home.backup", "new", "--keys", "keys", "--head", "empty.head", "--json")
    told = json.loads(run("backup", "restore", *words)[1])
    assert (told["newer"], told["approve_each"], told["to_join"]) == (0, False, 1)


def test_a_backup_says_what_is_not_in_it(controller, run, tmp_path):
    code, out, _ = run("backup", "home.backup")
    assert code == 0
    assert controller.asked == [("backup", {"path": str(tmp_path / "home.backup")})]
    assert f"no key is in it: keep one copy of {tmp_path / 'keys'}" in out
    assert f"NEW-DIRECTORY --keys COPY-OF-KEYS --head {tmp_path.parent / 'heads'}/{tmp_path.name}.head" in out
