"""Who starts the processes of a domain, starts keepers again, and ends all with the first that cannot be replaced.

It holds no key and no connection: a signal is all that reaches it.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from thingstead.errors import StorageError, ThingsteadError
from thingstead.keeper.privilege import become

__all__ = ["Part", "elsewhere", "supervise"]

_LOGGER = logging.getLogger(__name__)
_WATCHED = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MOST_STARTS, _WITHIN = 10, 60.0
_FAILED = 50
_FIRST_DESCRIPTOR, _MOST_DESCRIPTORS = 3, 4096


@dataclass(frozen=True, slots=True)
class Part:
    """One process.

    Attributes:
        name: what it is called.
        user: as whom it runs; None for who starts it.
        door: where it is asked; of those of all parts it has this one only.
        run: what it does, without end.
        capabilities: the rights that it keeps.
        is_replaceable: a new one goes on where it ended; else the domain ends with it.
    """

    name: str
    user: int | None
    door: socket.socket
    run: Callable[[], None]
    capabilities: tuple[int, ...] = ()
    is_replaceable: bool = True


def elsewhere(act: Callable[[], None]) -> None:
    """Do something in a process that is gone when this returns, with whatever it had read.

    Raises:
        StorageError: it failed; the message says why.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = b""
        try:
            act()
        except (ThingsteadError, OSError) as error:
            said = str(error).encode()
        except BaseException:  # noqa: BLE001  a child must not go on as its parent
            said = traceback.format_exc().encode()
        os.write(writing, said)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read()
    _, status = os.waitpid(pid, 0)
    if said or status:
        raise StorageError(said.decode(errors="replace") or f"the process that moves keys ended with status {status}")


def supervise(
    parts: Sequence[Part],
    *,
    user: int | None,
    lock: int,
    groups: Sequence[int] = (),
    capabilities: Sequence[int] = (),
) -> int | None:
    """Start all parts, then the main process, as `user`: there it returns None, and the caller goes on.

    In the process that called, it returns when all have ended, with the exit code of the main process.

    Args:
        parts: all others.
        user: as whom the main process runs; None for who starts it.
        lock: a descriptor that stays here.
        groups: that the main process is in.
        capabilities: the rights that it keeps.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    living = {_start(part): part for part in parts}
    parent = os.getpid()
    main = os.fork()
    if main == 0:
        for part in parts:
            part.door.close()
        os.close(lock)
        _begin(user, parent, capabilities, groups)
        return None
    code = _watch(living, main)
    for pid in living:
        os.kill(pid, signal.SIGTERM)
    for pid in living:
        os.waitpid(pid, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
    return code


def _watch(living: dict[int, Part], main: int) -> int:
    """Until the main process ends; what it is asked for by a signal, it is told."""
    starts: deque[float] = deque(maxlen=_MOST_STARTS)
    failed = False
    while True:
        if signal.sigwait(_WATCHED) is not signal.SIGCHLD:
            os.kill(main, signal.SIGTERM)
            continue
        while (ended := _reap()) is not None:
            pid, code = ended
            if pid == main:
                return code or (_FAILED if failed else 0)
            part = living.pop(pid, None)
            if part is None or failed:
                continue
            if part.is_replaceable and _may_start(starts):
                _LOGGER.warning("%s ended with code %d, and is started again", part.name, code)
                living[_start(part)] = part
            else:
                _LOGGER.error("%s ended with code %d; the domain ends with it", part.name, code)
                failed = True
                os.kill(main, signal.SIGTERM)


def _reap() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, os.waitstatus_to_exitcode(status) & 0xFF) if pid else None


def _may_start(starts: deque[float]) -> bool:
    now = time.monotonic()
    if len(starts) == _MOST_STARTS and now - starts[0] < _WITHIN:
        return False
    starts.append(now)
    return True


def _start(part: Part) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        _close_all_but(part.door.fileno())
        _begin(part.user, parent, part.capabilities)
        part.run()
    except Exception:  # noqa: BLE001  a child must not go on as its parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _close_all_but(door: int) -> None:
    """Who has another part's door could answer in its place."""
    os.closerange(_FIRST_DESCRIPTOR, door)
    os.closerange(door + 1, _MOST_DESCRIPTORS)


def _begin(user: int | None, parent: int, capabilities: Sequence[int], groups: Sequence[int] = ()) -> None:
    """A session of its own: Ctrl-C at a terminal is for the supervisor, who tells the main process first."""
    os.setsid()
    for number in _WATCHED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
    become(user, parent=parent, capabilities=capabilities, groups=groups)
