"""Run as a program: one segment whose ports are not isolated, and every way to be more than one's rules on it.

Things 1 and 2 are admitted, thing 3 is a stranger with raw sockets. Prints what was observed as one JSON object.
"""

import asyncio
import dataclasses
import json
import os
import signal
import socket
import struct
import time
from contextlib import suppress
from functools import partial
from ipaddress import ip_address, ip_network

from pyroute2 import IPRoute

from tests.unit.enforcement.stage import COAP, ONE, TCP, TWO, UDP, Stage, bound, host
from thingstead.domain.network import FlowRule, NetworkChange, RateLimit, ThingAddress
from thingstead.enforcement.namespace import inside
from thingstead.enforcement.netlink import NetlinkError
from thingstead.enforcement.nft import load_text
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.errors import PolicyError, TransportError
from thingstead.protocols.packet.packet import decode_frame

ALL, MDNS = b"\xff" * 6, "224.0.0.251"
ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
LISTENING = 0.1


def frame(source, ethertype, body, destination=ALL):
    return destination + source + struct.pack("!H", ethertype) + body


def arp(mac, ip):
    return frame(mac, ARP, struct.pack("!HHBBH", 1, IPV4, 6, 4, 2) + mac + ip.packed + ALL + ip.packed)


def tagged(data, *, kind=0x8100, vlan=0):
    """With a tag behind the two addresses; of no VLAN it is a priority, which the kernel takes off."""
    return data[:12] + struct.pack("!HH", kind, vlan) + data[12:]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp4(mac, source, target, ports, destination=ALL):
    body = struct.pack("!HHHH", *ports, 8 + 5, 0) + b"knock"
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, UDP, 0, source.packed, target.packed)
    return frame(mac, IPV4, head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body, destination)


def icmp6(mac, source, target, kind, body):
    message = struct.pack("!BBHI", kind, 0, 0, 0) + body
    pseudo = source.packed + target.packed + struct.pack("!II", len(message), 58) + message
    message = message[:2] + struct.pack("!H", checksum(pseudo)) + message[4:]
    head = struct.pack("!IHBB", 6 << 28, len(message), 58, 255) + source.packed + target.packed
    return frame(mac, IPV6, head + message, b"\x33\x33" + target.packed[-4:])


class Segment(Stage):
    """The stage, where neighbours reach each other without the router unless something keeps them from it."""

    def __init__(self):
        super().__init__()
        with IPRoute() as route:
            for index in (1, 2, 3):
                route.brport("set", index=route.link_lookup(ifname=f"t{index}")[0], isolated=0)
        for place in (self.one, self.two, self.three):
            inside(place.namespace, self._put_all_on_link)
        self.raw = {place.mac: inside(place.namespace, self._open) for place in (self.one, self.two, self.three)}

    def _put_all_on_link(self):
        with IPRoute() as route:
            route.route("add", dst="fd77::/64", oif=route.link_lookup(ifname="eth0")[0], family=socket.AF_INET6)

    def _open(self):
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        opened.bind(("eth0", 0))
        opened.settimeout(LISTENING)
        return opened

    def hears(self, place, data, sender):
        """Whether a frame that one interface sends comes out of another."""
        listener = self.raw[place.mac]
        listener.settimeout(0)
        while True:
            try:
                listener.recv(2000)
            except BlockingIOError:
                break
        listener.settimeout(LISTENING)
        self.raw[sender.mac].send(data)
        until = time.monotonic() + LISTENING
        while time.monotonic() < until:
            try:
                heard = listener.recv(2000)
            except TimeoutError:
                return False
            if heard[6:12] == data[6:12] and heard[14:42] == data[14:42]:
                return True
        return False

    def offers(self, place, target):
        """Whether what a server of addresses says comes through the router."""
        receiver = inside(self.site.outside, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 68))
        self.raw[place.mac].send(udp4(place.mac, place.ipv4, target, (67, 68), bytes.fromhex("027700000000")))
        try:
            return bool(receiver.recv(10))
        except TimeoutError:
            return False

    def volley(self, place, receiver, port, number, *, one_flow=False):
        """How many of some datagrams arrive that are sent at once."""
        receiver.settimeout(LISTENING)

        def send():
            for _ in range(1 if one_flow else number):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    for _ in range(number if one_flow else 1):
                        client.sendto(b"x", (str(self.site.internet), port))

        with suppress(PermissionError):
            inside(place.namespace, send)
        heard = 0
        while True:
            try:
                receiver.recv(10)
            except TimeoutError:
                return heard
            heard += 1


