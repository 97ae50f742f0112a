"""Print the resident bytes that each of N joined, idle things costs a running controller.

``python -m bench.server.idle N PORT FOLDER``

Each thing is admitted by the join decision and stands on all six planes, on disk and in memory; it has sent two values
under OSCORE, and its exchange is forgotten. Resident size, so that what the libraries below hold is in it, and what the
allocators keep free; with ``PYTHONTRACEMALLOC=1`` the bytes of Python's objects instead.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path

from bench.server.domain import Maker, found, oscore
from thingstead.clock import SystemClock
from thingstead.controller.app import running
from thingstead.controller.controller import Controller
from thingstead.protocols.coap import message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request
from thingstead.protocols.profile import path
from thingstead.protocols.senml.pack import render_cbor
from thingstead.protocols.senml.record import Record
from thingstead.secret import Secret

_PAGE = os.sysconf("SC_PAGE_SIZE")
_AT_ONCE = 250
_WARM_UP = 500
_LATER = 600.0
_DOMAIN_ID, _SALT = b"c", bytes(8)


class _Clock:
    """The machine's clock, moved on."""

    def __init__(self) -> None:
        self._machine = SystemClock()
        self.ahead = 0.0

    def now(self) -> float:
        return self._machine.now() + self.ahead

    def utc(self) -> datetime:
        return self._machine.utc() + timedelta(seconds=self.ahead)


async def main(count: int, port: int, folder: Path) -> None:
    clock, maker = _Clock(), Maker()
    async with running(found(folder, maker, host="127.0.0.1", port=port), clock=clock) as controller:
        await _join(controller, maker, range(count, count + _WARM_UP))
        before = await _settled(controller, clock, maker, count + _WARM_UP)
        await _join(controller, maker, range(count))
        after = await _settled(controller, clock, maker, count + _WARM_UP + 1)
        print((after - before) / count, flush=True)


async def _join(controller: Controller, maker: Maker, numbers: range) -> None:
    for start in range(numbers.start, numbers.stop, _AT_ONCE):
        batch = range(start, min(start + _AT_ONCE, numbers.stop))
        await asyncio.gather(*[_live(controller, maker, number) for number in batch])


async def _live(controller: Controller, maker: Maker, number: int) -> None:
    """Join and report once; what is given to the server directly came over UDP in a life."""
    secret, kid = number.to_bytes(16, "big"), number.to_bytes(3, "big")
    source = ("127.0.0.1", 1024 + number % 60_000)
    ours = oscore(secret, salt=_SALT, sender_id=kid, recipient_id=kid + _DOMAIN_ID)
    await controller.admission(maker.newcomer(number, ours))
    controller.server.locate(ours.recipient_id, source)
    thing = SecurityContext.derive(Secret(secret), master_salt=_SALT, sender_id=kid + _DOMAIN_ID, recipient_id=kid)
    values = [Record(name, controller.foundation.clock.utc().timestamp(), 20.5) for name in ("temperature", "load")]
    report = message.request(Code.POST, path.TELEMETRY, payload=render_cbor(values))
    protected, _binding = protect_request(report, context=thing)
    protected.mid = number & 0xFFFF
    controller.server.receive_datagram(message.encode(protected), source, controller.foundation.clock.now())
    controller.server.flush()


async def _settled(controller: Controller, clock: _Clock, maker: Maker, number: int) -> int:
    """Bytes once everything is written, and one more thing's request has had the old exchanges forgotten."""
    clock.ahead += _LATER
    await _live(controller, maker, number)
    await controller.planes.data.flush()
    if controller.planes.data.accepted != 2 * sum(1 for _ in controller.register.things()):
        raise SystemExit(f"not every thing's values were taken: {controller.server.counters}")
    gc.collect()
    return _held()


def _held() -> int:
    if tracemalloc.is_tracing():
        return tracemalloc.get_traced_memory()[0]
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
