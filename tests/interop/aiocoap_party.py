"""aiocoap in both roles, driven over standard input and output; runs in the peers' environment.

A request is one line of JSON, ``[function, arguments]``, byte strings in hex; the answer is ``["ok", value]`` or
``["refused", reason]``. Answers come one by one, in the order of the requests.
"""

import asyncio
import json
import sys
from typing import Any
from urllib.parse import urlsplit

import aiocoap
import aiocoap.resource
from aiocoap.credentials import CredentialsMap
from aiocoap.numbers.codes import Code
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper

_SLOW = 0.3  # aiocoap acknowledges after a tenth of a second
_PATIENCE = 10


class Fixed(aiocoap.resource.Resource):  # type: ignore[misc]  # aiocoap is not where types are checked
    def __init__(self, payload):
        super().__init__()
        self.payload = payload

    async def render_get(self, _request):
        return aiocoap.Message(payload=self.payload)


class Slow(Fixed):
    async def render_get(self, request):
        await asyncio.sleep(_SLOW)
        return await super().render_get(request)


class Store(aiocoap.resource.ObservableResource):  # type: ignore[misc]  # as above
    def __init__(self):
        super().__init__()
        self.payload = b"empty"

    def change(self, payload):
        self.payload = payload
        self.updated_state()

    async def render_get(self, _request):
        return aiocoap.Message(payload=self.payload)

    async def render_put(self, request):
        self.change(request.payload)
        return aiocoap.Message(code=Code.CHANGED)

    render_post = render_put


class Party:
    def __init__(self):
        self.server: Any = None
        self.client: Any = None
        self.store = Store()
        self.exchange: Any = None
        self.notifications: Any = None

    async def serve(self, port, folder):
        """Serve on ::1; with a folder under OSCORE too."""
        site = aiocoap.resource.Site()
        site.add_resource([".well-known", "core"], aiocoap.resource.WKCResource(site.get_resources_as_linkheader))
        site.add_resource(["hello"], Fixed(b"hello"))
        site.add_resource(["large"], Fixed(bytes(range(256)) * 20))
        site.add_resource(["slow"], Slow(b"slow"))
        site.add_resource(["store"], self.store)
        credentials = CredentialsMap()
        if folder is not None:
            credentials.load_from_dict({":us": {"oscore": {"basedir": folder}}})
            site = OscoreSiteWrapper(site, credentials)
        self.server = await aiocoap.Context.create_server_context(
            site, bind=("::1", port), server_credentials=credentials
        )

    async def change(self, payload):
        self.store.change(bytes.fromhex(payload))

    async def ask(self, method, uri, payload, confirmable, size, folder):
        request = aiocoap.Message(code=Code[method], uri=uri, payload=bytes.fromhex(payload))
        request.mtype = aiocoap.CON if confirmable else aiocoap.NON
        if size is not None:
            request.opt.block2 = (0, False, size.bit_length() - 5)
        client = await self.connected(uri, folder)
        async with asyncio.timeout(_PATIENCE):
            response = await client.request(request).response
        return [str(response.code.dotted), response.payload.hex()]

    async def observe(self, uri, folder):
        client = await self.connected(uri, folder)
        self.exchange = client.request(aiocoap.Message(code=Code.GET, uri=uri, observe=0))
        async with asyncio.timeout(_PATIENCE):
            first = await self.exchange.response
        self.notifications = aiter(self.exchange.observation)
        return first.payload.hex()

    async def next(self):
        async with asyncio.timeout(_PATIENCE):
            return (await anext(self.notifications)).payload.hex()

    async def connected(self, uri, folder):
        """The client; with a folder all at the same server goes under OSCORE."""
        if self.client is None:
            self.client = await aiocoap.Context.create_client_context()
            if folder is not None:
                parts = urlsplit(uri)
                server = f"{parts.scheme}://{parts.netloc}/*"
                self.client.client_credentials.load_from_dict({server: {"oscore": {"basedir": folder}}})
        return self.client


async def main():
    party = Party()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        function, arguments = json.loads(line)
        try:
            answer = ["ok", await getattr(party, function)(*arguments)]
        except Exception as error:  # noqa: BLE001  whatever aiocoap raises is its answer
            answer = ["refused", repr(error)]
        print(json.dumps(answer), flush=True)


asyncio.run(main())
