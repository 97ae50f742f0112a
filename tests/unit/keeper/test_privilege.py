"""What a process gives up, asked of the kernel."""

import os
import subprocess
import sys

import pytest

from thingstead.keeper.privilege import CAP_NET_ADMIN

pytestmark = [pytest.mark.slow]
PROGRAM = """
import os, sys
from pathlib import Path
from thingstead.errors import ConfigError
from thingstead.keeper.privilege import become
user, capability, parent = (int(word) if word else None for word in sys.argv[1:])
try:
    become(user, parent=parent or os.getppid(), capabilities=() if capability is None else (capability,))
except ConfigError as error:
    print(error)
    raise SystemExit(3)
if os.fork() == 0:
    print(open(f"/proc/{os.getpid()}/status").read())
else:
    os.wait()
"""


def run(user="", capability="", parent=""):
    words = [sys.executable, "-c", PROGRAM, str(user), str(capability), str(parent)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    return done.returncode, done.stdout


def status(text):
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def test_without_a_user_to_become_it_stays_who_it_is_and_gains_nothing():
    code, said = run()
    assert code == 0
    assert status(said)["NoNewPrivs"] == "1"
    assert status(said)["Uid"].split()[0] == str(os.geteuid())


@pytest.mark.root
def test_one_right_is_kept_and_no_other():
    said = status(run(61500, CAP_NET_ADMIN)[1])
    assert said["Uid"].split() == ["61500"] * 4
    assert {int(said[name], 16) for name in ("CapPrm", "CapEff", "CapAmb")} == {1 << CAP_NET_ADMIN}


@pytest.mark.root
def test_without_a_right_to_keep_there_is_none():
    said = status(run(61500)[1])
    assert {int(said[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}


def test_a_process_whose_parent_is_gone_does_not_go_on():
    code, said = run(parent=1 << 22)
    assert code == 3
    assert "gone" in said
