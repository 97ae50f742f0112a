"""Our server for the bench is the product: the whole controller on [::1], with one thing joined.

``python -m bench.server.ours PORT CONTEXT_FOLDER``; prints one line when it listens. To what every controller serves
it adds GET /h, which the joined thing's token allows, and GET /p, which is public.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from bench.server.domain import Maker, found, oscore
from thingstead import __version__
from thingstead.controller.app import running
from thingstead.endpoint.resource import Call
from thingstead.protocols.coap.code import Code
from thingstead.protocols.coap.message import Message
from thingstead.protocols.edhoc.session import OscoreParameters


async def main(port: int, folder: Path) -> None:
    maker = Maker()
    async with running(found(folder / "domain", maker, host="::1", port=port)) as controller:
        controller.resources.register("/h", Code.GET, _hello)
        controller.resources.register("/p", Code.GET, _hello, public=True)
        await controller.admission(maker.newcomer(0, _parameters(folder)))
        print("thingstead", __version__, flush=True)
        await asyncio.get_running_loop().create_future()


def _hello(_call: Call) -> Message:
    return Message(Code.CONTENT, payload=b"Hello World!")


def _parameters(folder: Path) -> OscoreParameters:
    settings = {
        name: bytes.fromhex(value) for name, value in json.loads((folder / "settings.json").read_text()).items()
    }
    return oscore(
        settings["secret_hex"],
        salt=settings["salt_hex"],
        sender_id=settings["sender-id_hex"],
        recipient_id=settings["recipient-id_hex"],
    )


asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