async def neighbours(stage, seen):
    one, two, three, site = stage.one, stage.two, stage.three, stage.site
    at_two = inside(two.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7777))
    at_one = inside(one.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7777))
    at_two6 = inside(two.namespace, lambda: bound(socket.SOCK_DGRAM, str(two.ipv6), 7777, socket.AF_INET6))
    at_one6 = inside(one.namespace, lambda: bound(socket.SOCK_DGRAM, str(one.ipv6), 7777, socket.AF_INET6))
    seen["allowed to a neighbour"] = stage.arrives(one.namespace, at_two, two.ipv4, 7777)
    seen["the other way"] = stage.arrives(two.namespace, at_one, one.ipv4, 7777)
    six = {"family": socket.AF_INET6}
    seen["allowed to a neighbour, IPv6"] = stage.arrives(one.namespace, at_two6, two.ipv6, 7777, **six)
    seen["the other way, IPv6"] = stage.arrives(two.namespace, at_one6, one.ipv6, 7777, **six)
    seen["stranger to a neighbour"] = stage.arrives(three.namespace, at_two, two.ipv4, 7777)
    straight = udp4(three.mac, three.ipv4, two.ipv4, (7777, 7777), two.mac)
    seen["stranger's frame to a neighbour"] = stage.hears(two, straight, three)
    hub = frame(three.mac, 0x88B5, bytes(50))
    seen["a frame of another kind"] = stage.hears(two, hub, three)
    seen["address asked for"] = stage.hears(two, arp(three.mac, three.ipv4), three)
    seen["address of a thing claimed"] = stage.hears(two, arp(three.mac, one.ipv4), three)
    seen["address of the router claimed"] = stage.hears(two, arp(three.mac, site.controller_ipv4), three)
    link = ip_address("fe80::3")
    everybody = ip_address("ff02::1")
    claims = {"thing": one.ipv6, "router": site.controller_ipv6, "stranger": three.ipv6}
    for who, target in claims.items():
        advertisement = icmp6(three.mac, link, everybody, 136, target.packed + b"\2\1" + three.mac)
        seen[f"IPv6 address of the {who} advertised"] = stage.hears(two, advertisement, three)
    solicitation = icmp6(three.mac, one.ipv6, everybody, 135, two.ipv6.packed + b"\1\1" + three.mac)
    seen["solicited from a thing's IPv6 address"] = stage.hears(two, solicitation, three)
    free = [
        struct.pack("!HHBBH", 1, IPV4, 6, 4, 1) + three.mac + bytes(10) + ip.packed for ip in (one.ipv4, three.ipv4)
    ]
    probes = [stage.hears(two, frame(three.mac, ARP, body), three) for body in free]
    nobody = ip_address("::")
    probes += [
        stage.hears(two, icmp6(three.mac, nobody, everybody, 135, place.ipv6.packed), three) for place in (one, three)
    ]
    seen["asked whether it is free"] = dict(zip(("thing", "own", "thing, IPv6", "own, IPv6"), probes, strict=True))
    seen["router advertised"] = stage.hears(two, icmp6(three.mac, link, everybody, 134, bytes(8)), three)
    offer = udp4(three.mac, three.ipv4, ip_address("255.255.255.255"), (67, 68))
    seen["addresses offered"] = stage.hears(two, offer, three)


