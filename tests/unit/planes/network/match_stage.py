"""Run as a program: one MUD file with every match type, real packets against it; prints what came through as JSON.

All packets of a direction are sent, then one that is allowed; where that has come out, the others have or never will.
"""

import asyncio
import contextlib
import json
import socket
from functools import partial

from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import URL, World
from thingstead.domain.network import ThingAddress
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig

UDP, UDP6 = (socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_INET6, socket.SOCK_DGRAM)
NEAR, NEAR6, FAR = str(Site.controller_ipv4), str(Site.controller_ipv6), str(Site.internet)
PATIENCE = 2.0


def eq(port):
    return {"operator": "eq", "port": port}


def far(**ports):
    return {"ipv4": {"destination-ipv4-network": f"{FAR}/32"}, "udp": {"destination-port": ports}}


FROM4 = (
    {"ipv4": {"ietf-acldns:dst-dnsname": "cloud.acme.example"}, "udp": {"destination-port": eq(1100)}},
    far(operator="lte", port=1000),
    far(operator="gte", port=60000),
    far(**{"lower-port": 3000, "upper-port": 3002}),
    {**far(**eq(4600)), "udp": {"destination-port": eq(4600), "source-port": eq(4500)}},
    {"ipv4": {"destination-ipv4-network": f"{NEAR}/32"},
     "udp": {"destination-port": {"operator": "neq", "port": 2003}, "source-port": eq(4500)}},
    {"eth": {"destination-mac-address": "ff:ff:ff:ff:ff:ff"}, "udp": {"destination-port": eq(5000)}},
    {"ietf-mud:mud": {"my-controller": [None]}, "udp": {"destination-port": eq(6000)}},
    {"ietf-mud:mud": {"local-networks": [None]}, "udp": {"destination-port": eq(6100)}},
    {"ietf-mud:mud": {"controller": "urn:ietf:params:mud:dns"}, "udp": {"destination-port": eq(6200)}},
    {"ipv4": {"destination-ipv4-network": f"{FAR}/32", "dscp": 46}, "udp": {"destination-port": eq(8000)}},
    {"icmp": {"type": 8, "code": 0}, "ipv4": {"destination-ipv4-network": f"{FAR}/32"}},
)  # fmt: skip
FROM6 = (
    {"ipv6": {"destination-ipv6-network": f"{NEAR6}/128"}, "udp": {"destination-port": eq(1100)}},
    {"ipv6": {"destination-ipv6-network": f"{NEAR6}/128"},
     "udp": {"destination-port": {"operator": "lte", "port": 1000}}},
    {"ietf-mud:mud": {"local-networks": [None]}, "udp": {"destination-port": eq(6100)}},
)  # fmt: skip
TO = (
    {"ietf-mud:mud": {"local-networks": [None]}, "udp": {"destination-port": eq(7000)}},
    {"ietf-mud:mud": {"local-networks": [None]}, "udp": {"destination-port": {"lower-port": 7100, "upper-port": 7101}}},
)
LISTS = {("from", 4): FROM4, ("from", 6): FROM6, ("to", 4): TO, ("to", 6): TO}

# Where it is listened, address, port, source port, and whether the file lets it pass.
OUT = (
    ("far", FAR, 1100, 0, True), ("far", FAR, 1101, 0, False),
    ("far", FAR, 999, 0, True), ("far", FAR, 1000, 0, True), ("far", FAR, 1001, 0, False),
    ("far", FAR, 60000, 0, True), ("far", FAR, 59999, 0, False),
    ("far", FAR, 3000, 0, True), ("far", FAR, 3002, 0, True),
    ("far", FAR, 2999, 0, False), ("far", FAR, 3003, 0, False),
    ("far", FAR, 4600, 4500, True), ("far", FAR, 4600, 4501, False), ("far", FAR, 8000, 0, False),
    ("near", NEAR, 2002, 4500, True), ("near", NEAR, 2003, 4500, False), ("near", NEAR, 2004, 4500, True),
    ("near", "255.255.255.255", 5000, 0, True), ("near", "10.77.255.255", 5000, 0, True),
    ("near", "255.255.255.255", 5001, 0, False), ("near", NEAR, 5000, 0, False),
    ("near", NEAR, 6000, 0, True), ("near", NEAR, 6001, 0, False), ("far", FAR, 6000, 0, False),
    ("near", NEAR, 6100, 0, True), ("far", FAR, 6100, 0, False), ("near", NEAR, 6200, 0, True),
    ("near6", NEAR6, 1100, 0, True), ("near6", NEAR6, 1101, 0, False), ("near6", NEAR6, 1000, 0, True),
    ("near6", NEAR6, 1001, 0, False), ("near6", NEAR6, 6100, 0, True), ("near6", NEAR6, 6000, 0, False),
)  # fmt: skip
IN = ((7000, True), (7001, False), (7100, True), (7101, True), (7099, False), (7102, False))


