"""The tour can be walked: its functions exist, and its commands run, in their order, in an empty directory."""

import importlib
import json
import os
import re
import subprocess
import sys
import time
from functools import reduce
from pathlib import Path

import pytest

from tests.port import free_port

ROOT = Path(__file__).resolve().parents[2]
TOUR = (ROOT / "docs" / "tour.md").read_text()
STOPS = re.split(r"^## ", TOUR, flags=re.MULTILINE)[1:]
NAMED = re.compile(r"`(thingstead[\w.]*):([\w.]+)`")
PAGES = [*sorted(ROOT.glob("[A-Z]*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PATIENCE = 30.0


def commands(stop):
    return [line for block in re.findall(r"^```\n(.*?)^```", stop, flags=re.M | re.S) for line in block.splitlines()]


def test_there_are_ten_stops_and_each_has_a_function_and_a_command():
    assert [stop.split(".")[0] for stop in STOPS] == [str(number) for number in range(1, 11)]
    assert all(NAMED.search(stop) and commands(stop) for stop in STOPS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_function_that_a_page_names_exists(page):
    for module, name in NAMED.findall(page.read_text()):
        assert reduce(getattr, name.split("."), importlib.import_module(module))


class Walk:
    """A shell in an empty directory, whose `thingstead` is this one; what runs on is ended by `end`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.running: list[subprocess.Popen[bytes]] = []
        program = folder / "bin" / "thingstead"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m thingstead "$@"\n')
        program.chmod(0o700)
        self.environment = {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("src", "")),
            "HOME": str(folder),
        }

    def do(self, line: str) -> None:
        line = line.replace("5690", str(self.port))
        if "THING" in line:
            line = line.replace("THING", self.thing())
        if line.endswith("&"):
            arguments = line.removesuffix("&").split()
            program = [str(self.folder / "bin" / arguments[0]), *arguments[1:]]
            self.running.append(
                subprocess.Popen(
                    program,
                    cwd=self.folder,
                    env=self.environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            return
        done = self.shell(line)
        end = time.monotonic() + PATIENCE
        # What was just started needs a moment, as it does when a person walks.
        while done.returncode and self.running and time.monotonic() < end:
            done = self.shell(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"

    def thing(self) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            rows = json.loads(self.shell("thingstead thing list --domain tour --json").stdout)
            joined = [row["thing"] for row in rows if row["state"] == "operational"]
            if joined:
                return str(joined[0])
        raise AssertionError("no thing joined")

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def end(self) -> None:
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            process.wait(60)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_command_runs_in_its_order(tmp_path):
    walk = Walk(tmp_path)
    try:
        for stop in STOPS:
            for line in commands(stop):
                walk.do(line)
    finally:
        walk.end()