async def tags(stage, seen):
    """Whom the router believes to be at an address of a thing that it has not talked to."""
    one, three, site, kernel = stage.one, stage.three, stage.site, stage.kernel
    four, six, router = ip_address("10.77.0.99"), ip_address("fd77::99"), site.controller_ipv6
    places = tuple([ThingAddress(one.mac, ip) for ip in (four, six)])
    await kernel.apply(NetworkChange(ONE, places, frozenset()))
    question = struct.pack("!HHBBH", 1, IPV4, 6, 4, 1) + three.mac + four.packed + bytes(6)
    asked = frame(three.mac, ARP, question + site.controller_ipv4.packed)
    group = ip_address(b"\xff\2" + bytes(9) + b"\1\xff" + router.packed[13:])
    solicited = icmp6(three.mac, six, group, 135, router.packed + b"\1\1" + three.mac)
    for claim in (asked, solicited):
        for data in (tagged(claim), tagged(claim, kind=0x88A8), tagged(tagged(claim)), tagged(tagged(claim), vlan=7)):
            stage.raw[three.mac].send(data)
    # What is answered came after all of that: the kernel takes frames of one port in their order.
    knock = udp4(three.mac, three.ipv4, site.controller_ipv4, (1234, COAP), bytes.fromhex("027700000000"))
    stage.controller.settimeout(LISTENING)
    stage.raw[three.mac].send(tagged(knock))
    seen["tagged knock of a stranger"] = stage.controller.recv(10) == b"knock"
    with IPRoute() as route:
        rows = [row for row in route.get_neighbours() if row.get_attr("NDA_DST") in {str(four), str(six)}]
        seen["believed of a tagged claim"] = [row.get_attr("NDA_LLADDR") for row in rows]
    await kernel.apply(stage.change(ONE, one, stage.rules_of_one()))


async def places(stage, seen):
    one, three, site, kernel = stage.one, stage.three, stage.site, stage.kernel
    full = stage.change(ONE, one, stage.rules_of_one())
    knock = udp4(one.mac, one.ipv4, site.controller_ipv4, (1234, 5685), bytes.fromhex("027700000000"))
    door = bound(socket.SOCK_DGRAM, "0.0.0.0", 5685)
    door.settimeout(LISTENING)

    def knocks(sender, frame=knock):
        stage.raw[sender.mac].send(frame)
        try:
            return bool(door.recv(10))
        except TimeoutError:
            return False

    seen["own interface, own port"] = knocks(one)
    seen["interface of another, port not held"] = knocks(three)
    elsewhere = (dataclasses.replace(full.addresses[0], ip=ip_address("10.77.5.5")),)
    await kernel.apply(dataclasses.replace(full, addresses=elsewhere))
    moved = udp4(one.mac, elsewhere[0].ip, site.controller_ipv4, (1234, 5685), bytes.fromhex("027700000000"))
    old, new = knocks(one), knocks(one, moved)
    seen["after a change of address"] = {"old": old, "new": new}
    door.close()
    await kernel.apply(full)


async def multicast(stage, seen):
    one, two, kernel = stage.one, stage.two, stage.kernel
    shout_to = ip_address(MDNS), (5353, 5353), bytes.fromhex("01005e0000fb")
    shout = udp4(one.mac, one.ipv4, *shout_to)
    other = udp4(one.mac, one.ipv4, ip_address(MDNS), (5353, 5354), bytes.fromhex("01005e0000fb"))
    full = stage.change(ONE, one, stage.rules_of_one())
    seen["multicast without a rule"] = stage.hears(two, shout, one)
    await kernel.apply(dataclasses.replace(full, rules=full.rules | {FlowRule(True, host(MDNS), UDP, (5353, 5353))}))
    seen["multicast by a rule"] = stage.hears(two, shout, one)
    seen["multicast from an address of nobody's"] = [
        stage.hears(two, udp4(one.mac, ip_address(source), *shout_to), one) for source in ("8.8.8.8", "0.0.0.0")
    ]
    seen["multicast to another port"] = stage.hears(two, other, one)
    loud = dataclasses.replace(full, rules=full.rules | {FlowRule(True, host(MDNS), UDP, (5353, 5353))})
    await kernel.apply(dataclasses.replace(loud, rate=RateLimit(1000, 1000, 8)))
    seen["multicast, 8 packets at once"] = sum([stage.hears(two, shout, one) for _ in range(8)])
    seen["multicast, too much"] = stage.hears(two, shout, one)
    await kernel.apply(full)
    seen["multicast after the rule"] = stage.hears(two, shout, one)


