"""The demo as it is typed: one story in one document, and what cannot be played is refused before it begins."""

import contextlib
import json
import os
import select
import signal
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
    return sorted(folder.iterdir())


@pytest.fixture
def playing(process_environment, scratch):
    """A demo in which a thing has joined; whoever started it is not among those whom signals of its terminal reach."""
    command = [sys.executable, "-u", "-m", "thingstead", "demo", "--netns", "off", "--things", "1"]
    environment = {**process_environment, "XDG_RUNTIME_DIR": str(scratch), "TMPDIR": str(scratch)}
    # Where nohup runs the tests, a demo would rightly take no SIGHUP for a word to end.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    demo = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    signal.signal(signal.SIGHUP, before)
    with demo:
        assert demo.stdout is not None
        next(line for line in demo.stdout if "Telemetry flows" in line)
        yield demo
        demo.kill()


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_demo_that_is_asked_to_end_leaves_nothing_behind(playing, scratch, number):
    os.killpg(playing.pid, number)
    os.killpg(playing.pid, number)
    assert playing.wait() == 130
    assert _left_in(scratch) == []


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_no_process_outlives_a_demo_that_is_killed(playing):
    children = Path(f"/proc/{playing.pid}/task/{playing.pid}/children").read_text().split()
    running = [os.pidfd_open(int(child)) for child in children]
    playing.kill()
    assert len(running) == 2
    while running:
        ended, _, _ = select.select(running, [], [], 20)
        assert ended, "a process goes on without its demo"
        running = [descriptor for descriptor in running if descriptor not in ended]


@pytest.mark.slow
def test_a_demo_whose_output_nobody_reads_any_more_ends_in_silence(process_environment, scratch):
    environment = {**process_environment, "XDG_RUNTIME_DIR": str(scratch), "TMPDIR": str(scratch)}
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "thingstead", "demo", "--netns", "off", "--things", "1"]
    ended = subprocess.run(command, env=environment, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=110)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")
    assert _left_in(scratch) == []


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
