"""Run as a program: a device that says by DHCP and LLDP where its MUD file is, and who only listens, on real links.

Prints what was heard as one JSON object.
"""

import asyncio
import json
import socket

from tests.unit.controller.mud_home import OTHER, THING, Home
from tests.unit.protocols.dhcp.messages import DUID_LL, option4, option6, v4, v6
from tests.unit.protocols.lldp.test_frame import END, HEAD, IANA, tlv
from thingstead.enforcement.link import ports_of
from thingstead.enforcement.namespace import Site, inside
from thingstead.protocols.packet.packet import decode_frame
from thingstead.transport.packet_tap import PacketTap

LLDP_GROUP, LLDP = bytes.fromhex("0180c200000e"), 0x88CC


def says_by_dhcpv4(mac, url):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        client.bind(("", 68))
        client.sendto(v4(option4(53, b"\1"), option4(161, url), mac=mac), ("255.255.255.255", 67))


def says_by_dhcpv6(url):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
        client.sendto(v6(option6(1, DUID_LL), option6(112, url)), ("ff02::1:2", 547))


def says_by_lldp(mac, url):
    frame = LLDP_GROUP + mac + LLDP.to_bytes(2) + HEAD + tlv(127, IANA + b"\1" + url) + END
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind(("eth0", 0))
        link.send(frame)


def hears(intake, tap):
    """Show frames that wait to who listens; what is to be decided on now."""
    for frame, length, _port in tap.take(64):
        intake.see(decode_frame(frame, at=0.0, length=length))
    asyncio.run(intake.look())
    return [[one["source"], one["url"]] for one in intake.told_of(THING.id)["waiting"]]


def main():
    site = Site.create()
    one, two = site.attach(1), site.attach(2)
    home = Home(mac=one.mac)
    url = OTHER.encode()
    tap = PacketTap([site.interface], ports_of=ports_of)
    inside(one.namespace, lambda: says_by_dhcpv4(one.mac, url))
    inside(one.namespace, lambda: says_by_dhcpv6(url))
    inside(one.namespace, lambda: says_by_lldp(one.mac, url))
    inside(two.namespace, lambda: says_by_dhcpv4(one.mac, b"https://evil.example/"))
    inside(two.namespace, lambda: says_by_dhcpv4(two.mac, url))
    seen = {
        "heard": hears(home.intake, tap),
        "strangers": [row["mac"] for row in home.intake.strangers()],
        "who spoke for another": home.intake.refused > 0,
        "what counts": home.thing().mud_url,
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
