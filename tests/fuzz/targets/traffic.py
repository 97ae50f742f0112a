"""Packets of strangers, as whoever listens makes devices, sentences and MUD files of them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from tests.fuzz.target import Target, attempt, ensure
from tests.unit.analysis.traffic.packets import CLOUD, LAMP, ROUTER, SYN, client_hello, frame, look_up, packet, tcp
from tests.unit.protocols.dhcp.messages import option4, v4
from thingstead.analysis.traffic.inventory import Inventory, Limits
from thingstead.analysis.traffic.listener import Listener
from thingstead.analysis.traffic.proposal import propose
from thingstead.analysis.traffic.site import Site
from thingstead.analysis.traffic.software import components
from thingstead.analysis.traffic.story import sentence
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.packet.packet import decode_frame

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_SIZE = 64
_LIMITS = Limits(max_devices=4, max_clues=8, max_contacts=4, max_services=4)


def _inventory(data: bytes) -> None:
    """Whatever passes, devices are bounded, what is shown is printable, and what is proposed can be read."""
    site = Site()
    inventory = Inventory(Listener(site), limits=_LIMITS)
    for start in range(0, len(data), _SIZE):
        one = attempt(partial(decode_frame, data[start:], at=float(start)))
        if one is not None:
            inventory.see(one)
    devices = inventory.devices()
    ensure(len(devices) <= _LIMITS.max_devices, "more devices than are followed")
    for device in devices:
        ensure(len(device.clues) <= _LIMITS.max_clues, "more clues than are kept")
        ensure(len(device.services) <= 2 * _LIMITS.max_services, "more services than are kept")
        ensure(0 <= device.guess.confidence <= 1, "surer than sure")
        ensure(all(one.text.isascii() and one.text.isprintable() for one in device.clues), "what moves a cursor")
        components(device.clues)
        for contact in device.contacts:
            sentence(contact)
        parse(propose(device, model="x", is_local=site.is_local, at=_AT).document)


_PACKETS = (
    *look_up("cloud.example", CLOUD),
    tcp(LAMP, CLOUD, (40000, 443), SYN),
    packet(LAMP, CLOUD, 40000, 443, protocol=6, payload=client_hello()),
    packet(ROUTER, LAMP, 1900, 1900, payload=b"NOTIFY * HTTP/1.1\r\nServer: Linux/2.6 UPnP/1.0\r\n"),
    packet(LAMP, b"\xff" * 4, 68, 67, payload=v4(option4(12, b"lamp"))),
)

TARGETS = (Target("traffic-inventory", _inventory, (*map(frame, _PACKETS), b"".join(map(frame, _PACKETS)))),)
