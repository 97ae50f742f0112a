"""Keys that move between a domain's directory and their keepers, also when the power goes on the way."""

import asyncio
import os
import stat
import sys
from datetime import UTC, datetime

import pytest

from thingstead.controller.directory import KEYS, DomainDirectory
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import PlaneRecord, Unit
from thingstead.errors import ConfigError, StorageError
from thingstead.keeper.place import KeeperPlace
from thingstead.storage.records import TAKEN
from thingstead.storage.sqlite import SqliteStore

SETTINGS, NAMES = '[domain]\nname = "home"\n', list(KEYS)
NOBODY = dict.fromkeys((*NAMES, "controller"))


@pytest.fixture
def home(tmp_path):
    directory = DomainDirectory(tmp_path / "home")
    directory.create(settings=SETTINGS, policy="")
    return directory


@pytest.fixture
def place(home):
    place = KeeperPlace(home.root, home.keepers)
    held = place.lock()
    yield place
    os.close(held)


def test_keys_are_moved_and_their_public_halves_stay_known(home, place):
    before = {name: home.public(name) for name in NAMES}
    place.take_apart(NAMES, NOBODY)
    assert list(home.keys.iterdir()) == []
    assert {name: home.public(name) for name in NAMES} == before
    with pytest.raises(ConfigError, match="--separate"):
        home.key_store()
    place.take_apart(NAMES, NOBODY)
    place.put_together(NAMES)
    assert not place.root.exists()
    assert home.key_store().ids() == set(NAMES)


@pytest.mark.parametrize("moved", range(len(KEYS)))
def test_a_move_that_was_cut_off_goes_on_both_ways(home, place, moved):
    """After any number of renames."""
    place.take_apart(NAMES[:moved], NOBODY)
    place.take_apart(NAMES, NOBODY)
    for name in NAMES[:moved]:
        (place.directory(name) / name).rename(home.keys / name)
    place.put_together(NAMES)
    assert home.key_store().ids() == set(NAMES)


def test_a_key_at_neither_place_is_missed(home, place):
    (home.keys / "access").unlink()
    with pytest.raises(StorageError, match="neither"):
        place.take_apart(NAMES, NOBODY)


def test_a_key_that_somebody_lays_beside_the_kept_one_is_not_taken(home, place):
    place.take_apart(NAMES, NOBODY)
    kept = (place.directory("access") / "access").read_bytes()
    (home.keys / "access").write_bytes(b"mine")
    with pytest.raises(StorageError, match="not yours"):
        place.take_apart(NAMES, NOBODY)
    assert (place.directory("access") / "access").read_bytes() == kept


def test_one_domain_is_started_once(home, place):
    with pytest.raises(ConfigError, match="runs already"):
        KeeperPlace(home.root, home.keepers).lock()


def test_a_keeper_is_asked_through_a_door_of_one_user(place):
    listener = place.listen("access", None)
    assert stat.S_IMODE(place.door("access").stat().st_mode) == 0o600
    listener.close()


@pytest.mark.root
def test_each_user_gets_what_is_theirs(home, place):
    users = {name: 61400 + number for number, name in enumerate(("controller", *NAMES))}
    place.take_apart(NAMES, users)
    assert {path.stat().st_uid for path in (home.root, *home.root.rglob("*"))} == {61400}
    for name in NAMES:
        owners = {path.stat().st_uid for path in (place.directory(name), place.directory(name) / name)}
        assert owners == {users[name]}
    # From here on what lies in the controller's directory is no key.
    (home.keys / "access").write_bytes(b"mine")
    place.take_apart(NAMES, users)
    (home.keys / "access").unlink()
    place.put_together(NAMES)
    assert {path.stat().st_uid for path in (home.root, *home.root.rglob("*"))} == {0}
    assert home.key_store().ids() == set(NAMES)


def test_a_way_that_is_closed_to_others_is_named(tmp_path, home, place):
    tmp_path.chmod(0o700)
    with pytest.raises(ConfigError, match="closed"):
        place.require_way()


INSTANTS = ("os.mkdir", "os.rename", "os.chown", "os.remove", "os.rmdir", "open")


def dying(act, instant):
    """Do something in a process that dies at its n-th change of the disk; whether it died."""
    pid = os.fork()
    if pid == 0:
        left = [instant]

        def hook(event, _arguments):
            if event in INSTANTS:
                left[0] -= 1
                if left[0] < 0:
                    os._exit(1)

        sys.addaudithook(hook)
        try:
            act()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1


