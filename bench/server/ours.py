"""Our server for the bench is the product: the whole controller on [::1], with one thing joined.

``python -m bench.server.ours [--contexts=COUNT] [--client=PORT] [--profile=FILE] PORT FOLDER``

It prints one line when it listens. To what every controller serves it adds GET /h and /b (256 KiB), which the joined
thing's token allows, and GET /p and /pb, which are public. The thing was seen to receive at the client's port, as after
a handshake; COUNT more associations are loaded, under which nobody speaks. With --profile it writes where its time went
when it ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from bench.server.domain import Maker, found, oscore
from bench.server.sampler import sample
from thingstead import __version__
from thingstead.controller.app import running, settle
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.domain.ports import Association
from thingstead.endpoint.resource import Call
from thingstead.identifier import ThingId
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.secret import Secret

_ROOT = Path(__file__).resolve().parents[2]
_BODY = bytes(256 << 10)


async def main(arguments: argparse.Namespace) -> None:
    maker, port, folder = Maker(), arguments.port, arguments.folder
    async with running(found(folder / "domain", maker, host="::1", port=port)) as controller:
        controller.resources.register("/h", Code.GET, _hello)
        controller.resources.register("/p", Code.GET, _hello, public=True)
        controller.resources.register("/b", Code.GET, _body)
        controller.resources.register("/pb", Code.GET, _body, public=True)
        parameters = _parameters(folder)
        await controller.admission(maker.newcomer(0, parameters))
        controller.server.locate(parameters.recipient_id, ("::1", arguments.client))
        for number in range(arguments.contexts):
            controller.server.install(_association(number))
        settle()
        if arguments.profile:
            sample(arguments.profile, _ROOT)
        print("thingstead", __version__, flush=True)
        await asyncio.get_running_loop().create_future()


def _hello(_call: Call) -> Message:
    return Message(Code.CONTENT, payload=b"Hello World!")


def _body(_call: Call) -> Message:
    return Message(Code.CONTENT, payload=_BODY)


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


def _association(number: int) -> Association:
    return Association(
        ThingId(f"t-{number:026}"),
        sender_id=b"c",
        recipient_id=number.to_bytes(4, "big"),
        id_context=None,
        master_secret=Secret(number.to_bytes(16, "big")),
        master_salt=b"",
        aead=AlgorithmId.AES_CCM_16_64_128,
        fresh=True,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--contexts", type=int, default=0)
    parser.add_argument("--client", type=int, default=0)
    parser.add_argument("--profile", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    return parser.parse_args()


asyncio.run(main(_arguments()))
