"""An event loop in which time passes only when nothing else is left to do: hours run in milliseconds, in one order."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

__all__ = ["VirtualClock", "VirtualLoop", "run"]

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to its next timer; a wait that nothing will ever end is an error at once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.faults: list[str] = []
        super().__init__(_JumpingSelector(self))
        # After a year a float has no room for the nanosecond that a loop counts by, and a timer would never be due.
        self._clock_resolution = 1e-6
        self.set_exception_handler(lambda _loop, context: self.faults.append(repr(context)))

    def jump(self, upto: float) -> None:
        """Let the time be `upto`, with nothing in between: whatever was due meanwhile is due now, once."""
        self.seconds = max(self.seconds, upto)

    def run_in_executor(self, _executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """What would be given to a thread is done at once: in virtual time there is no other thread to wait for."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  it is the caller's, as a thread's would be
            done.set_exception(error)
        return done

    def time(self) -> float:
        """Seconds since it was made."""
        return self.seconds


class VirtualClock:
    """Both times of a `VirtualLoop`.

    Attributes:
        start: UTC when the loop was made.
        skew: how wrong its owner's UTC is.
    """

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        self._loop = loop
        self.start = start
        self.skew = timedelta(0)

    def now(self) -> float:
        """The loop's seconds."""
        return self._loop.seconds

    def utc(self) -> datetime:
        """The loop's UTC, as wrong as `skew` says."""
        return self.start + timedelta(seconds=self._loop.seconds) + self.skew


def run(loop: VirtualLoop, story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end; whatever went wrong beside it fails too."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(story)
    if loop.faults:
        raise RuntimeError(f"beside the story: {loop.faults}")
    return result


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; where nothing is, the time is that of the next timer."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("the story waits for what will never happen")
        self._loop.seconds += timeout
        return []
