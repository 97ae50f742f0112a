"""Run as a program, by root: a domain in separate processes, each of which dies; prints what came of it."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from tests.crash.network_run import Run
from tests.crash.world import eventually

__all__ = ["Apart"]

_FIRST, _ENFORCER = 61300, 61301
_LAST = _FIRST + 30
_PATIENCE = 10.0


class Apart(Run):
    """The same devices and wishes; whoever is not the controller or the enforcer dies while something is asked."""

    def __init__(self, root: Path, *, seed: int) -> None:
        super().__init__(root, seed=seed)
        self._controller.arguments[:] = ["-m", "thingstead", "up", str(self._domain.root), "--separate"]

    def go(self, steps: int) -> None:
        """Everything, to the last check; so many things are asked for before anybody dies."""
        self._controller.start()
        self.adopt_all()
        for _ in range(steps):
            self._ask_for_something("in peace")
        for user, process in sorted(_processes().items()):
            if user not in {_FIRST, _ENFORCER}:
                os.kill(process, signal.SIGKILL)
                self._ask_for_something(f"without {user}")
        self._foreign_edit()
        self._kill()
        eventually(lambda: not _processes(), within=_PATIENCE, what="whoever holds it together takes all along")
        self._look((self._state,), "dead")
        self._restart(self._state, (self._state,), "the end")

    def close(self) -> None:
        """End it, and wait until all are gone."""
        super().close()
        eventually(lambda: not _processes(), within=_PATIENCE, what="nobody is left")

    def _ask_for_something(self, when: str) -> None:
        step = self._chosen()
        step.act()
        self._state = step.after
        self.figures.steps[step.name] += 1
        self._require(self._state, what=f"{step.name}, {when}")


def _processes() -> dict[int, int]:
    """Users of the domain, each with its process."""
    found = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                user = int((path / "status").read_text().partition("Uid:")[2].split()[0])
            except (OSError, IndexError):
                continue  # it has just ended
            if _FIRST <= user < _LAST:
                found[user] = int(path.name)
    return found


def main(root: Path, seed: int, steps: int) -> None:
    run = Apart(root, seed=seed)
    try:
        run.go(steps)
    finally:
        run.close()
    print(json.dumps({"violations": run.violations, "figures": {"steps": run.figures.steps}}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