@pytest.mark.full
@pytest.mark.root
@pytest.mark.parametrize("way", ["apart", "together"])
@pytest.mark.parametrize("then", ["apart", "together"])
def test_no_death_on_the_way_loses_a_key(tmp_path, way, then):
    """Dies at each instant of the move in one direction; then moves on, or back."""
    users = {name: 61400 + number for number, name in enumerate(("controller", *NAMES))}
    instant, died = 0, True
    while died:
        home = DomainDirectory(tmp_path / str(instant) / "home")
        home.create(settings=SETTINGS, policy="")
        before = {name: (home.keys / name).read_bytes() for name in NAMES}
        place = KeeperPlace(home.root, home.keepers)
        os.close(place.lock())
        moves = {"apart": lambda p=place: p.take_apart(NAMES, users), "together": lambda p=place: p.put_together(NAMES)}
        if way == "together":
            moves["apart"]()
        died = dying(moves[way], instant)
        if then == "apart" or home.keepers.exists():
            os.close(place.lock())
            moves[then]()
        folder = {name: place.directory(name) if then == "apart" else home.keys for name in NAMES}
        assert {name: (folder[name] / name).read_bytes() for name in NAMES} == before, instant
        assert home.keepers.exists() == (then == "apart")
        instant += 1
    assert instant > 20


PLANES = {PlaneName.DATA: ("",), PlaneName.IDENTITY: ("credential/",)}


def kept(folder, plane):
    """Keys of a plane's documents in a store."""
    store = SqliteStore(folder)
    found = [key for key, _ in store.documents(plane)]
    asyncio.run(store.close())
    return found


def write(folder, plane, *keys, entries=()):
    async def story():
        store = SqliteStore(folder)
        await store.commit(Unit(records=tuple([PlaneRecord(plane, key, b"x") for key in keys]), entries=entries))
        await store.close()

    asyncio.run(story())


ENTRY = Draft(datetime(2026, 11, 23, tzinfo=UTC), Kind.ERASURE, "owner")


def test_documents_of_planes_move_to_their_processes_and_back_and_others_stay(home, place):
    write(home.root, PlaneName.DATA, *[f"thing/{number:04d}" for number in range(1200)])
    write(home.root, PlaneName.IDENTITY, "credential/one", "code/one")
    for _ in range(2):
        place.take_apart(NAMES, NOBODY | dict.fromkeys(PLANES), planes=PLANES)
        assert kept(home.root, PlaneName.DATA) == []
        assert len(kept(place.directory("data"), PlaneName.DATA)) == 1200
        assert kept(home.root, PlaneName.IDENTITY) == ["code/one"]
        assert kept(place.directory("identity"), PlaneName.IDENTITY) == ["credential/one"]
    write(place.directory("identity"), PlaneName.IDENTITY, "~withdrawn/one")
    place.put_together(NAMES, planes=tuple(PLANES))
    assert len(kept(home.root, PlaneName.DATA)) == 1200
    assert kept(home.root, PlaneName.IDENTITY) == ["code/one", "credential/one", "~withdrawn/one"]
    place.root.mkdir()
    place.take_apart(NAMES, NOBODY | dict.fromkeys(PLANES), planes=PLANES)
    assert kept(place.directory("identity"), PlaneName.IDENTITY) == ["credential/one", "~withdrawn/one"]


def test_nothing_is_taken_back_while_entries_are_not_on_the_ledger(home, place):
    place.take_apart(NAMES, NOBODY | dict.fromkeys(PLANES), planes=PLANES)
    write(place.directory("data"), PlaneName.DATA, entries=(ENTRY,))
    with pytest.raises(ConfigError, match="1 entries of the data plane"):
        place.put_together(NAMES, planes=tuple(PLANES))
    assert place.directory("data").exists()
    write(home.root, PlaneName.DATA)

    async def take():
        store = SqliteStore(home.root)
        record = PlaneRecord(PlaneName.DATA, TAKEN, (1).to_bytes(8, "big"))
        await store.commit(Unit(records=(record,)))
        await store.close()

    asyncio.run(take())
    place.put_together(NAMES, planes=tuple(PLANES))
    assert kept(home.root, PlaneName.DATA) == [TAKEN]


@pytest.mark.root
def test_a_plane_that_was_no_process_when_the_domain_was_given_away_is_not_made_one_silently(home, place):
    users = NOBODY | dict.fromkeys(PLANES) | {"controller": 61_290}
    place.take_apart(NAMES, users)
    with pytest.raises(ConfigError, match="--together"):
        place.take_apart(NAMES, users, planes=PLANES)
