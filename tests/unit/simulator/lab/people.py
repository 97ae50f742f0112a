"""A cast for tests that send nothing: the addresses that a site would give."""

from ipaddress import IPv4Address, IPv6Address

from thingstead.simulator.lab.cast import Cast, Character

KINDS = ("camera", "hub", "lamp", "plug", "router", "sensor")


def cast(*kinds):
    things = []
    for number, kind in enumerate(kinds or KINDS, 1):
        mac = b"\x02\x77" + number.to_bytes(4)
        ipv4, ipv6 = IPv4Address("10.77.1.0") + number, IPv6Address("fd77::100") + number
        things.append(Character(f"{kind}-1", kind, mac, ipv4, ipv6))
    gateway = Character(
        "gateway", "gateway", bytes.fromhex("027700000000"), IPv4Address("10.77.0.1"), IPv6Address("fd77::1")
    )
    return Cast(tuple(things), gateway)
