"""Invariant: a thing that dies by kill -9 while it updates runs a whole image of its maker, and never an older one."""

import random
import subprocess
import sys
import threading

import pytest

from tests.crash.update_program import image
from thingstead.agent.file_slots import FileSlots
from thingstead.agent.image import Place, pieces
from thingstead.agent.ports import Area
from thingstead.protocols.profile.release import FIRMWARE

pytestmark = [pytest.mark.requirement("R-73"), pytest.mark.slow]


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.full)])
def test_a_thing_that_is_killed_while_it_updates_goes_on_where_it_was(tmp_path, kills):
    chance = random.Random(kills)
    FileSlots(tmp_path).install_first(image(1))
    before, died = 1, 0
    for _ in range(kills):
        arguments = [sys.executable, "-m", "tests.crash.update_program", str(tmp_path), "1000"]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)}) as running:
            assert running.stdout is not None
            confirmed = int(running.stdout.readline())
            threading.Event().wait(chance.uniform(0.0, 0.15))
            running.kill()
        died += running.returncode < 0
        standing = FileSlots(tmp_path).standing()
        runs = (standing.trial or standing.installed).sequence_number
        content = b"".join(pieces(FileSlots(tmp_path), Place(Area.ACTIVE, FIRMWARE)))
        assert content == image(runs)
        assert before <= confirmed <= standing.installed.sequence_number <= runs
        before = standing.installed.sequence_number
    assert died == kills
