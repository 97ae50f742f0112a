"""What a change of one thing costs in the kernel, and each forwarded packet, with up to 10,000 things under rules.

Runs in a child, which moves into network namespaces of its own. No figure where the kernel gives none.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from statistics import median

from bench.figure import Figure
from thingstead.domain.network import FlowRule, NetworkChange, ThingAddress
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nft import load_text
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.identifier import thing_id_from_random

_SIZES = (100, 1_000, 10_000)
_SAMPLES = 100
_ROUNDS, _PACKETS = 40, 500
_DISCARD = 9
_PLAIN = """\
table inet plain {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        udp dport 9 accept
    }
}
"""


def figures() -> Iterator[Figure]:
    """Load, one change, one quarantine, one question and one packet, per number of things."""
    for things in _SIZES:
        done = subprocess.run(
            [sys.executable, "-m", "bench.network", str(things)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        for name, unit, value in json.loads(done.stdout) if done.returncode == 0 else ():
            yield Figure(f"{name}, {things:,} things", unit, value)


async def _measure(things: int) -> list[tuple[str, str, float]]:
    site = Site.create()
    place = site.attach(1)
    receiver = inside(site.outside, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    receiver.bind(("0.0.0.0", _DISCARD))
    sender = inside(place.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sender.connect((str(site.internet), _DISCARD))
    bare = _forward(sender)
    load_text(_PLAIN)
    plain = _forward(sender)
    load_text("delete table inet plain\n")
    kernel = Nftables(NftablesConfig((site.interface,), site.networks))
    way = FlowRule(True, ip_network(str(site.internet)), 17, (_DISCARD, _DISCARD))
    await kernel.apply(
        NetworkChange(thing_id_from_random(b"a sender.."), (ThingAddress(place.mac, place.ipv4),), frozenset({way}))
    )
    alone = _forward(sender)
    started = time.perf_counter()
    for index in range(things):
        await kernel.apply(_change(index, rules=8))
    loaded = time.perf_counter() - started
    changed, barred, asked = [], [], []
    for index in range(_SAMPLES):
        changed.append((await kernel.apply(_change(index, rules=9))).seconds or 0.0)
        started = time.perf_counter()
        await kernel.standing(_change(index, rules=0).thing)
        asked.append(time.perf_counter() - started)
        change = dataclasses.replace(_change(index, rules=9), barred=True)
        barred.append((await kernel.apply(change)).seconds or 0.0)
    everybody = _forward(sender)
    receiver.close()
    return [
        ("rules of all things, 8 each, one by one", "s", loaded),
        ("one rule more", "us", median(changed) * 1e6),
        ("quarantine, flows ended", "us", median(barred) * 1e6),
        ("the kernel asked", "us", median(asked) * 1e6),
        ("a packet sent and forwarded, no rules", "us", bare * 1e6),
        ("a packet sent and forwarded, a plain stateful filter", "us", plain * 1e6),
        ("a packet sent and forwarded, rules of one thing", "us", alone * 1e6),
        ("a packet sent and forwarded, rules of all", "us", everybody * 1e6),
    ]


def _forward(sender: socket.socket) -> float:
    """Seconds per datagram of an open flow: over veth the sender's own processor takes it through the bridge and on.

    Of many rounds the quickest counts: others on the machine only ever add.
    """
    rounds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for _ in range(_PACKETS):
            sender.send(bytes(64))
        rounds.append((time.perf_counter() - started) / _PACKETS)
    return min(rounds)


def _change(index: int, *, rules: int) -> NetworkChange:
    address = ThingAddress(index.to_bytes(6, "big"), ip_address(int(ip_address("10.128.0.0")) + index))
    flows = [FlowRule(True, ip_network(f"203.0.113.{number}/32"), 6, (443, 443)) for number in range(rules)]
    return NetworkChange(thing_id_from_random(index.to_bytes(10, "big")), (address,), frozenset(flows))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(int(sys.argv[1])))))
