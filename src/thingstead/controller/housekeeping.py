"""Work that comes round again for as long as a controller lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Never

from thingstead.errors import ThingsteadError

__all__ = ["every"]

_LOGGER = logging.getLogger(__name__)


async def every(seconds: float, work: Callable[[], Awaitable[object]]) -> Never:
    """A loop of its own for each work: telemetry must not wait for a server of MUD files."""
    told = ""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except ThingsteadError as error:
            # Once: a disk that is full is not to be filled with what is said of it.
            if str(error) != told:
                told = str(error)
                _LOGGER.warning("housekeeping failed, and is tried again: %s", told)
        else:
            told = ""
