"""Programs of ours in processes of their own, in one directory, ended whatever happens."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.port import free_port

__all__ = ["Processes", "short_directory"]

_Run = Callable[..., tuple[int, str, str]]


@contextmanager
def short_directory(prefix: str) -> Iterator[Path]:
    """Not tmp_path: Unix sockets lie in here, and the kernel takes 107 bytes of path."""
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        yield Path(folder)


class Processes:
    """What runs beside a test.

    Args:
        here: the working directory.
        run: runs a command in this process.
        environment: of the others.
        stack: ends them.
    """

    def __init__(self, here: Path, run: _Run, environment: Mapping[str, str], stack: ExitStack) -> None:
        self.here, self.run, self.environment, self.stack = here, run, environment, stack
        self.port = free_port()

    def spawn(self, *words: object) -> subprocess.Popen[bytes]:
        """Start a command that goes on running; what it says is in the file `log`."""
        log = (self.here / "log").open("a")
        self.stack.callback(log.close)
        command = [sys.executable, "-m", "thingstead", *map(str, words)]
        process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def up(self) -> subprocess.Popen[bytes]:
        """The domain of the directory `home`."""
        return self.spawn("up", "home")
