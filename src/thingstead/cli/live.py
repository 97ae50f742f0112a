"""Packets of an interface as they pass, for a while: read, never sent."""

from __future__ import annotations

import asyncio
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Protocol

from thingstead.cli.console import Console
from thingstead.cli.ending import ending
from thingstead.clock import Clock
from thingstead.errors import ProtocolError
from thingstead.protocols.packet.packet import Packet, decode_frame

__all__ = ["Tap", "hear", "minutes"]

_AT_ONCE = 512
_LONGEST = 60 * 24 * 31


class Tap(Protocol):
    """Where frames come from: `transport.packet_tap.PacketTap`."""

    def take(self, most: int) -> list[tuple[bytes, int, str]]:
        """Frames that wait: what is kept of each, its octets on the wire, and the port by which it came."""
        ...

    def lost(self) -> int:
        """Frames that came faster than they were taken."""
        ...

    def listen(self, on_frames: Callable[[], None]) -> None:
        """Have somebody called whenever frames wait."""
        ...

    def close(self) -> None:
        """End."""
        ...


def minutes(text: str) -> float:
    """For how long: more than no time, and a month."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _LONGEST:
        raise ArgumentTypeError(f"expected minutes above 0 and up to {_LONGEST}, got {text[:20]!r}")
    return value


def hear(tap: Tap, see: Callable[[Packet], None], console: Console, *, clock: Clock, seconds: float) -> None:
    """Show what passes to `see`, until the time is over or somebody ends it; the tap is closed with that."""
    asyncio.run(_hear(tap, see, console, clock, seconds))


async def _hear(tap: Tap, see: Callable[[Packet], None], console: Console, clock: Clock, seconds: float) -> None:
    damaged = 0

    def on_frames() -> None:
        nonlocal damaged
        at = clock.utc().timestamp()
        for data, length, _port in tap.take(_AT_ONCE):
            try:
                see(decode_frame(data, at=at, length=length))
            except ProtocolError:
                damaged += 1

    asked = ending()
    tap.listen(on_frames)
    try:
        async with asyncio.timeout(seconds):
            await asked.wait()
    except TimeoutError:
        pass
    lost = tap.lost()
    tap.close()
    if lost:
        console.note(f"{lost} frames passed faster than they were read")
    if damaged:
        console.note(f"{damaged} frames are not to be read")