async def refusals(stage, seen):
    one, site, kernel = stage.one, stage.site, stage.kernel
    full = stage.change(ONE, one, stage.rules_of_one())
    web = FlowRule(True, host(site.internet), TCP, (443, 443))
    inward = inside(one.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7100))
    outside = inside(site.outside, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 1500))
    denied = frozenset(
        {
            web,
            FlowRule(True, host(site.internet), UDP, (1400, 1600)),
            FlowRule(False, host(site.controller_ipv4), UDP, thing_ports=(7000, 7150)),
        }
    )
    seen["before it is denied"] = [
        stage.connects(one, 443),
        stage.arrives(one.namespace, outside, site.internet, 1500),
        stage.arrives(None, inward, one.ipv4, 7100),
    ]
    await kernel.apply(dataclasses.replace(full, denied=denied))
    seen["denied"] = [
        stage.connects(one, 443),
        stage.arrives(one.namespace, outside, site.internet, 1500),
        stage.arrives(None, inward, one.ipv4, 7100),
    ]
    rows = {(row.rule, row.is_refusal): row.packets for row in await kernel.rule_counters(ONE)}
    seen["counted by rule"] = [rows[rule, True] >= 1 for rule in denied]
    seen["counted by a rule that does not come to it"] = rows[web, False]
    learning = dataclasses.replace(full, denied=frozenset({web}), learning=True)
    await kernel.apply(learning)
    closed = inside(site.outside, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 2500))
    seen["learning"] = {
        "no rule": stage.connects(one, 80),
        "no rule, IPv4 UDP": stage.arrives(one.namespace, closed, site.internet, 2500),
        "denied": stage.connects(one, 443),
        "addresses offered through the router": stage.offers(one, site.internet),
        "from the site": stage.arrives(None, inward, one.ipv4, 7100),
        "from outside": stage.arrives(site.outside, inward, one.ipv4, 7100),
    }
    await kernel.apply(full)
    seen["learned"] = stage.connects(one, 80)
    seen["counters of nobody"] = await kernel.rule_counters(TWO.__class__("thing-cccccccccccccccc"))


async def bounds(stage, seen):
    one, site, kernel = stage.one, stage.site, stage.kernel
    full = stage.change(ONE, one, stage.rules_of_one())
    outside = inside(site.outside, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 1600))
    seen["no bound"] = stage.volley(one, outside, 1600, 40)
    await kernel.apply(dataclasses.replace(full, rate=RateLimit(1, 5, 1000)))
    seen["one flow that nobody answers"] = stage.volley(one, outside, 1600, 40, one_flow=True)
    seen["5 flows at once"] = stage.volley(one, outside, 1600, 40)
    await kernel.apply(dataclasses.replace(full, rate=RateLimit(1000, 1000, 8)))
    seen["8 packets at once"] = stage.volley(one, outside, 1600, 40, one_flow=True)
    await kernel.apply(full)
    seen["bound taken back"] = stage.volley(one, outside, 1600, 40, one_flow=True)


