"""The commands that a running demo's page prints, typed as they stand."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.interop, pytest.mark.slow]

_PAGE = re.compile(rb"http://127\.0\.0\.1:\d+/")
_PATIENCE = 90.0


@pytest.fixture(scope="module")
def notes(process_environment):
    """What the page shows beside a thing, once it has joined."""
    with tempfile.TemporaryDirectory(prefix="demo-") as scratch:
        environment = {**process_environment, "XDG_RUNTIME_DIR": scratch, "TMPDIR": scratch, "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "thingstead", "demo", "--things", "1", "--netns", "off"]
        log = Path(scratch, "log")
        with log.open("wb") as out:
            demo = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        try:
            yield shown(demo, log)
        finally:
            demo.terminate()
            demo.wait(30)


@pytest.fixture(scope="module")
def process_environment():
    return {"PYTHONPATH": ":".join(path for path in sys.path if path), "PATH": os.environ["PATH"]}


def shown(demo, log):
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and demo.poll() is None:
        page = _PAGE.search(log.read_bytes())
        if page is not None and b"Telemetry flows" in log.read_bytes():
            with urllib.request.urlopen(f"{page[0].decode()}snapshot", timeout=5) as answer:
                (told,) = json.load(answer)["notes"].values()
                return told
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def typed(line, program, path):
    words = [str(path) if word == program else word for word in line.split()]
    assert str(path) in words
    return subprocess.run(words, capture_output=True, timeout=30, check=False).stdout.strip()


@pytest.mark.spec("RFC 8613 8")
def test_libcoap_reads_the_lamp_of_a_running_thing(notes, peers):
    for _ in range(2):
        assert typed(notes["libcoap"], "coap-client", peers("libcoap") / "coap-client") == b"\xf4"


@pytest.mark.spec("RFC 8613 8")
def test_aiocoap_reads_the_lamp_of_a_running_thing(notes, peer_python):
    for _ in range(2):
        assert typed(notes["aiocoap"], "aiocoap-client", peer_python.with_name("aiocoap-client")) == b"\xf4"
