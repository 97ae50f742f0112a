import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

pytestmark = [pytest.mark.namespace, pytest.mark.slow]

PROGRAM = """
import json, os, subprocess, sys
from thingstead.enforcement.namespace import Site, enter_child_namespace, enter_namespace
from thingstead.enforcement.namespace import inside
kept = open("/dev/null")
host = os.readlink("/proc/self/ns/net")
def gateway():
    return json.loads(subprocess.check_output(["ip", "-j", "link", "show", "br0"]))[0]["address"]
site = Site.create()
alone = gateway()
first = site.attach(1)
child = os.fork()
if child == 0:
    enter_namespace(first.namespace)
    os._exit(0 if "eth0" in open("/proc/self/net/dev").read() else 1)
entered = os.waitpid(child, 0)[1]
ready, told = os.pipe()
waiting, go = os.pipe()
child = os.fork()
if child == 0:
    enter_child_namespace(ready=told, go=waiting)
    os._exit(0 if "eth0" in open("/proc/self/net/dev").read() else 1)
os.read(ready, 1)
second = site.attach(2, pid=child)
os.write(go, b"g")
own = os.waitpid(child, 0)[1]
try:
    site.attach(0)
except ValueError as error:
    wrong = str(error)
print(json.dumps({
    "moved": os.readlink("/proc/self/ns/net") != host,
    "kept": not kept.closed and os.fstat(kept.fileno()).st_rdev != 0,
    "first": [str(first.ipv4), str(first.ipv6), first.mac.hex()], "second": [str(second.ipv4), second.namespace],
    "entered": entered, "own": own, "wrong": wrong,
    "outside": inside(site.outside, lambda: "eth0" in open("/proc/thread-self/net/dev").read()),
    "gateway": [alone, gateway()],
    "back": "br0" in open("/proc/self/net/dev").read(),
}))
site.close()
"""


REHEARSALS = """
import json, os, signal
from thingstead.enforcement.namespace import Site, rehearse
from thingstead.errors import ConfigError
def rehearsed(work):
    try:
        rehearse(work)
    except ConfigError as error:
        return str(error)
    return "held"
def refuse():
    raise OSError(30, "Read-only file system", "/proc/sys/net")
host = os.readlink("/proc/self/ns/net")
print(json.dumps({
    "works": rehearsed(Site.create),
    "refused": rehearsed(refuse),
    "silent": rehearsed(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    "stayed": os.readlink("/proc/self/ns/net") == host,
}))
"""


@pytest.fixture(scope="module")
def seen():
    return told_by(PROGRAM)


@pytest.fixture(scope="module")
def rehearsed():
    return told_by(REHEARSALS)


def told_by(program):
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_process_moves_and_keeps_what_it_had_open(seen):
    assert seen["moved"]
    assert seen["kept"]
    assert seen["back"]


def test_each_thing_has_its_own_addresses(seen):
    assert seen["first"] == ["10.77.1.1", "fd77::101", "027700000001"]
    assert seen["second"] == ["10.77.1.2", -1]
    assert "numbered from 1" in seen["wrong"]


def test_the_gateway_keeps_its_address_while_things_come_and_go(seen):
    assert seen["gateway"] == ["02:77:00:00:00:00"] * 2


def test_a_child_enters_a_namespace_made_for_it_or_brings_its_own(seen):
    assert (seen["entered"], seen["own"]) == (0, 0)


def test_the_host_outside_has_an_interface_of_its_own(seen):
    assert seen["outside"]


def test_nothing_is_left_behind(seen):
    names = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=False).stdout
    assert "br0" not in names


def test_a_rehearsal_changes_nothing_here(rehearsed):
    assert rehearsed["works"] == "held"
    assert rehearsed["stayed"]


def test_a_rehearsal_says_what_stopped_it(rehearsed):
    assert "Read-only file system" in rehearsed["refused"]
    assert "wait status" in rehearsed["silent"]
