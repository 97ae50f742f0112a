"""What the page shows, asked of the controller at most once a second however many look."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from thingstead.clock import Clock
from thingstead.errors import ThingsteadError

__all__ = ["PARTS", "Answer", "Ask", "Feed", "asking"]

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Sends one operation with its arguments; returns its result, or raises the `ThingsteadError` it ended with."""

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""A controller's table of operations: ``{"operation", "arguments"}`` in, ``{"result"}`` or ``{"error"}`` out."""

PARTS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "status": ("status", {}),
    "things": ("thing.list", {}),
    "telemetry": ("data.list", {}),
    "campaigns": ("campaign.list", {}),
    "ledger": ("ledger.show", {"count": 20}),
    "clocks": ("ledger.show", {"count": 5, "kind": "kill-clock"}),
}
"""Part of the page -> the query it comes from; all of them only look."""

_INTERVAL = 1.0
_QUIET = 15


def asking(answer: Answer) -> Ask:
    """The way to a controller in this process; its refusals come back as errors with their sentence."""

    async def ask(operation: str, arguments: Mapping[str, Any]) -> Any:
        answered = await answer({"operation": operation, "arguments": dict(arguments)})
        if "error" in answered:
            raise ThingsteadError(answered["error"]["message"], reason=answered["error"]["reason"])
        return answered["result"]

    return ask


class Feed:
    """One view of the domain, shared by all who look.

    Args:
        ask: the way to the controller.
        clock: for the age of what was asked.
        notes: file with ``{serial: {title: text}}`` that is shown beside the things; None for none.
        interval: seconds for which an answer is shown again.
        max_streams: how many may look at one time.
    """

    def __init__(
        self,
        ask: Ask,
        clock: Clock,
        *,
        notes: Path | None = None,
        interval: float = _INTERVAL,
        max_streams: int = 16,
    ) -> None:
        self._ask = ask
        self._notes = notes
        self._clock = clock
        self._interval = interval
        self._max_streams = max_streams
        self._streams = 0
        self._shown = ""
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self._closed = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether one more may not look."""
        return self._streams >= self._max_streams

    async def snapshot(self) -> str:
        """All parts as one line of JSON; a part that could not be asked says why."""
        async with self._asking:
            if self._clock.now() - self._asked_at >= self._interval:
                parts = {name: await self._part(*query) for name, query in PARTS.items()}
                if self._notes is not None:
                    parts["notes"] = _read(self._notes)
                self._shown = json.dumps(parts, separators=(",", ":"))
                self._asked_at = self._clock.now()
            return self._shown

    async def stream(self) -> AsyncGenerator[str, None]:
        """A snapshot now and after every change; an empty line now and then, to notice who has left."""
        self._streams += 1
        try:
            last, quiet = "", 0
            while not self._closed.is_set():
                shown = await self.snapshot()
                quiet = 0 if shown != last else quiet + 1
                if shown != last:
                    yield shown
                elif quiet % _QUIET == 0:
                    yield ""
                last = shown
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), self._interval)
        finally:
            self._streams -= 1

    def close(self) -> None:
        """End all streams."""
        self._closed.set()

    async def _part(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return await self._ask(operation, arguments)
        except ThingsteadError as error:
            return {"error": str(error)}


def _read(notes: Path) -> Any:
    """What the file says now; nothing while there is none, or it is no JSON."""
    try:
        return json.loads(notes.read_bytes())
    except (OSError, ValueError):
        return {}
