"""Run as a program: a thing that verifies no release, under the rules that the MUD manager makes, in a real kernel.

Its file names a server in the Internet, things of its maker, and any host of the site. Prints JSON.
"""

import asyncio
import dataclasses
import json
import socket

from tests.unit.domain.things import a_thing
from tests.unit.enforcement.stage import COAP, Stage, bound
from tests.unit.planes.network.fakes import CLOUD, PEERS, World
from thingstead.domain.network import ThingAddress
from thingstead.enforcement.namespace import inside
from thingstead.protocols.mud.builder import Service
from thingstead.protocols.mud.file import Remote, RemoteKind

HEARD = Service(Remote(RemoteKind.SAME_MANUFACTURER), 17, device_port=7777)
SITE = Service(Remote(RemoteKind.LOCAL_NETWORKS), 17, remote_port=7777)


async def main():
    stage = Stage()
    site, one, two = stage.site, stage.one, stage.two
    able, other = a_thing(1), a_thing(2)
    unable = dataclasses.replace(able, verifies=frozenset())
    places = {able.id: one, other.id: two}
    world = World(CLOUD, PEERS, HEARD, SITE, kernel=stage.kernel, cloud_acme_example=((str(site.internet),), 60))
    world.manager._locate = lambda thing: (ThingAddress(places[thing].mac, places[thing].ipv4),)
    web = inside(site.outside, lambda: bound(socket.SOCK_STREAM, "0.0.0.0", 443))
    at_two = inside(two.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7777))
    outside = inside(site.outside, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7777))

    def observe():
        return {
            "Internet": stage.connects(one, 443),
            "another thing": stage.arrives(one.namespace, at_two, two.ipv4, 7777),
            "Internet as another thing": stage.arrives(one.namespace, outside, site.internet, 7777, source=two.ipv4),
            "controller": stage.arrives(one.namespace, stage.controller, site.controller_ipv4, COAP),
        }

    def established():
        client = inside(one.namespace, lambda: socket.create_connection((str(site.internet), 443), 1))
        while (server := web.accept()[0]).getpeername()[1] != client.getsockname()[1]:
            server.close()
        server.settimeout(0.2)
        return client, server

    def passes(client, server):
        client.send(b"x")
        try:
            return server.recv(10) == b"x"
        except TimeoutError:
            return False

    seen = {}
    await world.admit(other)
    await world.admit(able)
    seen["able"] = observe()
    flow = established()
    seen["flow before"] = passes(*flow)
    await world.admit(unable)
    seen["unable"] = observe()
    seen["flow after"] = passes(*flow)
    await world.admit(dataclasses.replace(able, verifies=frozenset({-9})))
    seen["updated"] = observe()
    stage.kernel.close()
    site.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main())