async def fleet(stage, seen):
    """One refusal of everything, said to two things at once; one of them has more than the kernel takes."""
    one, two, site, kernel = stage.one, stage.two, stage.site, stage.kernel
    everything = frozenset({FlowRule(way, ip_network(net)) for way in (True, False) for net in ("0.0.0.0/0", "::/0")})
    spared = frozenset({FlowRule(True, host(site.controller_ipv4), UDP, (5685, 5685))})
    both = [stage.change(ONE, one, stage.rules_of_one()), stage.change(TWO, two, stage.rules_of_two())]
    web = FlowRule(True, host(site.internet), TCP, (443, 443))
    both[1] = dataclasses.replace(both[1], rules=both[1].rules | {web})
    door = bound(socket.SOCK_DGRAM, "0.0.0.0", 5685)

    def look():
        spoken = stage.arrives(one.namespace, door, site.controller_ipv4, 5685)
        other = stage.arrives(one.namespace, stage.controller, site.controller_ipv4, COAP)
        return [stage.connects(one, 443), stage.connects(two, 443), spoken, other]

    await kernel.apply_all(both)
    found = [look()]
    refused = [dataclasses.replace(change, denied=everything, repair=spared) for change in both]
    await kernel.apply_all(refused)
    found.append(look())
    await kernel.apply_all([refused[0], both[1]])
    found.append(look())
    await kernel.apply_all(both)
    seen["fleet"] = [*found, look()]
    many = frozenset({FlowRule(True, ip_network(f"10.{n >> 8}.{n & 255}.0/24"), UDP, (1, 9)) for n in range(2000)})
    try:
        await kernel.apply_all([refused[0], dataclasses.replace(both[1], rules=many)])
    except TransportError:
        seen["fleet, one too many"] = look()
    try:
        await kernel.apply_all([both[0], dataclasses.replace(both[1], addresses=both[0].addresses)])
    except PolicyError:
        seen["fleet, one address twice"] = look()
    await kernel.apply_all([both[0], stage.change(TWO, two, stage.rules_of_two())])
    door.close()


async def repair(stage, seen):
    one, two, site, kernel = stage.one, stage.two, stage.site, stage.kernel
    way = {
        FlowRule(True, host(site.controller_ipv4), UDP, (COAP, COAP)),
        FlowRule(True, host(site.controller_ipv6), UDP, (5684, 5684)),
    }
    full = stage.change(ONE, one, stage.rules_of_one())
    at_two = inside(two.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7777))
    inward = inside(one.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7000))
    other = bound(socket.SOCK_DGRAM, "0.0.0.0", 5685)
    await kernel.apply(dataclasses.replace(full, barred=True, repair=frozenset(way)))

    def answered():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(LISTENING)
            client.sendto(b"mend me", (str(site.controller_ipv4), COAP))
            try:
                stage.controller.sendto(b"so", stage.controller.recvfrom(100)[1])
                return client.recv(10) == b"so"
            except TimeoutError:
                return False

    seen["quarantined"] = {
        "controller, and its answer": inside(one.namespace, answered),
        "controller, IPv6": stage.arrives(
            one.namespace, stage.controller6, site.controller_ipv6, 5684, family=socket.AF_INET6
        ),
        "another port": stage.arrives(one.namespace, other, site.controller_ipv4, 5685),
        "Internet": stage.connects(one, 443),
        "neighbour": stage.arrives(one.namespace, at_two, two.ipv4, 7777),
        "controller asks": stage.arrives(None, inward, one.ipv4, 7000),
        "frame to all": stage.hears(two, arp(one.mac, one.ipv4), one),
        "standing": (await kernel.standing(ONE)).barred,
    }
    other.close()
    await kernel.apply(full)


async def names(stage, seen):
    one, site, kernel = stage.one, stage.site, stage.kernel
    full = stage.change(ONE, one, ())
    outside = inside(site.outside, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 3050))
    rule = FlowRule(True, host(site.internet), UDP, (3000, 3100), lifetime=1)
    seen["range before the DNS"] = stage.arrives(one.namespace, outside, site.internet, 3050)
    await kernel.apply(dataclasses.replace(full, rules=frozenset({rule})))
    seen["range while the name lasts"] = stage.arrives(one.namespace, outside, site.internet, 3050)
    at = time.monotonic()
    two = stage.two
    await kernel.apply(dataclasses.replace(stage.change(TWO, two, stage.rules_of_two()), learning=False))
    await bounds_of_wait(at + 1.05)
    seen["range after the name"] = stage.arrives(one.namespace, outside, site.internet, 3050)
    elsewhere = dataclasses.replace(rule, remote=ip_network("198.51.100.77"))
    await kernel.apply(dataclasses.replace(full, rules=frozenset({rule})))
    client = inside(one.namespace, partial(socket.socket, socket.AF_INET, socket.SOCK_DGRAM))

    def passes():
        inside(one.namespace, lambda: client.sendto(b"x", (str(site.internet), 3050)))
        try:
            peer = outside.recvfrom(10)[1]
            outside.sendto(b"y", peer)
            return client.recv(10) == b"y"
        except TimeoutError:
            return False

    client.settimeout(LISTENING)
    seen["flow by a name"] = passes()
    await kernel.apply(dataclasses.replace(full, rules=frozenset({elsewhere})))
    seen["flow after the name moved"] = passes()
    seen["new flow after the name moved"] = stage.arrives(one.namespace, outside, site.internet, 3050)
    await kernel.apply(full)
    try:
        seen["flow after the rule"] = passes()
    except PermissionError:
        seen["flow after the rule"] = False


