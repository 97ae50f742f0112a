"""Servers of tests: nothing of one is left when its test is over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def serving(server: asyncio.Server) -> AsyncIterator[asyncio.Server]:
    """Stop `server` at the end, and wait for the end of its last connection, of half a handshake too.

    A transport that outlives its loop warns when it is collected, in whichever test runs then.
    """
    # Python 3.11 waits for connections only where it was asked to before the server was closed.
    closed = asyncio.get_running_loop().create_task(server.wait_closed())
    await asyncio.sleep(0)
    try:
        yield server
    finally:
        server.close()
        await closed
