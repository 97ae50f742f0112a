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
from thingstead.domain.owner_rule import OwnerRule, Way
from thingstead.enforcement.link import ports_of
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.protocols.packet.packet import decode_frame
from thingstead.transport.packet_tap import PacketTap

AT = datetime(2026, 1, 1, tzinfo=UTC)


BROKER = OwnerRule("r1", False, (), "", "", Way.OUT, "local", 6, (8883, 8883), "", "", "owner", AT)


def connects(place, port, to=Site.internet):
    def attempt():
        with socket.socket(socket.AF_INET6 if to.version == 6 else socket.AF_INET) as client:
            client.settimeout(PATIENCE)
            try:
                client.connect((str(to), port))
            except TimeoutError:
                return False
            return True

    return inside(place.namespace, attempt)


def watched(tap, place):
    """What was heard of the device while it talked to its cloud, and a file of that."""
    segment = Segment()
    inventory = Inventory(Listener(segment))
    # Its link has only just come up: what was sent before is lost, and sent again in a second at the earliest.
    assert any(connects(place, 443) for _ in range(20))
    for number, (data, length, _port) in enumerate(tap.take(1000)):
        inventory.see(decode_frame(data, at=float(number), length=length))
    device = next(one for one in inventory.devices() if one.mac == place.mac)
    return propose(device, model="plug", is_local=segment.is_local, at=AT)


async def in_both_families(site, world, thing, place):
    """Whether it reaches the broker by IPv4 and IPv6: with one of its addresses, and with both."""
    broker, seen = bound(socket.SOCK_STREAM, "::", 8883, socket.AF_INET6), []
    await world.manager.put_rule(BROKER, "owner")
    four, six = ThingAddress(place.mac, place.ipv4), ThingAddress(place.mac, place.ipv6)
    for places in ((four,), (four, six)):
        world.manager._locate = lambda _thing, places=places: places
        await world.admit(thing)
        seen.append([connects(place, 8883, to) for to in (site.controller_ipv4, site.controller_ipv6)])
    broker.close()
    return seen


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
    told["both families"] = await in_both_families(site, world, thing, place)
    for server in servers:
        server.close()
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main())
