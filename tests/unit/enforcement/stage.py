"""Run as a program: a site with real packets; prints what was observed as one JSON object.

Things 1 and 2 are admitted, thing 3 is a stranger. Every observation is a question put to sockets or to the kernel.
"""

import asyncio
import dataclasses
import json
import socket
import time
from functools import partial
from ipaddress import ip_network

from thingstead.domain.network import FlowRule, NetworkChange, ThingAddress
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.errors import PolicyError
from thingstead.identifier import ThingId

PATIENCE = 0.2
COAP = 5683
TCP, UDP, ICMP = 6, 17, 1
ONE, TWO = ThingId("thing-aaaaaaaaaaaaaaaa"), ThingId("thing-bbbbbbbbbbbbbbbb")


def host(address):
    return ip_network(str(address))


def bound(kind, address, port, family=socket.AF_INET):
    made = socket.socket(family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((str(address), port))
    made.settimeout(PATIENCE)
    if kind == socket.SOCK_STREAM:
        made.listen(64)
    return made


class Stage:
    def __init__(self):
        self.site = site = Site.create()
        self.one, self.two, self.three = (site.attach(index) for index in (1, 2, 3))
        config = NftablesConfig((site.interface,), site.networks, onboarding=(("udp", COAP),))
        self.kernel = Nftables(config)
        self.controller = bound(socket.SOCK_DGRAM, "0.0.0.0", COAP)
        self.controller6 = bound(socket.SOCK_DGRAM, "::", 5684, socket.AF_INET6)

    def change(self, thing, place, rules):
        addresses = (ThingAddress(place.mac, place.ipv4), ThingAddress(place.mac, place.ipv6))
        return NetworkChange(thing, addresses, frozenset(rules))

    def rules_of_one(self):
        net, two = host(self.site.internet), host(self.two.ipv4)
        yield FlowRule(True, net, TCP, (443, 443))
        yield FlowRule(True, net, UDP, (1000, 2000))
        yield FlowRule(True, ip_network("198.51.100.0/24"), ICMP, icmp=(8, 0))
        yield FlowRule(True, host(self.site.controller_ipv4), UDP, (COAP, COAP))
        yield FlowRule(True, host(self.site.controller_ipv6), UDP, (5684, 5684))
        yield FlowRule(True, host(self.site.controller_ipv4), UDP, (5685, 5685))
        yield FlowRule(True, two, UDP, (7777, 7777))
        yield FlowRule(True, host(self.two.ipv6), UDP, (7777, 7777))
        yield FlowRule(False, host(self.site.controller_ipv4), UDP, thing_ports=(7000, 7000))
        yield FlowRule(False, ip_network("10.77.0.0/24"), UDP, thing_ports=(7100, 7200))

    def rules_of_two(self):
        yield FlowRule(False, host(self.one.ipv4), UDP, thing_ports=(7777, 7777))
        yield FlowRule(False, host(self.one.ipv6), UDP, thing_ports=(7777, 7777))

    def connects(self, place, port):
        def attempt():
            with socket.socket() as client:
                client.settimeout(PATIENCE)
                try:
                    client.connect((str(self.site.internet), port))
                except TimeoutError:
                    return False
                return True

        return inside(place.namespace, attempt)

    def arrives(self, sender, receiver, target, port, *, source=None, family=socket.AF_INET):
        """Whether a datagram sent in one namespace comes out of `receiver`."""

        def send():
            with socket.socket(family, socket.SOCK_DGRAM) as client:
                if source is not None:
                    client.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT: send from an address of somebody else
                    client.bind((str(source), 0))
                client.sendto(b"knock", (str(target), port))

        try:
            send() if sender is None else inside(sender, send)
        except PermissionError:
            return False
        try:
            receiver.recvfrom(100)
        except TimeoutError:
            return False
        return True


async def main():
    stage = Stage()
    site, kernel, one, two, three = stage.site, stage.kernel, stage.one, stage.two, stage.three
    web = inside(site.outside, lambda: bound(socket.SOCK_STREAM, "0.0.0.0", 443))
    plain = inside(site.outside, lambda: bound(socket.SOCK_STREAM, "0.0.0.0", 80))
    seen = {}
    full = stage.change(ONE, one, stage.rules_of_one())
    seen["before admission"] = stage.connects(one, 443)
    applied = await kernel.apply(full)
    await kernel.apply(stage.change(TWO, two, stage.rules_of_two()))
    seen["applied"] = [applied.added, applied.removed, applied.mode]
    seen["again"] = dataclasses.astuple(await kernel.apply(full))[2:4]
    seen["allowed port"] = stage.connects(one, 443)
    seen["forbidden port"] = stage.connects(one, 80)
    seen["another thing's right"] = stage.connects(two, 443)

    for port in (999, 1000, 2000, 2001):
        outside = inside(site.outside, partial(bound, socket.SOCK_DGRAM, "0.0.0.0", port))
        seen[f"udp {port}"] = stage.arrives(one.namespace, outside, site.internet, port)
    seen["to the controller"] = stage.arrives(one.namespace, stage.controller, site.controller_ipv4, COAP)
    seen["to the controller, IPv6"] = stage.arrives(
        one.namespace, stage.controller6, site.controller_ipv6, 5684, family=socket.AF_INET6
    )
    seen["controller, another port"] = stage.arrives(
        one.namespace, bound(socket.SOCK_DGRAM, "0.0.0.0", 9999), site.controller_ipv4, 9999
    )
    seen["stranger knocks"] = stage.arrives(three.namespace, stage.controller, site.controller_ipv4, COAP)
    seen["stranger elsewhere"] = stage.connects(three, 443)

    at_one = inside(one.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7777))
    at_two = inside(two.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7777))
    seen["east-west allowed"] = stage.arrives(one.namespace, at_two, two.ipv4, 7777)
    seen["east-west other way"] = stage.arrives(two.namespace, at_one, one.ipv4, 7777)
    at_two6 = inside(two.namespace, lambda: bound(socket.SOCK_DGRAM, str(two.ipv6), 7777, socket.AF_INET6))
    seen["east-west IPv6"] = stage.arrives(one.namespace, at_two6, two.ipv6, 7777, family=socket.AF_INET6)
    other = bound(socket.SOCK_DGRAM, "0.0.0.0", 5685)
    seen["own address"] = stage.arrives(one.namespace, other, site.controller_ipv4, 5685, source=one.ipv4)
    seen["spoofed address"] = stage.arrives(three.namespace, other, site.controller_ipv4, 5685, source=one.ipv4)
    for port in (7000, 7001, 7150, 7201):
        inward = inside(one.namespace, partial(bound, socket.SOCK_DGRAM, "0.0.0.0", port))
        seen[f"controller to thing {port}"] = stage.arrives(None, inward, one.ipv4, port)
    inward = inside(one.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7000))
    seen["outside to thing"] = stage.arrives(site.outside, inward, one.ipv4, 7000)

    group = "224.0.1.187"
    listeners = []
    for place in (one, two):
        listener = inside(place.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 5699))
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + place.ipv4.packed)
        listeners.append(listener)
    heard = [stage.arrives(None, listener, group, 5699) for listener in listeners]
    seen["multicast from the controller"] = heard

    named = dataclasses.replace(
        full, rules=full.rules | {FlowRule(True, host(site.internet), TCP, (80, 80), lifetime=1)}
    )
    await kernel.apply(named)
    seen["while the name's lifetime lasts"] = stage.connects(one, 80)
    applied_at = time.monotonic()

    def connect():
        client = socket.create_connection((str(site.internet), 443), 1)
        client.settimeout(PATIENCE)
        return client

    def passes(client, server):
        client.send(b"x")
        try:
            return server.recv(10) == b"x"
        except TimeoutError:
            return False

    client = inside(one.namespace, connect)
    while True:
        server = web.accept()[0]
        if server.getpeername()[1] == client.getsockname()[1]:
            break
    server.settimeout(PATIENCE)
    seen["established"] = passes(client, server)
    without = dataclasses.replace(full, rules=full.rules - {FlowRule(True, host(site.internet), TCP, (443, 443))})
    await kernel.apply(without)
    seen["established, right taken"] = passes(client, server)
    await kernel.apply(full)
    seen["standing"] = [(await kernel.standing(ONE)).admitted, (await kernel.standing(ONE)).barred]
    seen["traffic"] = {row.thing: [row.seen, row.refused] for row in await kernel.counters()}
    await kernel.apply(dataclasses.replace(full, barred=True))
    seen["standing barred"] = [(await kernel.standing(ONE)).admitted, (await kernel.standing(ONE)).barred]
    seen["barred to the controller"] = stage.arrives(one.namespace, stage.controller, site.controller_ipv4, COAP)
    seen["controller to barred"] = stage.arrives(None, inward, one.ipv4, 7000)
    seen["barred, new address"] = stage.arrives(
        one.namespace, stage.controller, site.controller_ipv4, COAP, source="10.77.9.9"
    )
    seen["traffic while barred"] = [[row.seen, row.refused] for row in await kernel.counters() if row.thing == ONE]
    await kernel.apply(full)
    seen["restored"] = stage.arrives(one.namespace, stage.controller, site.controller_ipv4, COAP)
    await asyncio.sleep(max(0.0, applied_at + 1.1 - time.monotonic()))
    seen["after the name's lifetime"] = stage.connects(one, 80)

    try:
        await kernel.apply(stage.change(TWO, one, ()))
    except PolicyError as refusal:
        seen["another's address"] = refusal.message
    await kernel.apply(stage.change(TWO, two, ()))
    both = (*stage.change(TWO, two, ()).addresses, *stage.change(TWO, one, ()).addresses)
    await kernel.apply(NetworkChange(TWO, both, None, barred=True))
    seen["bar beside another's address"] = [(await kernel.standing(TWO)).barred, (await kernel.standing(ONE)).barred]
    await kernel.apply(dataclasses.replace(full, rules=None, barred=True))
    seen["standing withdrawn"] = [(await kernel.standing(ONE)).admitted, (await kernel.standing(ONE)).barred]
    seen["withdrawn knocks"] = stage.arrives(one.namespace, stage.controller, site.controller_ipv4, COAP)
    await kernel.apply(stage.change(TWO, one, stage.rules_of_one()))
    seen["address of a withdrawn thing again"] = stage.connects(one, 443)
    plain.close()
    kernel.close()
    site.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main())
