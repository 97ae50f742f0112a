"""What no server in this language gets below: each datagram comes back with another head, and nothing else is done.

``python -m bench.server.echo PORT FOLDER``
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

from thingstead.transport.udp import open_socket

_AT_ONCE = 64


async def main(port: int) -> None:
    with open_socket("::1", port) as sock:

        def drain() -> None:
            with suppress(BlockingIOError):
                for _ in range(_AT_ONCE):
                    data, source = sock.recvfrom(2048)
                    sock.sendto(b"\x64\x45" + data[2:8] + b"\xffHello World!", source)

        asyncio.get_running_loop().add_reader(sock, drain)
        print("echo", flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main(int(sys.argv[1])))
