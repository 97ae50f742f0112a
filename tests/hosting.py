"""An engine behind a real socket, in a thread of its own: what is a process of its own elsewhere."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from thingstead.keeper.host import Host, serve_engine

__all__ = ["hosted"]


@contextmanager
def hosted(make: Callable[[], Host], path: Path, *, user: int | None = None) -> Iterator[None]:
    """Serve what `make` makes at `path` until the block ends; then it is gone as after a kill -9."""
    loop = asyncio.new_event_loop()
    # Streams tell of each connection that is cut off, which is what happens here at the end.
    loop.set_exception_handler(lambda _loop, _context: None)
    listener = socket.socket(socket.AF_UNIX)
    path.unlink(missing_ok=True)
    listener.bind(str(path))
    listener.listen()

    async def serve() -> None:
        serving.append(asyncio.current_task())
        await serve_engine(make(), listener, user=os.geteuid() if user is None else user)

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except asyncio.CancelledError:
            pass
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    serving: list[asyncio.Task[None] | None] = []
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in serving if task is not None])
        thread.join(5)
        listener.close()
