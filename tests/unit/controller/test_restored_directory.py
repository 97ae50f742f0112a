"""A domain begins again whole and private, or its directory stays as it was."""

import asyncio
import contextlib
import shutil
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.controller.test_restoration import leaves, signed_head
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.app import running
from thingstead.controller.backup import Backup, authenticate, sign
from thingstead.controller.directory import KEYS, DomainDirectory
from thingstead.controller.installers import DELEGATES
from thingstead.controller.restored_directory import ledger_key, restore
from thingstead.controller.revocation import Revocations
from thingstead.controller.revocation import authenticate as read_revocations
from thingstead.controller.revocation import sign as sign_revocations
from thingstead.crypto.key import KeyType, generate
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.errors import AuthenticationError, ConfigError, StorageError, ThingsteadError
from thingstead.identifier import KeyId
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import delegation
from thingstead.storage.directory import write_whole
from thingstead.storage.policy_file import parse_policy
from thingstead.storage.sqlite import DATABASE, SqliteStore
from thingstead_verifier.verify import check

SETTINGS = '[domain]\nname = "home"\n[coap]\nport = 0\n[web]\nenabled = false\n'
ANCHOR = TrustAnchor("acme", generate(KeyType.P256).public, (generate(KeyType.P256).public,), bytes(16))
KEY = generate(KeyType.P256)
GONE = a_thing(1, state=LifecycleState.DECOMMISSIONED, version=4)


class Lost:
    """A domain that was: a copy of its keys, its ledger's key outside, and what its backup says."""

    def __init__(self, tmp_path, keys):
        self.place, self.keys = tmp_path, tmp_path / "copy"
        shutil.copytree(keys, self.keys)
        (tmp_path / "heads").mkdir(mode=0o700)
        (tmp_path / "heads" / "home.key").write_bytes(b"of before")
        (tmp_path / "heads" / "home.key").chmod(0o600)
        store = FileKeyStore(keys)
        thumbprints = {name: cose_key.thumbprint(store.handle(KeyId(name)).public) for name in KEYS}
        self.backup = Backup(
            domain="home",
            at=AT,
            settings=SETTINGS,
            policy="profile = 'home'",
            anchors=(ANCHOR,),
            keys=thumbprints,
            things=(a_thing(), GONE),
            planes={},
            leaves=leaves(3),
        )

    @property
    def key(self):
        return FileKeyStore(self.keys).handle(KeyId("ledger"))

    def head(self, size):
        return signed_head(size, key=self.key)

    def second_place(self, head, revoked=None):
        """A second place that is not the one of the settings."""
        place = self.place / "elsewhere"
        place.mkdir(exist_ok=True)
        (place / "home.head").write_bytes(head)
        if revoked is not None:
            (place / "home.revoked").write_bytes(sign_revocations(revoked, self.key))
        return place / "home.head"

    def restore(self, name="home", head=None, **changes):
        backup = authenticate(sign(replace(self.backup, **changes), self.key), ledger_key(self.keys))
        directory = DomainDirectory(self.place / name)
        return asyncio.run(restore(backup, directory, keys=self.keys, head=head, clock=JumpingClock())), directory

    def names(self):
        return sorted(path.relative_to(self.place).as_posix() for path in self.place.rglob("*"))


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    directory = tmp_path_factory.mktemp("domain") / "keys"
    store = FileKeyStore(directory)
    for name, key_type in KEYS.items():
        store.create(KeyId(name), key_type)
    return directory


@pytest.fixture
def lost(tmp_path, keys):
    return Lost(tmp_path, keys)


