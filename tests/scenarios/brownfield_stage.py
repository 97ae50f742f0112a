"""From a device that nobody knows to rules for it in the kernel, with real packets; prints what was observed."""

import asyncio
import json
import socket
from datetime import UTC, datetime
from functools import partial

from tests.unit.domain.things import a_thing
from tests.unit.enforcement.stage import PATIENCE, bound
from tests.unit.planes.network.fakes import World
from thingstead.analysis.traffic.inventory import Inventory
from thingstead.analysis.traffic.listener import Listener
from thingstead.analysis.traffic.proposal import learned_url, propose
from thingstead.analysis.traffic.site import Site as Segment
from thingstead.domain.network import ThingAddress
from thingstead.enforcement.link import ports_of
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.protocols.packet.packet import decode_frame
from thingstead.transport.packet_tap import PacketTap

AT = datetime(2026, 1, 1, tzinfo=UTC)


def connects(place, port):
    def attempt():
        with socket.socket() as client:
            client.settimeout(PATIENCE)
            try:
                client.connect((str(Site.internet), port))
            except TimeoutError:
                return False
            return True

    return inside(place.namespace, attempt)


def watched(tap, place):
    """What was heard of the device while it talked to its cloud, and a file of that."""
    segment = Segment()
    inventory = Inventory(Listener(segment))
    assert connects(place, 443)
    for number, (data, length, _port) in enumerate(tap.take(1000)):
        inventory.see(decode_frame(data, at=float(number), length=length))
    device = next(one for one in inventory.devices() if one.mac == place.mac)
    return propose(device, model="plug", is_local=segment.is_local, at=AT)


async def main():
    site = Site.create()
    place = site.attach(1)
    servers = [inside(site.outside, partial(bound, socket.SOCK_STREAM, "0.0.0.0", port)) for port in (443, 80)]
    tap = PacketTap([site.interface], ports_of=ports_of)
    proposal = watched(tap, place)
    tap.close()
    world = World(kernel=Nftables(NftablesConfig((site.interface,), site.networks)))
    world.manager._locate = lambda _thing: (ThingAddress(place.mac, place.ipv4),)
    told = {"proposed": proposal.services, "unknown": [connects(place, 443), connects(place, 80)]}
    thing = a_thing(1, mud_url=learned_url(place.mac))
    await world.manager.vouch(proposal.document)
    await world.admit(thing)
    await world.manager.watch()
    told["adopted"] = [connects(place, 443), connects(place, 80)]
    told["alarms"] = [alarm.kind for alarm in await world.manager.watch()]
    for server in servers:
        server.close()
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main())
