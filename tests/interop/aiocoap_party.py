"""One party of aiocoap, driven over standard input and output; runs in the peers' environment.

A request is one line of JSON, ``[function, arguments]``, byte strings in hex; the answer is ``["ok", value]`` or
``["refused", reason]``. Answers come one by one, in the order of the requests.
"""

import asyncio
import contextlib
import json
import sys
from typing import Any

import aiocoap
import aiocoap.resource
from aiocoap.credentials import CredentialsMap
from aiocoap.numbers.codes import Code
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper


class Fixed(aiocoap.resource.Resource):  # type: ignore[misc]  # aiocoap is not where types are checked
    def __init__(self, payload):
        super().__init__()
        self.payload = payload

    async def render_get(self, _request):
        return aiocoap.Message(payload=self.payload)


class Store(Fixed):
    async def render_put(self, request):
        self.payload = request.payload
        return aiocoap.Message(code=Code.CHANGED)


class Ticks(aiocoap.resource.ObservableResource):  # type: ignore[misc]  # as above
    """Counts ten times a second while somebody observes it."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.ticking = None

    def update_observation_count(self, newcount):
        if newcount and self.ticking is None:
            self.ticking = asyncio.get_running_loop().create_task(self.tick())
        elif not newcount and self.ticking is not None:
            self.ticking.cancel()
            self.ticking = None

    async def tick(self):
        while True:
            await asyncio.sleep(0.1)
            self.count += 1
            self.updated_state()

    async def render_get(self, _request):
        return aiocoap.Message(payload=str(self.count).encode())


class Party:
    def __init__(self):
        self.context: Any = None
        self.credentials = CredentialsMap()

    async def serve(self, port, folder):
        """Serve on ::1; with a folder under OSCORE too."""
        site = aiocoap.resource.Site()
        site.add_resource(["hello"], Fixed(b"hello"))
        site.add_resource(["large"], Fixed(bytes(range(256)) * 20))
        site.add_resource(["store"], Store(b""))
        site.add_resource(["ticks"], Ticks())
        served = site
        if folder is not None:
            self.credentials.load_from_dict({":us": {"oscore": {"basedir": folder}}})
            served = OscoreSiteWrapper(site, self.credentials)
        self.context = await aiocoap.Context.create_server_context(
            served, bind=("::1", port), server_credentials=self.credentials
        )

    async def connect(self, uri, folder):
        """Be a client; with a folder all below `uri` goes under OSCORE."""
        self.context = await aiocoap.Context.create_client_context()
        if folder is not None:
            self.context.client_credentials.load_from_dict({f"{uri}/*": {"oscore": {"basedir": folder}}})

    async def ask(self, method, uri, payload):
        request = aiocoap.Message(code=Code[method], uri=uri, payload=bytes.fromhex(payload))
        async with asyncio.timeout(20):
            response = await self.context.request(request).response
        return [str(response.code.dotted), response.payload.hex()]

    async def observe(self, uri, count):
        """The payloads of the first response and of `count` notifications."""
        exchange = self.context.request(aiocoap.Message(code=Code.GET, uri=uri, observe=0))
        payloads = []
        async with asyncio.timeout(20):
            payloads.append((await exchange.response).payload.hex())
            async for notification in exchange.observation:
                payloads.append(notification.payload.hex())
                if len(payloads) > count:
                    break
        exchange.observation.cancel()
        return payloads

    async def end(self):
        if self.context is not None:
            await self.context.shutdown()


async def main():
    party = Party()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        function, arguments = json.loads(line)
        try:
            answer = ["ok", await getattr(party, function)(*arguments)]
        except Exception as error:  # noqa: BLE001  whatever aiocoap raises is its answer
            answer = ["refused", repr(error)]
        print(json.dumps(answer), flush=True)
    with contextlib.suppress(Exception):
        await party.end()


asyncio.run(main())
