"""What docs/coap.md says runs: its programs and its commands, in their order, in an empty directory."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_tour import free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "coap.md").read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
(SETTINGS,) = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("thingstead ")]
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
    (tmp_path / "proxy.toml").write_text(SETTINGS)
    for line in COMMANDS:
        done = ended([*thingstead, *at(line).replace("'", "").split()[1:]], tmp_path)
        assert done.returncode == 0, f"{line}: {done.stderr}"
    assert (tmp_path / "log.txt").read_bytes() == b"x" * 5000
    assert len(COMMANDS) == 8
