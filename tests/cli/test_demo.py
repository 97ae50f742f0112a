"""The demo as it is typed: one story in one document, and what cannot be played is refused before it begins."""

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def scratch():
    # Not tmp_path: the demo's Unix sockets lie in here, and the kernel takes 107 bytes of path.
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


@pytest.fixture
def demo(process_environment, scratch):
    def demo(*words, **options):
        command = [sys.executable, "-m", "thingstead", "demo", "--once", "--json", *words]
        environment = {**process_environment, "XDG_RUNTIME_DIR": str(scratch), "TMPDIR": str(scratch)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, **options)

    return demo


def _left_in(folder):
    return [path for path in folder.rglob("*") if not path.is_dir() or path.name.startswith("thingstead-demo-")]


@pytest.mark.slow
@pytest.mark.namespace
@pytest.mark.timeout(300)
def test_a_whole_life_holds_and_leaves_nothing_behind(demo, scratch):
    ended = demo("--things", "4", "--netns", "required", timeout=280)
    document = json.loads(ended.stdout)
    failed = [check for step in document["steps"] for check in step["checks"] if not check["held"]]
    assert failed == []
    assert (ended.returncode, document["held"], document["left_out"]) == (0, True, {})
    steps = {step["name"]: step for step in document["steps"]}
    assert len(steps["retire"]["figures"]["milliseconds"]) == 7
    assert None not in steps["retire"]["figures"]["milliseconds"].values()
    assert _left_in(scratch) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_dry_run_says_so_gives_the_network_no_time_and_makes_way_for_who_has_the_port(demo, scratch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody has it already, which is as good
            other.bind(("127.0.0.1", 5683))
        ended = demo("--things", "1", "--netns", "off", timeout=280)
    document = json.loads(ended.stdout)
    assert (ended.returncode, document["held"], set(document["left_out"])) == (0, True, {"group", "retire"})
    steps = {step["name"]: step for step in document["steps"]}
    assert steps["quarantine"]["figures"]["milliseconds"]["network"] is None
    (network,) = [check for check in steps["quarantine"]["checks"] if check["what"].startswith("network")]
    assert network["detail"].startswith("DRY RUN")
    assert " ms" not in network["detail"]
    assert _left_in(scratch) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--things", "0"), "expected 1 to 250 things, got 0"),
        (("--things", "-1"), "expected 1 to 250 things"),
        (("--things", "many"), "invalid int value"),
        (("--telemetry", "absent.csv"), "cannot read telemetry"),
        (("--mud", "absent.json"), "cannot read"),
        (("--netns", "maybe"), "invalid choice"),
    ],
)
def test_what_cannot_be_played_is_one_sentence_and_leaves_nothing(demo, scratch, words, says):
    ended = demo("--netns", "off", *words, timeout=110)
    refusal = json.loads(ended.stdout)["error"]
    assert (ended.returncode, refusal["kind"]) == (60, "ConfigError")
    assert says in refusal["message"]
    assert _left_in(scratch) == []