def document():
    """The file with all lists."""
    policies = {
        f"{way}-device-policy": {"access-lists": {"access-list": [{"name": f"{way}{family}"} for family in (4, 6)]}}
        for way in ("from", "to")
    }
    acls = [
        {
            "name": f"{way}{family}",
            "type": f"ipv{family}-acl-type",
            "aces": {
                "ace": [
                    {"name": f"{way}{family}-{number}", "matches": matches, "actions": {"forwarding": "accept"}}
                    for number, matches in enumerate(entries)
                ]
            },
        }
        for (way, family), entries in LISTS.items()
    ]
    about = {"mud-version": 1, "mud-url": URL, "last-update": "2026-01-01T00:00:00Z", "is-supported": True}
    return json.dumps({"ietf-mud:mud": about | policies, "ietf-access-control-list:acls": {"acl": acls}}).encode()


def listener(kind, port):
    made = socket.socket(*kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == UDP6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind(("", port))
    return made


def send(kind, address, port, source):
    with socket.socket(*kind) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.bind(("", source))
        # The gateway's own packets are refused where they are sent.
        with contextlib.suppress(PermissionError):
            client.sendto(f"{address} {port} from {source}".encode(), (address, port))


def heard(made, sentinel):
    """What came to each socket, once what was sent last has come; to its port something was sent before, too."""
    made[sentinel].settimeout(PATIENCE)
    came = {made[sentinel].recv(100).decode() for _ in range(2)}
    for ear in made.values():
        ear.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                came.add(ear.recv(100).decode())
    return came


def outwards(place, site):
    """Every datagram of the table from the thing; which came out."""
    kinds = {"far": UDP, "near": UDP, "near6": UDP6}
    listeners = {
        where: {
            port: inside(site.outside, partial(listener, kind, port)) if where == "far" else listener(kind, port)
            for port in sorted({port for at, _, port, _, _ in OUT if at == where})
        }
        for where, kind in kinds.items()
    }
    last = {"far": (FAR, 1100), "near": (NEAR, 6000), "near6": (NEAR6, 1100)}
    for where, address, port, source, _ in (*OUT, *[(where, *last[where], 0, True) for where in kinds]):
        inside(place.namespace, partial(send, kinds[where], address, port, source))
    came = {where: heard(listeners[where], last[where][1]) for where in kinds}
    sent = [(where, f"{at} {port} from {source}") for where, at, port, source, _ in OUT]
    return [[text, text in came[where]] for where, text in sent]


def inwards(place, kind, address):
    """Datagrams from the site to the thing."""
    listeners = {port: inside(place.namespace, partial(listener, kind, port)) for port, _ in IN}
    for port, _ in (*IN, IN[0]):
        send(kind, str(address), port, 0)
    came = {int(text.split()[1]) for text in heard(listeners, IN[0][0])}
    return [[f"{address} {port}", port in came] for port, _ in IN]


def pings(place, site):
    """Echo requests pass, other ICMP does not."""
    ear = inside(site.outside, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
    ear.settimeout(PATIENCE)

    def ask():
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as client:
            for head in (b"\x0d\x00\xf2\xff" + bytes(16), b"\x08\x00\xf7\xff" + bytes(4)):
                client.sendto(head, (FAR, 0))

    inside(place.namespace, ask)
    kinds = [ear.recv(100)[20]]
    ear.settimeout(0)
    try:
        while True:
            kinds.append(ear.recv(100)[20])
    except BlockingIOError:
        return kinds


async def main():
    site = Site.create()
    place, thing = site.attach(1), a_thing()
    kernel = Nftables(NftablesConfig((site.interface,), site.networks))
    world = World(pages={URL: document()}, kernel=kernel, cloud_acme_example=((FAR,), 60))
    world.manager._locate = lambda _: (ThingAddress(place.mac, place.ipv4), ThingAddress(place.mac, place.ipv6))
    await world.admit(thing)
    rules = world.library.shelved()[URL].rules
    seen = {
        "left out": [finding.place for finding in rules.findings if finding.narrows],
        "out": outwards(place, site),
        "in": inwards(place, UDP, place.ipv4),
        "in6": inwards(place, UDP6, place.ipv6),
        "icmp": pings(place, site),
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main())
