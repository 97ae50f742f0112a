"""What docs/coap.md says runs: its programs and its commands, in their order, in an empty directory."""

import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.port import free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "coap.md").read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
(SETTINGS,) = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
BEFORE, BEHIND = PAGE.split("## Through a proxy")
COMMANDS = [line for line in BEFORE.splitlines() if line.startswith("thingstead ")]
THROUGH = [line for line in BEHIND.splitlines() if line.startswith("thingstead ")]
ORIGIN = """
import asyncio
from pathlib import Path
from thingstead.coap.server import Server
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code

async def main():
    async with Server("127.0.0.1", 5683, oscore=[Path("theirs.oscore")]) as server:
        server.serve("/hello", Code.GET, lambda call: Message(Code.CONTENT, payload=b"through"))
        print("serving", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
ENVIRONMENT = {"PYTHONPATH": ":".join(str(ROOT / part) for part in ("src", ""))}


@pytest.fixture(scope="module")
def at():
    """Puts a port that is free here in the place of CoAP's own."""
    port = free_port()
    server = PROGRAMS[0].replace("5683", str(port))
    process = subprocess.Popen([sys.executable, "-c", server], env=ENVIRONMENT)
    yield lambda text: text.replace("coap://[::1]", f"coap://[::1]:{port}")
    process.terminate()
    process.wait(10)


def ended(words, folder):
    return subprocess.run(words, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=False)


def test_the_client_has_ten_lines_and_no_more():
    assert len([line for line in PROGRAMS[1].splitlines() if line.strip()]) <= 10


@pytest.mark.slow
def test_the_programs_and_commands_do_what_is_said(at, tmp_path):
    thingstead = [sys.executable, "-m", "thingstead"]
    while ended([*thingstead, "coap", "get", at("coap://[::1]/hello"), "--timeout", "1"], tmp_path).returncode == 41:
        pass
    shown = [ended([sys.executable, "-c", at(program)], tmp_path) for program in PROGRAMS[1:]]
    assert [(done.returncode, done.stdout) for done in shown] == [(0, "hello\n"), (0, "hello\n" * 3)]
    for line in COMMANDS:
        done = ended([*thingstead, *at(line).replace("'", "").split()[1:]], tmp_path)
        assert done.returncode == 0, f"{line}: {done.stderr}"
    assert (tmp_path / "log.txt").read_bytes() == b"x" * 5000
    assert len(COMMANDS) == 7


@contextmanager
def started(words, folder):
    """A process that has said something, until the block ends."""
    with subprocess.Popen(words, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        try:
            yield
        finally:
            process.terminate()


@pytest.mark.slow
def test_the_proxy_does_what_is_said(tmp_path):
    ports = {"5690": free_port(), "5683": free_port()}

    def here(text):
        return re.sub("5690|5683", lambda port: str(ports[port[0]]), text)

    thingstead = [sys.executable, "-m", "thingstead"]
    for words in ("create mine.oscore", "export mine.oscore --form thingstead --peer --output theirs.oscore"):
        assert ended([*thingstead, "oscore", *words.split()], tmp_path).returncode == 0
    (tmp_path / "proxy.toml").write_text(here(SETTINGS))
    check, run, *asked = [[*thingstead, *here(line).replace("'", "").split()[1:]] for line in THROUGH]
    assert "OSCORE" in ended(check, tmp_path).stdout
    with started([sys.executable, "-c", here(ORIGIN)], tmp_path), started(run, tmp_path):
        shown = [ended(words, tmp_path) for words in asked]
    assert [(done.returncode, done.stdout, done.stderr) for done in shown] == [(0, "through\n", "")] * 2