@pytest.mark.parametrize("found", ["a file in it", "a file in its place", "a domain"])
def test_a_place_that_is_taken_is_left_as_it_is(lost, found):
    home = lost.place / "home"
    if found == "a file in its place":
        home.write_bytes(b"precious")
    elif found == "a file in it":
        home.mkdir()
        (home / "photo").write_bytes(b"precious")
    else:
        DomainDirectory(home).create(settings="", policy="")
    before = lost.names()
    with pytest.raises(ConfigError, match="to be empty or not there"):
        lost.restore()
    assert lost.names() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": "["},
        {"settings": "[domain]\nnmae = 'x'"},
        {"settings": "[domain]\nheads = 'inside'"},
        {"settings": "[network]\nlocal = ['nowhere']"},
        {"policy": "profile = 'palace'"},
        {"keys": {}},
        {"keys": dict.fromkeys(KEYS, bytes(32))},
        {"leaves": (b"leaf",)},
        {"anchors": (replace(ANCHOR, maker="../policy"),)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_backup_that_cannot_be_obeyed_leaves_nothing_behind(lost, changes):
    before = lost.names()
    with pytest.raises(ThingsteadError):
        lost.restore(**changes)
    assert lost.names() == before


@pytest.mark.parametrize("name", sorted(set(KEYS) - {"ledger"}))
def test_a_key_that_is_missing_or_another_s_stops_the_restore(lost, name):
    (lost.keys / name).unlink()
    with pytest.raises(StorageError):
        lost.restore()
    FileKeyStore(lost.keys).create(KeyId(name), KeyType.P256)
    with pytest.raises(ConfigError, match=f"the key {name} in .* is not the one"):
        lost.restore()
    assert not (lost.place / "home").exists()


def test_keys_that_others_can_read_are_not_used(lost):
    (lost.keys / "domain").chmod(0o644)
    with pytest.raises(StorageError, match="owner's alone"):
        lost.restore()


@pytest.mark.parametrize("keys", ["absent", "home.backup"])
def test_without_the_keys_there_is_no_restore(tmp_path, keys):
    (tmp_path / "home.backup").touch()
    with pytest.raises(ConfigError, match="a backup holds none"):
        ledger_key(tmp_path / keys)
    assert not (tmp_path / "absent").exists()


def test_the_head_of_another_domain_in_our_place_stops_the_restore(lost):
    (lost.place / "heads" / "home.head").write_bytes(signed_head(3))
    before = lost.names()
    with pytest.raises(AuthenticationError):
        lost.restore()
    assert lost.names() == before


@pytest.mark.parametrize(("size", "newer"), [(None, None), (4, 1)])
def test_where_more_may_have_been_decided_each_thing_waits_for_a_person(lost, size, newer):
    told, directory = lost.restore(head=None if size is None else lost.second_place(lost.head(size)))
    assert (told.newer, told.approve_each) == (newer, True)
    assert parse_policy(directory.policy_text()).join.approve_each
    assert directory.policy_text().endswith("profile = 'home'")


def test_a_policy_that_had_each_wait_already_is_kept_as_it_is(lost):
    policy = "approve_each = true\nprofile = 'home'"
    told, directory = lost.restore(policy=policy)
    assert told.approve_each
    assert directory.policy_text() == policy


@pytest.mark.parametrize("is_outside", [True, False])
def test_where_the_head_shows_that_nothing_was_decided_the_policy_is_as_it_was(lost, is_outside):
    if is_outside:
        (lost.place / "heads" / "home.head").write_bytes(lost.head(3))
    told, directory = lost.restore(head=None if is_outside else lost.second_place(lost.head(3)))
    assert (told.newer, told.approve_each) == (0, False)
    assert directory.policy_text() == lost.backup.policy


def test_ledger_and_tokens_go_on_under_keys_of_their_own_and_the_head_of_before_stays_as_evidence(lost):
    heads = lost.place / "heads"
    (heads / "home.head").write_bytes(lost.head(99))
    old_key = (heads / "home.key").read_bytes()
    told, directory = lost.restore()
    kept = heads / "home-until-20261123T120000Z.head"
    assert told.kept == str(kept)
    assert (kept.read_bytes()[:9], kept.with_suffix(".key").read_bytes()) == (lost.head(99)[:9], old_key)
    old = FileKeyStore(lost.keys)
    kept_keys = {name for name in KEYS if directory.public(name) == old.handle(KeyId(name)).public}
    assert kept_keys == KEYS.keys() - {"access", "ledger"}
    verdict = check(directory.root / DATABASE, (heads / "home.head").read_bytes(), (heads / "home.key").read_bytes())
    assert verdict.holds
    assert verdict.signed == verdict.size > 3


def test_a_restored_domain_is_its_owner_s_alone_and_holds_what_it_held(lost):
    (lost.place / "home").mkdir()
    told, directory = lost.restore()
    for found in [directory.root, *directory.root.rglob("*"), *(lost.place / "heads").iterdir()]:
        assert stat.S_IMODE(found.stat().st_mode) & 0o077 == 0
    assert (told.things, told.to_join, told.entries) == (2, 1, 3)
    assert (directory.anchors(), directory.settings_text()) == ((ANCHOR,), SETTINGS)
    assert [path.name for path in lost.place.iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
def test_a_restored_domain_runs_and_its_planes_settle_what_they_owe(lost):
    _, directory = lost.restore()

    async def story():
        async with running(directory) as controller:
            assert controller.register.obligations() == ()
            assert controller.register.thing(GONE.id) == GONE
            assert [thing.state for thing in controller.register.things() if thing != GONE] == ["re-bootstrapping"]

    asyncio.run(story())


# --- what was revoked after the backup


def revoked(*things, decided=0):
    return Revocations("home", 1, 9, decided, things)


@pytest.mark.requirement("R-62")
def test_with_the_second_place_nobody_waits_and_who_was_retired_since_stays_out(lost):
    since = a_thing(state=LifecycleState.DECOMMISSIONED, version=5)
    never_known = a_thing(2, restriction=Restriction.QUARANTINED, version=3)
    head = lost.second_place(lost.head(9), revoked(since, never_known))
    told, directory = lost.restore(head=head)
    assert (told.newer, told.revoked, told.why_held, told.approve_each) == (6, 2, "", False)
    assert directory.policy_text() == lost.backup.policy

    async def kept():
        store = SqliteStore(directory.root)
        try:
            return {thing.id: thing for thing in store.load().things}
        finally:
            await store.close()

    things = asyncio.run(kept())
    assert (things[since.id], things[GONE.id]) == (since, GONE)
    assert (things[never_known.id].state, things[never_known.id].restriction) == ("re-bootstrapping", "quarantined")


@pytest.mark.requirement("R-62")
@pytest.mark.parametrize(
    ("size", "kept", "why"),
    [(None, None, "no head"), (9, None, "nothing in a second place"), (9, revoked(decided=4), "rules, makers")],
)
def test_without_it_or_where_more_was_decided_each_thing_waits(lost, size, kept, why):
    told, _ = lost.restore(head=None if size is None else lost.second_place(lost.head(size), kept))
    assert told.approve_each
    assert told.why_held.startswith(why)


@pytest.mark.parametrize("data", [b"", b"\x80"])
def test_a_second_place_that_is_damaged_or_another_s_stops_the_restore(lost, data):
    head = lost.second_place(lost.head(9))
    before = lost.names()
    head.with_suffix(".revoked").write_bytes(data)
    with pytest.raises(ThingsteadError):
        lost.restore(head=head)
    head.with_suffix(".revoked").write_bytes(sign_revocations(revoked(), generate(KeyType.P256)))
    with pytest.raises(AuthenticationError):
        lost.restore(head=head)
    head.with_suffix(".revoked").unlink()
    assert lost.names() == before


def test_the_second_place_goes_on_in_a_new_epoch_under_the_new_key(lost):
    heads = lost.place / "heads"
    (heads / "home.head").write_bytes(lost.head(9))
    (heads / "home.revoked").write_bytes(sign_revocations(revoked(), lost.key))
    _, directory = lost.restore()
    data = (heads / "home.revoked").read_bytes()
    found = read_revocations(data, directory.public("ledger"), domain="home").revocations
    assert (found.epoch, found.things) == (2, (GONE,))
    assert (heads / "home-until-20261123T120000Z.revoked").exists()
    assert not list(directory.root.glob("first.*"))


def _delegating(lost):
    """The domain had a key that it delegated with, and who might ask was written down."""
    owner = FileKeyStore(lost.keys).create(DELEGATES, KeyType.P256)
    token = delegation.issue(
        KEY.public,
        owner,
        domain="home",
        installer="ben",
        zones=("hall",),
        classes=(2,),
        at=AT,
        expires=AT + timedelta(days=2),
        cti=b"01234567",
    )
    keys = {**lost.backup.keys, DELEGATES: cose_key.thumbprint(owner.public)}
    return {"keys": keys, "delegations": (token,), "operators": "auditor user:7 carla\n"}


@pytest.mark.requirement("R-62")
def test_operators_and_installers_come_back_where_nothing_was_decided_since(lost):
    changes = _delegating(lost)
    restored, directory = lost.restore(head=lost.second_place(lost.head(3)), **changes)
    assert (restored.operators, restored.installers) == (True, 1)
    assert directory.operators.read_text() == changes["operators"]
    assert cose_key.thumbprint(FileKeyStore(directory.keys).handle(DELEGATES).public) == changes["keys"][DELEGATES]


@pytest.mark.requirement("R-62")
def test_where_nobody_knows_what_was_decided_since_operators_wait_for_the_owner_and_nobody_is_an_installer(lost):
    restored, directory = lost.restore(**_delegating(lost))
    assert (restored.operators, restored.installers) == (False, 0)
    assert not directory.operators.exists()
    assert directory.operators.with_suffix(".of-backup").exists()


@pytest.mark.requirement("R-62")
@pytest.mark.parametrize(("ended", "installers"), [((), 1), ((b"01234567",), 0), ((b"76543210",), 1)])
def test_who_was_revoked_since_is_no_installer(lost, ended, installers):
    head = lost.second_place(lost.head(3), Revocations("home", 1, 3, 0, (), ended))
    restored, _ = lost.restore(head=head, **_delegating(lost))
    assert restored.installers == installers


def test_a_key_that_delegations_were_not_signed_with_is_refused(lost):
    changes = _delegating(lost)
    with pytest.raises(ConfigError, match="owner"):
        lost.restore(**{**changes, "keys": {**changes["keys"], DELEGATES: bytes(32)}})


def test_without_the_key_that_delegations_were_signed_with_nobody_is_an_installer(lost):
    changes = _delegating(lost)
    (lost.keys / DELEGATES).unlink()
    restored, _ = lost.restore(head=lost.second_place(lost.head(3)), **changes)
    assert restored.installers == 0


class Died(BaseException):
    """The process is gone: nothing of it tidies up."""


def _dies_at(monkeypatch, instant):
    """Everything that changes a disk on the way counts as one instant; at this one it dies before."""
    steps = iter(range(1, 100))

    def step(work):
        def counted(*arguments, **options):
            if next(steps) == instant:
                raise Died
            return work(*arguments, **options)

        return counted

    monkeypatch.setattr("thingstead.controller.restored_directory.write_whole", step(write_whole))
    monkeypatch.setattr(Path, "rename", step(Path.rename))
    monkeypatch.setattr(Path, "unlink", step(Path.unlink))
    monkeypatch.setattr(SqliteStore, "commit", step(SqliteStore.commit))
    monkeypatch.setattr(shutil, "rmtree", lambda *_arguments, **_options: None)


@pytest.mark.requirement("R-62")
@pytest.mark.slow
@pytest.mark.parametrize(
    "instant",
    [one if one in {18, 30, 33, 39, 44} else pytest.param(one, marks=pytest.mark.full) for one in range(1, 46)],
)
def test_a_restore_that_dies_anywhere_is_not_there_yet_or_is_finished_by_the_next_start(lost, monkeypatch, instant):
    since = a_thing(state=LifecycleState.DECOMMISSIONED, version=5)
    heads = lost.place / "heads"
    (heads / "home.head").write_bytes(lost.head(9))
    (heads / "home.revoked").write_bytes(sign_revocations(revoked(since), lost.key))
    with monkeypatch.context() as patched:
        _dies_at(patched, instant)
        with contextlib.suppress(Died):
            lost.restore()
    if not (lost.place / "home").exists():
        told, _ = lost.restore()
        assert (told.why_held, told.revoked) == ("", 1)
    directory = DomainDirectory(lost.place / "home")

    async def story():
        async with running(directory) as controller:
            assert controller.register.thing(since.id).state is LifecycleState.DECOMMISSIONED
            assert not controller.admission.policy.approve_each
            await controller.notary.seal()

    asyncio.run(story())
    found = read_revocations((heads / "home.revoked").read_bytes(), directory.public("ledger"), domain="home")
    assert found.revocations.things == (since, GONE)
    kept = [
        read_revocations(one.read_bytes(), lost.key.public, domain="home") for one in heads.glob("*-until-*.revoked")
    ]
    assert {one.revocations.things for one in kept} == {(since,)}
    assert not list(directory.root.glob("first.*"))