async def bounds_of_wait(until):
    await asyncio.sleep(max(0.0, until - time.monotonic()))


def killed(stage, seen):
    """An enforcer that is killed in the midst of its work; another takes its place."""
    one, two, site = stage.one, stage.two, stage.site
    config = NftablesConfig((site.interface,), site.networks, onboarding=(("udp", COAP),))
    stage.kernel.close()
    child = os.fork()
    if child == 0:
        kernel = Nftables(config)
        asyncio.run(kernel.apply(stage.change(ONE, one, stage.rules_of_one())))
        asyncio.run(kernel.settle())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    at_two = inside(two.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7777))

    def look(*, claims=True):
        """Where nobody is known a claim is believed, by the router too, and for longer than until somebody is."""
        return {
            "allowed": stage.connects(one, 443),
            "not allowed": stage.connects(one, 80),
            "stranger": stage.connects(stage.three, 443),
            "stranger's frame": claims and stage.hears(two, arp(stage.three.mac, one.ipv4), stage.three),
            "neighbour": stage.arrives(two.namespace, at_two, one.ipv4, 7777),
        }

    seen["killed"] = look()
    stage.kernel = Nftables(config)
    seen["started again"] = look()
    asyncio.run(stage.kernel.settle())
    seen["told of nobody"] = look(claims=False)
    asyncio.run(stage.kernel.apply(stage.change(ONE, one, stage.rules_of_one())))
    seen["told again"] = look()
    stage.kernel.close()
    try:
        asyncio.run(stage.kernel.drops())
    except NetlinkError as error:
        seen["log that was closed"] = error.reason
    seen["stopped"] = look()
    narrower = NetworkChange(ONE, stage.change(ONE, one, ()).addresses, None, barred=True)
    stage.kernel = Nftables(config)
    asyncio.run(stage.kernel.apply(narrower))
    seen["gathered"] = look()
    second = Nftables(dataclasses.replace(config, table="another"))
    seen["log of another"] = asyncio.run(second.drops())
    second.close()
    load_text("delete table inet another\ndelete table bridge another\n")
    seen["asked"] = [asyncio.run(stage.kernel.standing(ONE)).barred, stage.connects(one, 443)]
    stage.kernel.close()
    casting = dataclasses.replace(config, helpers=((ip_address(MDNS), 5353),))
    stage.kernel = Nftables(casting)
    asyncio.run(stage.kernel.settle())
    shout = udp4(stage.three.mac, stage.three.ipv4, ip_address(MDNS), (5353, 5353), bytes.fromhex("01005e0000fb"))
    other = udp4(stage.three.mac, stage.three.ipv4, ip_address(MDNS), (5353, 9999), bytes.fromhex("01005e0000fb"))
    seen["casting"] = [stage.hears(two, frame, stage.three) for frame in (shout, other)]


