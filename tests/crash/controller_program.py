"""The controller under load: ``thingstead up`` that besides asks every thing, again and again, as fast as it answers.

The answer does not matter, the sequence numbers and nonces of both sides do.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from thingstead.controller.app import running
from thingstead.controller.controller import Controller
from thingstead.controller.directory import DomainDirectory
from thingstead.errors import ThingsteadError
from thingstead.identifier import ThingId
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import path

__all__ = ()

_PAUSE = 0.02
_PATIENCE = 5.0


async def main(directory: Path) -> None:
    async with running(DomainDirectory(directory)) as controller, asyncio.TaskGroup() as tasks:
        asked: set[ThingId] = set()
        while True:
            for thing in controller.register.things():
                if thing.id not in asked:
                    asked.add(thing.id)
                    tasks.create_task(_ask(controller, thing.id))
            await asyncio.sleep(_PAUSE)


async def _ask(controller: Controller, thing: ThingId) -> None:
    while True:
        with contextlib.suppress(ThingsteadError):
            await controller.server.request(thing, request(Code.GET, path.LIGHT), within=_PATIENCE)
        await asyncio.sleep(_PAUSE)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
