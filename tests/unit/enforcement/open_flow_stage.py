"""Run as a program: flows that are open, and what their owner and others try to get out of them; prints JSON."""

import asyncio
import json
import socket
import struct
from dataclasses import replace
from functools import partial
from ipaddress import ip_address, ip_network

from pyroute2 import IPRoute

from tests.unit.enforcement.stage import ONE, PATIENCE, TWO, UDP, Stage, bound, host
from thingstead.domain.network import FlowRule, NetworkChange, ThingAddress
from thingstead.enforcement.namespace import inside
from thingstead.enforcement.nft import load_text
from thingstead.identifier import ThingId

PORT, DOOR, BEHIND = 1500, 8000, 7000
QUOTED = b"carried"
THREE = ThingId("thing-cccccccccccccccc")
FAMILIES = {4: (socket.AF_INET, socket.IPPROTO_ICMP), 6: (socket.AF_INET6, socket.IPPROTO_ICMPV6)}


def summed(data):
    """With its checksum in the second word (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return data[:2] + struct.pack("!H", ~((total >> 16) + total) & 0xFFFF) + data[4:]


def unreachable(source, source_port, target, target_port):
    """An error about a datagram from `source` to `target`, which it quotes (RFC 792, RFC 4443 §3.1)."""
    datagram = struct.pack("!HHHH", source_port, target_port, 8 + len(QUOTED) + 1, 0) + QUOTED + b"\0"
    if source.version == 4:
        size = 20 + len(datagram)
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 1, 0, 64, 17, 0, source.packed, target.packed)
        total = sum(struct.unpack("!10H", head))
        proof = ~((total >> 16) + (total & 0xFFFF)) & 0xFFFF
        return summed(struct.pack("!BBHI", 3, 3, 0, 0) + head[:10] + struct.pack("!H", proof) + head[12:] + datagram)
    head = struct.pack("!IHBB16s16s", 6 << 28, len(datagram), 17, 64, source.packed, target.packed)
    return struct.pack("!BBHI", 1, 4, 0, 0) + head + datagram


class OpenFlows(Stage):
    def errors_at(self, namespace, version):
        listener = inside(namespace, lambda: socket.socket(FAMILIES[version][0], socket.SOCK_RAW, FAMILIES[version][1]))
        listener.settimeout(PATIENCE)
        return listener

    def says(self, place, listener, target, error):
        """Whether an error that a thing sends comes out of `listener`."""
        with self.errors_at(place.namespace, target.version) as speaker:
            speaker.sendto(error, (str(target), 0))
        try:
            while QUOTED not in listener.recv(2048):
                pass
        except TimeoutError:
            return False
        return True


def passes(client, server):
    client.send(b"x")
    try:
        return server.recv(10) == b"x"
    except TimeoutError:
        return False


async def of_others(stage, seen):
    """What thing 3, which may do nothing, makes of flows of thing 1: to the Internet, and to thing 2."""
    one, two, three = stage.one, stage.two, stage.three
    ways = [FlowRule(True, host(remote), UDP, (PORT, PORT)) for remote in (stage.site.internet, two.ipv6)]
    await stage.kernel.apply(stage.change(ONE, one, ways))
    await stage.kernel.apply(stage.change(TWO, two, [FlowRule(False, host(one.ipv6), UDP, thing_ports=(PORT, PORT))]))
    await stage.kernel.apply(stage.change(THREE, three, []))
    places = (4, one.ipv4, stage.site.internet, stage.site.outside), (6, one.ipv6, two.ipv6, two.namespace)
    for version, mine, remote, place in places:
        server = inside(place, partial(bound, socket.SOCK_DGRAM, "", PORT, FAMILIES[version][0]))
        client = inside(one.namespace, partial(socket.socket, FAMILIES[version][0], socket.SOCK_DGRAM))
        client.connect((str(remote), PORT))
        port = client.getsockname()[1]
        there, here = stage.errors_at(place, version), stage.errors_at(one.namespace, version)
        back, forth = unreachable(remote, PORT, mine, port), unreachable(mine, port, remote, PORT)
        seen[f"flow, IPv{version}"] = passes(client, server)
        seen[f"another's error to the peer, IPv{version}"] = stage.says(three, there, remote, back)
        seen[f"another's error to the owner, IPv{version}"] = stage.says(three, here, mine, forth)
        seen[f"the owner's error, IPv{version}"] = stage.says(one, there, remote, back)


async def translated(stage, seen):
    """A door in the router's address leads to a thing."""
    site, one = stage.site, stage.one
    door = f'iifname "up0" udp dport {DOOR} dnat to {one.ipv4}:{BEHIND};'
    load_text(f"table ip doors {{ chain in {{ type nat hook prerouting priority dstnat; {door} }}; }}")
    may = stage.change(ONE, one, [FlowRule(False, host(site.internet), UDP, thing_ports=(BEHIND, BEHIND))])
    await stage.kernel.apply(may)
    server = inside(one.namespace, lambda: bound(socket.SOCK_DGRAM, "", BEHIND))
    client = inside(site.outside, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    client.connect((str(site.uplink), DOOR))
    seen["through a door"] = passes(client, server)
    await stage.kernel.apply(replace(may, rules=frozenset()))
    seen["through a door, right taken"] = passes(client, server)


async def of_names(stage, seen):
    """A name stands for the Internet's host; then it runs out, or another name is all that is left."""
    site, one, kernel = stage.site, stage.one, stage.kernel
    server = inside(site.outside, partial(bound, socket.SOCK_DGRAM, "", PORT + 1))
    way = FlowRule(True, host(site.internet), UDP, (PORT + 1, PORT + 1), lifetime=1)
    other = replace(way, remote=ip_network("198.51.100.77"), lifetime=60)
    nothing = stage.change(ONE, one, [])
    named = replace(nothing, named=frozenset({"cloud"}))
    fuller = replace(named, rules=frozenset({replace(way, lifetime=60), other}), named=frozenset({"cloud", "other"}))
    left = replace(nothing, rules=frozenset({other}), named=frozenset({"other"}))
    for what, before, after in (("that ran out", replace(named, rules=frozenset({way})), nothing), ("", fuller, left)):
        await kernel.apply(before)
        client = inside(one.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        client.connect((str(site.internet), PORT + 1))
        seen[f"to a name {what}".rstrip()] = passes(client, server)
        if what:
            await asyncio.sleep(1.1)
            await kernel.apply(named)
            seen["to a name, after its time"] = passes(client, server)
        await kernel.apply(after)
        seen[f"to a name {what}, name gone".replace(" ,", ",")] = passes(client, server)


async def beside(stage, seen):
    """A thing's address of a prefix that is not told to be local; somebody opens the table for a moment."""
    place = ip_address("192.0.2.50")

    def settle():
        with IPRoute() as route:
            route.addr("add", index=route.link_lookup(ifname="eth0")[0], address=str(place), prefixlen=32)

    inside(stage.one.namespace, settle)
    with IPRoute() as route:
        route.route("add", dst=f"{place}/32", oif=route.link_lookup(ifname=stage.site.interface)[0])
    server = inside(stage.site.outside, partial(bound, socket.SOCK_DGRAM, "", PORT + 2))
    client = inside(stage.one.namespace, partial(bound, socket.SOCK_DGRAM, place, PORT + 2))
    client.connect((str(stage.site.internet), PORT + 2))
    await stage.kernel.apply(NetworkChange(ONE, (ThingAddress(stage.one.mac, place),), frozenset()))
    load_text("insert rule inet thingstead from_segment accept")
    seen["beside the local prefixes, opened by another"] = passes(client, server)
    await stage.kernel.uphold()
    seen["beside the local prefixes, put back"] = passes(client, server)


async def main():
    stage, seen = OpenFlows(), dict[str, bool]()
    await of_others(stage, seen)
    await translated(stage, seen)
    await of_names(stage, seen)
    await beside(stage, seen)
    stage.kernel.close()
    stage.site.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main())
