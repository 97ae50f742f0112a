"""A bridge with two lamps in namespaces of our own, and what a tap on it sees; one line of JSON."""

import asyncio
import json
import socket
import subprocess

from thingstead.enforcement.link import ports_of
from thingstead.enforcement.namespace import Site, inside
from thingstead.protocols.packet.packet import decode_frame
from thingstead.transport.packet_tap import PacketTap

DROPS = "table bridge t { chain c { type filter hook prerouting priority -300; policy drop; }; }"


def says(lamp, text, to):
    """One datagram of a lamp."""

    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(text, (str(to), 4000))

    inside(lamp.namespace, send)


def seen(tap, most=100):
    packets = [decode_frame(frame, at=0.0, length=length) for frame, length, _port in tap.take(most)]
    return [(one.source_mac.hex(), one.payload.decode(), one.length) for one in packets if one.destination_port == 4000]


async def listening(tap, lamp, site):
    """How often somebody is called: while listening, while paused, and again."""
    calls = []
    tap.listen(lambda: calls.append(len(tap.take(100))))
    counts = []
    for step in (lambda: None, tap.pause, tap.resume):
        step()
        before = len(calls)
        says(lamp, b"call", site.controller_ipv4)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        counts.append(len(calls) > before)
    tap.pause()
    return counts


def main():
    site = Site.create()
    lamp, other = site.attach(1), site.attach(2)
    tap = PacketTap([site.interface], ports_of=ports_of)
    told: dict[str, object] = {"macs": [one.hex() for one in tap.macs], "lamp": lamp.mac.hex()}
    told["addresses"] = sorted(one.hex() for one in tap.addresses if len(one) == 4 or one[0] == 0xFD)
    says(lamp, b"to us", site.controller_ipv4)
    says(lamp, b"out", site.internet)
    says(lamp, b"across", other.ipv4)
    says(lamp, b"x" * 1400, site.controller_ipv4)
    told["seen"] = seen(tap)
    told["ports"] = [ports_of(site.interface), ports_of("lo"), ports_of("nowhere0")]
    says(lamp, b"port", site.controller_ipv4)
    says(other, b"port", site.controller_ipv4)
    told["by port"] = [port for frame, _, port in tap.take(100) if port and frame.endswith(b"port")]
    late = site.attach(3)
    tap.refresh()
    says(late, b"late", site.controller_ipv4)
    subprocess.run(["ip", "link", "delete", "t2"], check=True)
    tap.refresh()
    says(lamp, b"still", site.controller_ipv4)
    told["after"] = seen(tap)
    told["late"] = late.mac.hex()
    subprocess.run(["nft", "-f", "-"], input=DROPS, text=True, check=True)
    says(lamp, b"dropped", site.controller_ipv4)
    told["dropped"] = [text for _, text, _ in seen(tap)]
    told["calls"] = asyncio.run(listening(tap, lamp, site))
    told["lost"] = tap.lost()
    tap.close()
    told["closed"] = tap.take(1)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
