"""How command lines are run in tests: in this process, with what they printed."""

import asyncio
import sys
import threading
from typing import Any

import pytest

from thingstead.cli import main as cli
from thingstead.clock import SystemClock
from thingstead.transport.control_socket import ControlServer


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


class Controller:
    """Answers on a control socket with `answers` one by one, then `answer`, and remembers what it was asked."""

    def __init__(self, path):
        self.path = path
        self.asked = []
        self.answer: dict[str, Any] = {"result": {}}
        self.answers: list[dict[str, Any]] = []

    async def _answer(self, asked, _uid):
        self.asked.append((asked["operation"], asked["arguments"]))
        return self.answers.pop(0) if self.answers else self.answer

    def serve(self, ready, stopped):
        async def serve():
            server = ControlServer(self.path, self._answer)
            await server.start()
            ready.set()
            await asyncio.to_thread(stopped.wait)
            await server.close()

        asyncio.run(serve())


@pytest.fixture
def controller(tmp_path, monkeypatch, run):
    """A controller in the current directory, which is a domain's."""
    (tmp_path / "thingstead.toml").touch()
    monkeypatch.chdir(tmp_path)
    made, ready, stopped = Controller(tmp_path / "control.sock"), threading.Event(), threading.Event()
    thread = threading.Thread(target=made.serve, args=(ready, stopped))
    thread.start()
    assert ready.wait(60)
    yield made
    stopped.set()
    thread.join()
