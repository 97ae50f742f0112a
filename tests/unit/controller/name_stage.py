"""Run as a program: a thing that asks our resolver, with real packets; prints what was observed as one JSON object.

The thing's file names ``cloud.acme.example`` at TCP port 443; two servers outside could be it.
"""

import asyncio
import json
import socket
import struct
import time
from contextlib import closing
from itertools import pairwise

from pyroute2 import IPRoute

from tests.unit.domain.things import a_thing
from tests.unit.enforcement.stage import PATIENCE, bound
from tests.unit.planes.network.fakes import CLOUD, World
from tests.unit.transport.name_world import Zone
from thingstead.clock import SystemClock
from thingstead.domain.network import ThingAddress
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nft import load_text
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.planes.network.name_table import NameLimits
from thingstead.protocols.dns.message import Question, Rcode, RecordType, decode, encode_query
from thingstead.protocols.mud.builder import Service
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.transport.name_relay import NameRelay
from thingstead.transport.name_server import NameServer

NAME, OTHER = "cloud.acme.example", "198.51.100.3"
SIX, TRANSLATED = "2001:db8::2", "64:ff9b::198.51.100.9"
ALIASED = "198.51.100.4"
MANY = tuple(f"198.51.100.{number}" for number in range(10, 250))
_NODAD = 2
WIDE = Service(Remote(RemoteKind.DNS_NAME, "wide.acme.example"), 6)


def connected(place, address, port=443):
    """A connection from the thing, or None where nobody answers in time."""

    def attempt():
        client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        client.settimeout(PATIENCE)
        try:
            client.connect((address, port))
        except TimeoutError:
            client.close()
            return None
        return client

    return inside(place.namespace, attempt)


def connects(place, address, port=443):
    client = connected(place, address, port)
    if client is not None:
        client.close()
    return client is not None


def passes(client, server):
    server.settimeout(PATIENCE)
    client.send(b"x")
    try:
        return server.recv(1) == b"x"
    except TimeoutError:
        return False


