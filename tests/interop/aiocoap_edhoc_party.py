"""aiocoap as it takes part in EDHOC, in either role; runs in the peers' environment.

``client URI CREDENTIALS`` prints the payload of a GET in hex. ``server PORT CREDENTIALS`` serves /hello on ::1 under
OSCORE until its input ends. Credentials are the CBOR, in hex, of what aiocoap reads from its file.
"""

import asyncio
import sys

import aiocoap
import aiocoap.resource
import cbor2
from aiocoap.credentials import CredentialsMap
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper

_PATIENCE = 10


class Hello(aiocoap.resource.Resource):  # type: ignore[misc]  # aiocoap is not where types are checked
    async def render_get(self, _request):
        return aiocoap.Message(payload=b"hello")


async def client(uri, credentials):
    context = await aiocoap.Context.create_client_context()
    context.client_credentials.load_from_dict(credentials)
    request = aiocoap.Message(code=aiocoap.GET, uri=uri)
    answer = await asyncio.wait_for(context.request(request).response, _PATIENCE)
    print(answer.payload.hex(), flush=True)
    await context.shutdown()


async def server(port, credentials):
    site = aiocoap.resource.Site()
    site.add_resource(["hello"], Hello())
    held = CredentialsMap()
    held.load_from_dict(credentials)
    context = await aiocoap.Context.create_server_context(
        OscoreSiteWrapper(site, held), bind=("::1", int(port)), server_credentials=held
    )
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await context.shutdown()


if __name__ == "__main__":
    role, where, encoded = sys.argv[1:]
    asyncio.run({"client": client, "server": server}[role](where, cbor2.loads(bytes.fromhex(encoded))))
