"""Processes that are started, started again, and ended together: on real ones."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from thingstead.errors import ConfigError, StorageError
from thingstead.keeper.privilege import CAP_NET_RAW
from thingstead.keeper.supervisor import elsewhere

pytestmark = pytest.mark.slow

PROGRAM = """
import os, signal, socket, sys, time
from pathlib import Path
from thingstead.keeper.supervisor import Part, supervise
folder, is_replaceable, crashes, user = Path(sys.argv[1]), sys.argv[2] == "yes", sys.argv[3] == "yes", sys.argv[4]

def part():
    (folder / "part").write_text(str(os.getpid()) + chr(10))
    if crashes:
        raise RuntimeError("broken")
    while True:
        time.sleep(60)

door, lock = socket.socket(socket.AF_UNIX), os.open("/dev/null", os.O_RDONLY)
parts = [Part("part", None, door, part, is_replaceable=is_replaceable)]
kept = [int(one) for one in sys.argv[6:]]
code = supervise(parts, user=int(user) if user else None, lock=lock, capabilities=kept)
if code is not None:
    sys.exit(code)
said = []
signal.signal(signal.SIGTERM, lambda *_: said.append(1))
status = Path("/proc/self/status").read_text()
(folder / "main").write_text(str(os.getpid()) + chr(10)) if not user else print(status, flush=True)
end = time.monotonic() + float(sys.argv[5])
while not said and time.monotonic() < end:
    time.sleep(0.01)
sys.exit(7 if not said else 0)
"""


@pytest.fixture
def begin(tmp_path):
    started = []

    def begin(*, is_replaceable=True, crashes=False, user="", seconds=30.0, keeps=()):
        words = ["yes" if one else "no" for one in (is_replaceable, crashes)]
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path), *words, user, str(seconds), *map(str, keeps)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def pid_of(folder, name, *, other_than=0):
    for _ in range(1000):
        text = (folder / name).read_text() if (folder / name).exists() else ""
        if text.endswith("\n") and int(text) != other_than:
            return int(text)
        time.sleep(0.01)
    raise AssertionError(f"no {name}")


def is_gone(pid):
    for _ in range(500):
        if not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return True
        time.sleep(0.01)
    return False


def test_who_is_killed_is_started_again_and_who_asks_for_the_end_gets_it_for_all(tmp_path, begin):
    process = begin()
    first, main = pid_of(tmp_path, "part"), pid_of(tmp_path, "main")
    os.kill(first, signal.SIGKILL)
    second = pid_of(tmp_path, "part", other_than=first)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert is_gone(second)
    assert is_gone(main)


def test_the_end_of_a_part_that_cannot_be_replaced_is_the_end_of_all(tmp_path, begin):
    process = begin(is_replaceable=False)
    part, main = pid_of(tmp_path, "part"), pid_of(tmp_path, "main")
    os.kill(part, signal.SIGKILL)
    assert process.wait(10) == 50
    assert is_gone(main)
    assert "the domain ends with it" in process.communicate()[1]


def test_a_part_that_always_fails_is_not_started_for_ever(begin):
    process = begin(crashes=True)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 50
    assert said.count("is started again") == 10


def test_the_main_process_s_own_end_ends_the_others_and_its_code_is_the_code(tmp_path, begin):
    process = begin(seconds=0.3)
    part = pid_of(tmp_path, "part")
    assert process.wait(10) == 7
    assert is_gone(part)


def test_nobody_outlives_the_supervisor(tmp_path, begin):
    process = begin()
    both = pid_of(tmp_path, "part"), pid_of(tmp_path, "main")
    process.kill()
    process.wait(10)
    assert all(is_gone(pid) for pid in both)


@pytest.mark.root
def test_the_main_process_is_its_user_s_and_has_no_right(begin):
    process = begin(user="61500", seconds=0.1)
    said, _ = process.communicate(timeout=10)
    status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
    assert status["Uid"].split() == ["61500"] * 4
    assert status["Gid"].split() == ["61500"] * 4
    assert status["Groups"].strip() == ""
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"


@pytest.mark.root
def test_the_main_process_keeps_the_one_right_that_it_is_left(begin):
    said, _ = begin(user="61500", seconds=0.1, keeps=[CAP_NET_RAW]).communicate(timeout=10)
    status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
    assert {int(status[name], 16) for name in ("CapPrm", "CapEff", "CapAmb")} == {1 << CAP_NET_RAW}


def test_what_is_done_elsewhere_is_done_and_what_fails_there_is_told(tmp_path):
    elsewhere((tmp_path / "done").touch)
    assert (tmp_path / "done").exists()

    def fail():
        raise ConfigError("no such key")

    with pytest.raises(StorageError, match="no such key"):
        elsewhere(fail)

    def divide():
        1 // 0  # noqa: B018

    with pytest.raises(StorageError, match="ZeroDivisionError"):
        elsewhere(divide)
    with pytest.raises(StorageError, match="status"):
        elsewhere(lambda: os.kill(os.getpid(), signal.SIGKILL))
