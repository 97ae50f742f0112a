"""A domain in separate processes, as root starts it: who can read what, who outlives whom, and how it is undone."""

import grp
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from thingstead.controller.directory import KEYS, DomainDirectory
from thingstead.errors import TransportError
from thingstead.identifier import KeyId
from thingstead.keeper.privilege import CAP_NET_ADMIN, CAP_NET_BIND_SERVICE
from thingstead.storage.directory import write_whole
from thingstead.storage.sqlite import DATABASE
from thingstead.transport.control_socket import ControlClient
from thingstead.transport.key_socket import RemoteKeyStore

PLANES = ("identity", "access", "groups", "software", "network", "data")
KEPT = tuple(name for name in KEYS if name not in PLANES)
ALL = tuple(dict.fromkeys((*sorted(KEYS), *PLANES)))
pytestmark = [pytest.mark.slow]
FIRST = 61_600 + os.getpid() % 300 * 10
"""Another run of these tests on the machine has other users."""

PROGRAM = """
import os, sys
from thingstead.cli.main import main
if sys.argv[1]:
    # Whoever starts it as another user needs an interpreter that this user can read; one under /root is loaded before.
    import thingstead.cli.up
    os.setgroups([])
    os.setresgid(*[int(sys.argv[1])] * 3)
    os.setresuid(*[int(sys.argv[1])] * 3)
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def home():
    """A domain where every user can get to."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    directory = DomainDirectory(folder / "home")
    settings = (
        '[domain]\nname = "home"\n[coap]\nport = 0\nmulticast_group = ""\n[web]\nenabled = false\n'
        f"[separate]\nfirst_user = {FIRST}\n"
    )
    directory.create(settings=settings, policy='profile = "home"\n')
    yield directory
    shutil.rmtree(folder)


