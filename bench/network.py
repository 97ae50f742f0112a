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
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from statistics import median

from bench.figure import Figure
from thingstead.domain.network import FlowRule, NetworkChange, RateLimit, ThingAddress
from thingstead.enforcement.namespace import Attachment, Site, inside
from thingstead.enforcement.nft import load_text
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.identifier import thing_id_from_random

_SIZES = (100, 1_000, 10_000)
_SAMPLES = 100
_ROUNDS, _PACKETS = 40, 500
_DISCARD = 9
_DATAGRAM = bytes(64)
_RATE = RateLimit(flows_per_second=100, burst=100, packets_per_second=10_000_000)
_EVERYTHING = frozenset({FlowRule(outbound, ip_network("0.0.0.0/0")) for outbound in (True, False)})
_AT_ONCE = 250
_PLAIN = """\
table inet plain {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        udp dport 9 accept
    }
}
"""
_HOOKED = """\
table bridge plain {
    chain prerouting {
        type filter hook prerouting priority dstnat; policy accept;
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
        for name, unit, value, peer, peer_name in json.loads(done.stdout) if done.returncode == 0 else ():
            yield Figure(f"{name}, {things:,} things", unit, value, peer, peer_name)


async def _measure(things: int) -> list[tuple[str, str, float, float | None, str]]:
    site = Site.create()
    place = site.attach(1)
    wire = Wire(site, place)
    bare = wire.forward()
    load_text(_PLAIN)
    plain = wire.forward()
    load_text(_HOOKED)
    hooked = wire.forward()
    load_text("delete table inet plain\ndelete table bridge plain\n")
    kernel = Nftables(NftablesConfig((site.interface,), site.networks))
    way = FlowRule(True, ip_network(str(site.internet)), 17, (_DISCARD, _DISCARD))
    sender = NetworkChange(
        thing_id_from_random(b"a sender.."), (ThingAddress(place.mac, place.ipv4),), frozenset({way}), rate=_RATE
    )
    await kernel.apply(sender)
    alone = wire.forward()
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
    everybody = wire.forward()
    refused = [dataclasses.replace(_change(index, rules=8), denied=_EVERYTHING) for index in range(things)]
    started = time.perf_counter()
    for at in range(0, things, _AT_ONCE):
        await kernel.apply_all(refused[at : at + _AT_ONCE])
    blocked = time.perf_counter() - started
    return [
        ("rules of all things, 8 each, one by one", "s", loaded, None, ""),
        ("everything refused to all things", "s", blocked, None, ""),
        ("one rule more", "us", median(changed) * 1e6, None, ""),
        ("quarantine, flows ended", "us", median(barred) * 1e6, None, ""),
        ("the kernel asked", "us", median(asked) * 1e6, None, ""),
        *[
            (f"packet {way}, beside {peer_name}", "ns", everybody[way] * 1e9, peer[way] * 1e9, peer_name)
            for way in bare
            for peer, peer_name in (
                (alone, "rules of one thing"),
                (plain, "a plain stateful filter"),
                (hooked, "that filter, and a hook on the bridge"),
                (bare, "no filter"),
            )
        ],
    ]


class Wire:
    """Sends over veth, where the sender's own processor takes a datagram through the bridge, the rules and on."""

    def __init__(self, site: Site, place: Attachment) -> None:
        self._far = inside(site.outside, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._far.bind(("0.0.0.0", _DISCARD))
        self._answered, self._alone = (
            inside(place.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)
        )
        for one in (self._answered, self._alone):
            one.connect((str(site.internet), _DISCARD))

    def forward(self) -> dict[str, float]:
        """Seconds per datagram of an open flow, each way, and of one that is never answered.

        Of many rounds the quickest counts: others on the machine only ever add.
        """
        self._answered.send(b"open")
        self._far.setblocking(False)
        try:
            while True:
                heard, sender = self._far.recvfrom(100)
                if heard == b"open":
                    self._far.sendto(b"opened", sender)
        except BlockingIOError:
            self._far.setblocking(True)
        port = self._answered.getsockname()
        return {
            "out": _quickest(lambda: self._answered.send(_DATAGRAM)),
            "out, unanswered": _quickest(lambda: self._alone.send(_DATAGRAM)),
            "in": _quickest(lambda: self._far.sendto(_DATAGRAM, port)),
        }


def _quickest(send: Callable[[], object]) -> float:
    rounds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for _ in range(_PACKETS):
            send()
        rounds.append((time.perf_counter() - started) / _PACKETS)
    return min(rounds)


def _change(index: int, *, rules: int) -> NetworkChange:
    address = ThingAddress(index.to_bytes(6, "big"), ip_address(int(ip_address("10.128.0.0")) + index))
    flows = [FlowRule(True, ip_network(f"203.0.113.{number}/32"), 6, (443, 443)) for number in range(rules)]
    return NetworkChange(thing_id_from_random(index.to_bytes(10, "big")), (address,), frozenset(flows), rate=_RATE)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(int(sys.argv[1])))))
