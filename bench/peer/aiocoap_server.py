"""The peer's server: runs in build/peers/python, answers GET /h and /b (256 KiB) over CoAP and OSCORE on [::1].

``python bench/peer/aiocoap_server.py PORT CONTEXT_FOLDER``; prints one line when it listens.
"""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version

import aiocoap
import aiocoap.resource
from aiocoap.credentials import CredentialsMap
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper


class Hello(aiocoap.resource.Resource):  # type: ignore[misc]  # aiocoap is not in the environment that checks types
    async def render_get(self, _request: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(payload=b"Hello World!")


class Body(aiocoap.resource.Resource):  # type: ignore[misc]  # as above
    async def render_get(self, _request: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(payload=bytes(256 << 10))


async def main(port: int, folder: str) -> None:
    site = aiocoap.resource.Site()
    site.add_resource(["h"], Hello())
    site.add_resource(["b"], Body())
    credentials = CredentialsMap()
    credentials.load_from_dict({":bench": {"oscore": {"basedir": folder}}})
    wrapped = OscoreSiteWrapper(site, credentials)
    await aiocoap.Context.create_server_context(wrapped, bind=("::1", port), server_credentials=credentials)
    print("aiocoap", version("aiocoap"), flush=True)
    await asyncio.get_running_loop().create_future()


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
