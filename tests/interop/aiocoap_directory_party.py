"""aiocoap as an endpoint of a resource directory, under OSCORE; runs in the peers' environment.

``URI FOLDER NAME``: serves ``/light``, and keeps itself registered under NAME at the directory that URI leads to until
it reads ``leave``. Each other line of its input is a request that it makes, ``METHOD URI``; each line of its output is
a code and a payload in JSON. First it says in what state its registration is.
"""

import asyncio
import json
import sys

import aiocoap
import aiocoap.resource
from aiocoap.numbers.codes import Code
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper
from aiocoap.resourcedirectory.client.register import Registerer

_PATIENCE = 10
_LIFETIME = 2  # seconds; it renews after one


class Light(aiocoap.resource.Resource):  # type: ignore[misc]  # aiocoap is not where types are checked
    rt = "light"

    async def render_get(self, _request):
        return aiocoap.Message(payload=b"on")


async def main(directory, folder, name):
    site = aiocoap.resource.Site()
    site.add_resource([".well-known", "core"], aiocoap.resource.WKCResource(site.get_resources_as_linkheader))
    site.add_resource(["light"], Light())
    context = await aiocoap.Context.create_server_context(None, bind=("::1", 0))
    context.client_credentials.load_from_dict({f"{directory}/*": {"oscore": {"basedir": folder}}})
    context.serversite = OscoreSiteWrapper(site, context.client_credentials)
    context.serversite.get_resources_as_linkheader = site.get_resources_as_linkheader
    registration = Registerer(context, directory, lt=_LIFETIME, registration_parameters={"ep": name})
    for _ in range(_PATIENCE * 20):
        if registration.state in {"registered", "failed"}:
            break
        await asyncio.sleep(0.05)
    print(json.dumps([registration.state, ""]), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line == "leave\n":
            await registration.shutdown()
            print(json.dumps(["left", ""]), flush=True)
            continue
        method, uri = line.split()
        request = aiocoap.Message(code=getattr(Code, method), uri=uri)
        answer = await asyncio.wait_for(context.request(request).response, _PATIENCE)
        print(json.dumps([answer.code.dotted, answer.payload.decode("latin-1")]), flush=True)
    await context.shutdown()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