@pytest.fixture
def up(home):
    """Starts the domain, and waits until it answers."""
    started = []

    def up(*words, user="", answers=True, inside=()):
        process = subprocess.Popen(
            [*inside, sys.executable, "-c", PROGRAM, user, "up", str(home.root), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        while answers and process.poll() is None and not is_open(home):
            time.sleep(0.02)
        return process

    yield up
    for process in started:
        process.kill()
        process.communicate()


def is_open(home):
    """Its socket may lie there before anybody listens."""
    try:
        ControlClient(home.control_socket).close()
    except TransportError:
        return False
    return True


def ask(home, operation, **arguments):
    client = ControlClient(home.control_socket)
    try:
        return client.ask({"operation": operation, "arguments": arguments})["result"]
    finally:
        client.close()


def processes():
    """Number of each process of ours, by user."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            user = path.stat().st_uid
            status = (path / "status").read_text()
        except OSError:
            continue
        user = int(status.partition("Uid:\t")[2].split()[0])
        if FIRST <= user < FIRST + 10 and "\nState:\tZ" not in status:
            found[user] = int(path.name)
    return found


def as_user(user, do):
    """What comes of it, in a process of that user."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        try:
            do()
            said = "done"
        except OSError as error:
            said = type(error).__name__
        os.write(writing, said.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading) as file:
        return file.read()


@pytest.mark.root
def test_each_process_has_its_user_and_none_reads_another_s_key(home, up):
    up("--separate")
    living = processes()
    users = dict(zip(("controller", "enforcer", *ALL), range(FIRST, FIRST + 10), strict=False))
    assert set(living) == set(users.values()) - {users["enforcer"]}
    named = [f"keeper of {name} (user {users[name]})" for name in KEPT]
    named += [f"{name} plane (user {users[name]})" for name in PLANES]
    assert ask(home, "status")["separate"] == named
    for name in KEYS:
        key = home.keepers / name / name
        for other, user in users.items():
            expected = "done" if other == name else "PermissionError"
            assert as_user(user, key.read_bytes) == expected, (other, name)
        # Nor out of its memory, where it is not root who asks.
        memory = Path(f"/proc/{living[users[name]]}/mem")
        assert as_user(users["controller"], lambda memory=memory: memory.open("rb")) == "PermissionError"
    assert "CapEff:\t0000000000000000" in Path(f"/proc/{living[FIRST]}/status").read_text()


@pytest.mark.root
def test_a_keeper_answers_the_controller_alone(home, up):
    up("--separate")

    def connect():
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(home.keepers / "access.socket"))

    assert as_user(FIRST + 2, connect) == "PermissionError"
    keys = RemoteKeyStore({"access": home.keepers / "access.socket"}, home)
    with pytest.raises(TransportError):
        keys.handle(KeyId("access"))


@pytest.mark.root
def test_killed_keepers_come_back_and_ctrl_c_leaves_nobody(home, up):
    process = up("--separate")
    before = processes()
    for user, pid in before.items():
        if user != FIRST:
            os.kill(pid, signal.SIGKILL)
    backup = home.root / "later.backup"
    assert ask(home, "backup", path=str(backup))["entries"]
    after = processes()
    assert set(after) == set(before)
    assert after[FIRST] == before[FIRST]
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert processes() == {}
    assert process.communicate()[1].count("is started again") == len(ALL)


@pytest.mark.root
@pytest.mark.requirement("R-63")
def test_a_killed_groups_plane_goes_on_above_every_epoch_and_its_keys_are_on_no_other_disk(home, up):
    up("--separate")
    groups = FIRST + 2 + ALL.index("groups")
    epochs = [ask(home, "group.create", group="lamps")["epoch"], ask(home, "group.rekey", group="lamps")["epoch"]]
    os.kill(processes()[groups], signal.SIGKILL)
    backup = home.root / "later.backup"
    assert ask(home, "backup", path=str(backup))["entries"]
    epochs.append(ask(home, "group.rekey", group="lamps")["epoch"])
    assert epochs == [1, 2, 3]
    (row,) = ask(home, "group.list")
    assert row["epoch"] == 3
    database = home.keepers / "groups" / DATABASE
    assert as_user(FIRST, database.read_bytes) == "PermissionError"
    assert as_user(groups, database.read_bytes) == "done"


@pytest.mark.full
@pytest.mark.root
@pytest.mark.parametrize("who", ["supervisor", "controller"])
def test_kill_9_of_who_holds_it_together_leaves_nobody_and_the_next_start_goes_on(home, up, who):
    process = up("--separate")
    os.kill(process.pid if who == "supervisor" else processes()[FIRST], signal.SIGKILL)
    assert process.wait(20) != 0
    for _ in range(500):
        if not processes():
            break
        time.sleep(0.01)
    assert processes() == {}
    home.control_socket.unlink(missing_ok=True)
    up("--separate")
    assert ask(home, "status")["things"] == 0


@pytest.mark.full
@pytest.mark.root
def test_a_second_start_and_one_without_the_word_are_refused_and_the_way_back_is_open(home, up):
    first = up("--separate")
    assert "runs already" in up("--separate", answers=False).communicate(timeout=20)[1]
    first.send_signal(signal.SIGINT)
    first.wait(20)
    assert "--together" in up(answers=False).communicate(timeout=20)[1]
    up("--together")
    assert not home.keepers.exists()
    assert set(KEYS) <= home.key_store().ids()
    assert ask(home, "status")["separate"] == []


@pytest.mark.root
def test_what_root_writes_into_the_domain_is_the_controller_s(home, up):
    up("--separate")
    write_whole(home.trust / "acme.anchor", b"anchor")
    assert (home.trust / "acme.anchor").stat().st_uid == FIRST


@pytest.mark.root
def test_without_root_processes_are_apart_and_it_is_said_that_users_are_not(home, up):
    for path in (home.root.parent, *home.root.parent.rglob("*")):
        os.chown(path, FIRST, FIRST)
    process = up("--separate", user=str(FIRST))
    assert len(ask(home, "status")["separate"]) == len(ALL)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert "NOT SEPARATED BY USER" in process.communicate()[1]


NETWORK = ("unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh")
"""A network of its own, whose rules may be changed."""


@pytest.mark.root
@pytest.mark.namespace
def test_the_enforcer_alone_changes_the_kernel_s_rules_and_the_domain_does_not_go_on_without_it(home, up):
    settings = home.settings_text()
    settings += '[network]\nenforcement = "nftables"\ninterfaces = ["lo"]\n[names]\nenabled = true\n'
    home.configuration.write_text(settings)
    process = up("--separate", inside=NETWORK)
    living = processes()
    rights = {
        user: int(Path(f"/proc/{pid}/status").read_text().partition("CapEff:\t")[2].split()[0], 16)
        for user, pid in living.items()
    }
    assert {user: right for user, right in rights.items() if right} == {
        FIRST: 1 << CAP_NET_BIND_SERVICE,  # things know no other port of a resolver
        FIRST + 1: 1 << CAP_NET_ADMIN,
    }
    os.kill(living[FIRST + 1], signal.SIGKILL)
    assert process.wait(20) == 50
    assert "enforcer ended" in process.communicate()[1]
    assert processes() == {}


@pytest.mark.root
def test_a_second_place_that_is_another_domain_s_too_is_not_taken(home, up):
    (home.root.parent / "heads" / "other.head").write_bytes(b"")
    assert "a directory of its own" in up("--separate", answers=False).communicate(timeout=20)[1]
    assert not home.keepers.exists()


def memory_of(pid):
    """All that a process can read of itself, piece by piece."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        start, end = (int(one, 16) for one in span.split("-"))
        if rights.startswith("rw"):
            with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as file:
                file.seek(start)
                yield file.read(end - start)


def doors_held(pid):
    """Listening sockets of keepers that a process has."""
    table = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    listening = {f"socket:[{row[6]}]": row[7] for row in table if len(row) == 8 and row[3] == "00010000"}
    held = {os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()}
    return {Path(listening[one]).stem for one in held & set(listening) if listening[one].endswith(".socket")}


@pytest.mark.root
def test_no_process_has_another_s_key_in_its_memory_nor_its_door_also_at_the_first_start(home, up):
    """The first start is the one that moves the keys: what read them then must be gone."""
    kept = {name: (home.keys / name).read_bytes()[-32:] for name in KEYS}
    process = up("--separate")
    users = dict(zip(range(FIRST, FIRST + 10), ("controller", "enforcer", *ALL), strict=False))
    for user, pid in {**processes(), 0: process.pid}.items():
        name = users.get(user, "supervisor")
        pieces = list(memory_of(pid))
        found = {key for key, secret in kept.items() if any(secret in piece for piece in pieces)}
        assert found <= {name}, (name, found)
        doors = set(ALL)
        expected = doors if name == "supervisor" else {name} & doors
        assert doors_held(pid) == expected, name


@pytest.mark.root
def test_observers_have_their_socket_where_the_controller_may_make_one(home, up):
    group = grp.getgrnam("daemon")
    folder = home.root.parent / "observers"
    settings = home.settings_text() + f'[observe]\ngroup = "{group.gr_name}"\n'
    home.configuration.write_text(settings)
    assert "install -d -o" in up("--separate", answers=False).communicate(timeout=20)[1]
    folder.mkdir(mode=0o711)
    os.chown(folder, FIRST, FIRST)
    home.configuration.write_text(settings + f'socket = "{folder}/socket"\n')
    up("--separate")
    assert len(ask(home, "status")["separate"]) == len(ALL)
    assert (folder / "socket").stat().st_gid == group.gr_gid
