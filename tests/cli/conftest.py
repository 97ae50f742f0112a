"""How command lines are run in tests: in this process, with what they printed."""

import sys

import pytest

from thingstead.cli import main as cli
from thingstead.clock import SystemClock


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.delenv("THINGSTEAD_DOMAIN", raising=False)

    def run(*words):
        code = cli.main([str(word) for word in words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def process_environment():
    return {"PYTHONPATH": ":".join(path for path in sys.path if path)}


@pytest.fixture
def utc():
    """The machine's clock, which is also the commands'."""
    return SystemClock().utc()
