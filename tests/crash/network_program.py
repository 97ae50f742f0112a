"""``thingstead up`` that dies by its own hand: before or after the effect whose number a file says, counted from now.

An effect is whatever outlives a process: a commit of the store, a transaction of the kernel's rules, the end of a flow.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
from pathlib import Path
from typing import Any, cast

from thingstead.controller.app import running
from thingstead.controller.directory import DomainDirectory
from thingstead.enforcement.netlink import NetfilterSocket
from thingstead.storage.sqlite import SqliteStore

__all__ = ["COUNTDOWN"]

COUNTDOWN = "countdown"
"""Name of the file, beside the domain's directory: how many effects pass before the last."""


def _count(path: Path) -> None:
    try:
        left = int(path.read_text())
    except (OSError, ValueError):
        return
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    path.write_text(str(left - 1))


def _before_and_after(path: Path, effect: Any) -> Any:
    @functools.wraps(effect)
    def counted(self: Any, what: Any) -> Any:
        _count(path)
        done = effect(self, what)
        _count(path)
        return done

    return counted


def _before_and_after_awaiting(path: Path, effect: Any) -> Any:
    @functools.wraps(effect)
    async def counted(self: Any, what: Any) -> Any:
        _count(path)
        done = await effect(self, what)
        _count(path)
        return done

    return counted


def _count_effects(path: Path) -> None:
    kernel, store = cast("Any", NetfilterSocket), cast("Any", SqliteStore)
    kernel.commit = _before_and_after(path, kernel.commit)
    kernel.request = _before_and_after(path, kernel.request)
    store.commit = _before_and_after_awaiting(path, store.commit)


async def main(directory: Path) -> None:
    _count_effects(directory.parent / COUNTDOWN)
    async with running(DomainDirectory(directory)):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