async def asks(place, name=NAME, kind=RecordType.A):
    """What the resolver says to the thing; over TCP where that is too long for a datagram."""
    loop = asyncio.get_running_loop()
    with inside(place.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
        client.setblocking(False)
        await loop.sock_connect(client, (str(Site.controller_ipv4), 53))
        query = encode_query(Question(name, kind), id=7)
        await loop.sock_sendall(client, query)
        async with asyncio.timeout(2):
            told = decode(await loop.sock_recv(client, 2048))
    if not told.is_truncated:
        return told
    client = connected(place, str(Site.controller_ipv4), 53)
    reader, writer = await asyncio.open_connection(sock=client)
    with closing(writer):
        writer.write(struct.pack("!H", len(query)) + query)
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        return decode(await reader.readexactly(size))


def add_servers(site):
    """More addresses outside, of both families; behind one of them a translator would be (RFC 6052)."""

    def add():
        with IPRoute() as route:
            index = route.link_lookup(ifname="eth0")[0]
            for address in (OTHER, ALIASED, MANY[-1]):
                route.addr("add", index=index, address=address, prefixlen=24)
            for address in (SIX, TRANSLATED):
                route.addr("add", index=index, address=address, prefixlen=64, flags=_NODAD)
            route.route("add", dst="fd77::/64", gateway="2001:db8::1")

    with IPRoute() as route:
        index = route.link_lookup(ifname="up0")[0]
        for address in ("2001:db8::1", "64:ff9b::1"):
            route.addr("add", index=index, address=address, prefixlen=64, flags=_NODAD)
    inside(site.outside, add)


async def observe_more(site, world, zone, place, seen):
    server = inside(site.outside, lambda: bound(socket.SOCK_STREAM, "::", 443, socket.AF_INET6))
    for what, address in (("IPv6", SIX), ("a translated address", TRANSLATED)):
        zone.rows = ((NAME, 60, "AAAA", address),)
        before = connects(place, address)
        await asks(place, kind=RecordType.AAAA)
        seen[what] = [before, connects(place, address)]
    for address in (str(site.internet), OTHER):
        zone.rows = (("wide.acme.example", 60, "A", address),)
        seen[f"told of any port at {address}"] = len((await asks(place, "wide.acme.example")).addresses())
    names = [NAME, *[f"alias{number}.acme.example" for number in range(8)]]
    zone.rows = (*[(one, 60, "CNAME", f"{then}.") for one, then in pairwise(names)], (names[-1], 60, "A", ALIASED))
    before = connects(place, ALIASED)
    await asks(place)
    seen["a chain of aliases"] = [before, connects(place, ALIASED)]
    zone.rows = tuple([(NAME, 60, "A", address) for address in MANY])
    before = connects(place, MANY[-1])
    seen["told of many"] = len((await asks(place)).addresses())
    seen["the last of many"] = [before, connects(place, MANY[-1])]
    load_text("flush ruleset")
    zone.rows = ((NAME, 60, "A", str(site.internet)),)
    await asyncio.gather(world.manager.refresh(), asks(place))
    seen["an answer while rules are put in force again"] = [connects(place, str(site.internet)), connects(place, OTHER)]
    seen["another port after that"] = connects(place, ALIASED, 80)
    server.close()


async def observe(site, world, zone, place, seen):
    cloud = str(site.internet)
    server = inside(site.outside, lambda: bound(socket.SOCK_STREAM, "0.0.0.0", 443))
    await world.admit(a_thing())
    seen["before it asked"] = connects(place, cloud)
    told = await asks(place)
    seen["told"] = [[str(address), ttl] for address, ttl in told.addresses()]
    started = time.monotonic()
    client = connected(place, cloud)
    seen["after it asked"] = client is not None
    flow, _ = server.accept()
    seen["another port"] = connects(place, cloud, 80)
    seen["another server"] = connects(place, OTHER)
    zone.rows = ((NAME, 1, "A", OTHER),)
    await asks(place)
    seen["the new server after a change"] = connects(place, OTHER)
    # The kernel alone ends it: nobody asks the plane. It counts in whole seconds, of which the last was begun.
    await asyncio.sleep(max(0.0, started + 2.2 - time.monotonic()))
    seen["the old one after its time"] = connects(place, cloud)
    seen["the new one after its time"] = connects(place, OTHER)
    await world.manager.refresh()
    seen["an open connection after its time"] = client is not None and passes(client, flow)
    zone.rows = ((NAME, 60, "A", "10.77.1.2"),)
    refused = await asks(place)
    seen["told of a neighbour"] = [refused.rcode == Rcode.REFUSED, len(refused.answers)]
    zone.rows = (("wide.acme.example", 1, "A", cloud),)
    await asks(place, "wide.acme.example")
    seen["any port of a name"] = connects(place, cloud, 443)
    await asyncio.sleep(1.1)
    await world.manager.refresh()
    seen["any port after its time"] = connects(place, cloud, 443)


async def main():
    site = Site.create()
    place, zone = site.attach(1), Zone((NAME, 1, "A", str(site.internet)))
    seen: dict[str, object] = {}
    add_servers(site)
    kernel = Nftables(NftablesConfig((site.interface,), site.networks))
    world = World(CLOUD, WIDE, kernel=kernel, learns=True, clock=SystemClock())
    world.names._limits = NameLimits(grace_seconds=0)
    world.manager._locate = lambda _: (ThingAddress(place.mac, place.ipv4), ThingAddress(place.mac, place.ipv6))
    relay = NameRelay(zone.ask, hosts={}, inside=site.networks, learn=world.manager.learn, random_bytes=bytes)
    async with asyncio.TaskGroup() as tasks:
        server = NameServer(relay, host=str(site.controller_ipv4), port=53, tasks=tasks)
        await server.start()
        await observe(site, world, zone, place, seen)
        await observe_more(site, world, zone, place, seen)
        await server.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main())
