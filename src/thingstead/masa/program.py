"""The maker's server as a program: its socket and its files, until it is told to end."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from thingstead.clock import Clock, SystemClock
from thingstead.masa.authority import Authority
from thingstead.masa.directory import MasaDirectory
from thingstead.masa.record import FileRecord
from thingstead.masa.server import MasaServer
from thingstead.transport.udp import Pump, open_socket

__all__ = ["running"]


@asynccontextmanager
async def running(
    directory: MasaDirectory, host: str, port: int, *, clock: Clock | None = None
) -> AsyncIterator[tuple[MasaServer, int]]:
    """Serve until the block ends; gives the server and the port that it is reached at.

    Raises:
        ConfigError: another server runs on the directory, or the sales file is damaged.
        StorageError: the record is damaged, or cannot be written.
        TransportError: the address is not free.
    """
    clock = clock or SystemClock()
    with ExitStack() as closing:
        closing.callback(os.close, directory.lock())
        sales = directory.sales
        sales.read()
        record = FileRecord(directory.record)
        closing.callback(record.close)
        server = MasaServer(
            directory.name,
            directory.session,
            authority=Authority(directory.name, directory.voucher, sales=sales.read, record=record),
            utc=clock.utc,
            random_bytes=secrets.token_bytes,
        )
        sock = open_socket(host, port)
        reached: int = sock.getsockname()[1]
        pump = Pump(server, [sock], clock=clock)
        closing.callback(pump.close)
        yield server, reached
