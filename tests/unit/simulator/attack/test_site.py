"""In namespaces: a later process enters the demo's own network, and what it sends there is captured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]

pytestmark = [pytest.mark.namespace, pytest.mark.slow]

ATTACKER = """
import socket, sys
from thingstead.enforcement.namespace import Site, inside
site = Site.enter(int(sys.argv[1]))
place = site.attach(59_000)
sock = inside(place.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
sock.sendto(b"from the attacker", (str(site.controller_ipv4), 5683))
site.close()
try:
    Site.enter(2**22 + 1)
except Exception as error:
    print(type(error).__name__)
"""

DEMO = f"""
import asyncio, json, os, socket, subprocess, sys
from pathlib import Path
from thingstead.clock import SystemClock
from thingstead.enforcement.namespace import Site
from thingstead.simulator.capture import PcapWriter, open_capture_socket
site = Site.create()
listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind((str(site.controller_ipv4), 5683))
listener.settimeout(30)
path = Path(sys.argv[1])

async def capture():
    writer = PcapWriter(path, open_capture_socket(site.interface), clock=SystemClock())
    run = [sys.executable, "-c", {ATTACKER!r}, str(os.getpid())]
    attacker = await asyncio.to_thread(subprocess.run, run, capture_output=True, text=True, check=False)
    heard, source = await asyncio.to_thread(listener.recvfrom, 100)
    writer.close()
    print(json.dumps({{"heard": heard.decode(), "source": source[0], "said": attacker.stdout, "error": attacker.stderr,
                      "frames": writer.frames, "captured": heard in path.read_bytes()}}))

asyncio.run(capture())
listener.close()
site.close()
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    done = subprocess.run(
        [sys.executable, "-c", DEMO, str(tmp_path_factory.mktemp("site") / "demo.pcap")],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_attacker_sits_among_the_things_of_the_demo(seen):
    assert (seen["heard"], seen["source"]) == ("from the attacker", "10.77.231.120"), seen


def test_what_it_sends_stands_in_the_capture(seen):
    assert seen["captured"]
    assert seen["frames"] >= 1


def test_a_process_that_is_not_there_cannot_be_entered(seen):
    assert seen["said"].split() == ["ConfigError"]