async def moved(stage, seen):
    """An enforcer that holds ports finds them itself."""
    one, three, site = stage.one, stage.three, stage.site
    stage.kernel.close()
    config = NftablesConfig((site.interface,), site.networks, onboarding=(("udp", COAP),), hold_ports=True)
    kernel = stage.kernel = Nftables(config)
    await kernel.settle()
    full = stage.change(ONE, one, stage.rules_of_one())
    knock = udp4(one.mac, one.ipv4, site.controller_ipv4, (1234, COAP), bytes.fromhex("027700000000"))
    stage.controller.settimeout(LISTENING)

    def knocks(sender):
        stage.raw[sender.mac].send(knock)
        try:
            return bool(stage.controller.recv(10))
        except TimeoutError:
            return False

    found = [knocks(one)]
    await kernel.apply(full)
    found += [knocks(one), knocks(three)]
    wrong = tuple([dataclasses.replace(address, port="t" * 40) for address in full.addresses])
    try:
        await kernel.apply(dataclasses.replace(full, addresses=wrong, rules=frozenset()))
    except TransportError:
        seen["after a change that the kernel refused"] = [knocks(one), knocks(three)]
    await kernel.apply(dataclasses.replace(full, rules=None, barred=True))
    knocks(three)
    await kernel.apply(full)
    seen["moved and admitted again"] = [*found, knocks(one), knocks(three)]
    await machines(stage, seen)


async def unnamed(stage, seen):
    """A segment whose prefixes are not all in the settings, as those that a provider gives."""
    three, site = stage.three, stage.site
    stage.kernel.close()
    kernel = stage.kernel = Nftables(NftablesConfig((site.interface,), (), onboarding=(("udp", COAP),)))
    await kernel.settle()
    door = inside(three.namespace, lambda: bound(socket.SOCK_DGRAM, "0.0.0.0", 7900))
    door6 = inside(three.namespace, lambda: bound(socket.SOCK_DGRAM, str(three.ipv6), 7901, socket.AF_INET6))
    six = {"family": socket.AF_INET6}
    seen["stranger whose prefix is not named"] = {
        "from outside": stage.arrives(site.outside, door, three.ipv4, 7900),
        "from this machine": stage.arrives(None, door, three.ipv4, 7900),
        "from this machine, IPv6": stage.arrives(None, door6, three.ipv6, 7901, **six),
    }


async def machines(stage, seen):
    """Two things on one machine have its interface in common."""
    one, kernel = stage.one, stage.kernel
    addresses = [(ThingAddress(one.mac, ip_address(f"10.77.8.{number}"), "t1"),) for number in (1, 2)]
    for thing, address in zip((ONE, TWO), addresses, strict=True):
        await kernel.apply(NetworkChange(thing, address, frozenset(), barred=True))
    for thing, address in zip((ONE, TWO), addresses, strict=True):
        await kernel.apply(NetworkChange(thing, address, frozenset()))
    seen["bars of one machine taken back"] = [(await kernel.standing(thing)).barred for thing in (ONE, TWO)]
    for thing in (ONE, TWO):
        await kernel.apply(NetworkChange(thing, (), None))


async def act(stage, seen):
    kernel = stage.kernel
    await kernel.apply(stage.change(ONE, stage.one, stage.rules_of_one()))
    await kernel.apply(stage.change(TWO, stage.two, stage.rules_of_two()))
    for part in (neighbours, tags, places, multicast, refusals, bounds, fleet, repair, names):
        await part(stage, seen)
    drops = await kernel.drops()
    seen["reasons"] = sorted({one.reason for one in drops})
    seen["logged just now"] = all(abs(one.at - time.time()) < 60 for one in drops)
    heads = [(one.reason, decode_frame(one.packet_head, at=one.at)) for one in drops]
    spoofed = [packet for reason, packet in heads if reason == "spoofed"]
    seen["claimed by ARP, logged"] = any(packet.arp is not None for packet in spoofed)
    seen["whose"] = {
        reason: sorted({packet.source_mac.hex() for why, packet in heads if why == reason}) for reason, _ in heads
    }
    seen["read twice"] = len(await kernel.drops())
    seen["packets"] = {row.thing: [row.seen, row.refused] for row in await kernel.counters()}


def main():
    stage = Segment()
    seen: dict[str, object] = {}
    servers = [inside(stage.site.outside, partial(bound, socket.SOCK_STREAM, "0.0.0.0", port)) for port in (80, 443)]
    asyncio.run(act(stage, seen))
    killed(stage, seen)
    asyncio.run(moved(stage, seen))
    asyncio.run(unnamed(stage, seen))
    for server in servers:
        server.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
