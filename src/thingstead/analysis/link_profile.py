"""Links and device classes that a release is sized for: one table each, with where its numbers come from.

The numbers are of the standard or the data sheet, without retransmissions, waiting for the medium or other traffic:
what a transfer takes at best. Energy per bit is the chip's and stands in no table here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["DEVICE_CLASSES", "LINKS", "DeviceClass", "LinkProfile"]


@dataclass(frozen=True, slots=True)
class LinkProfile:
    """One kind of link.

    Attributes:
        name: for people and for ``--link``.
        frame: octets that one frame carries of a datagram, or of a fragment with its header.
        header: octets of IPv6 and UDP in each datagram, compressed where the link does that.
        fragment_header: octets before each fragment where a datagram does not fit one frame.
        air: seconds on the air for a frame of so many octets, what acknowledges it included.
        duty: largest share of the time that a sender may be on the air.
        gap: seconds from the start of one frame to the next where the link paces them; 0 where it does not.
        daily: frames towards the thing in a day; 0 for any number.
        source: of these numbers.
    """

    name: str
    frame: int
    header: int
    fragment_header: int
    air: Callable[[int], float]
    duty: float
    gap: float
    daily: int
    source: str


@dataclass(frozen=True, slots=True)
class DeviceClass:
    """One row of RFC 7228 §3, Table 1: orders of magnitude, and taken here as bounds.

    Attributes:
        name: C0, C1 or C2.
        ram: octets that can be counted on; 0 where the class says only that it has much less than the next.
        flash: likewise.
    """

    name: str
    ram: int
    flash: int


def _at(bits_per_second: int, *, overhead: int, per_frame: float = 0.0) -> Callable[[int], float]:
    """Time of a frame whose radio adds so many octets, and so many seconds."""

    def air(octets: int) -> float:
        return (octets + overhead) * 8 / bits_per_second + per_frame

    return air


def _lora(spreading_factor: int, *, overhead: int) -> Callable[[int], float]:
    """LoRa at 125 kHz, coding rate 4/5, 8 symbols of preamble, with header and CRC (Semtech AN1200.13 §4)."""
    symbol = (1 << spreading_factor) / 125_000
    low_rate = spreading_factor >= 11

    def air(octets: int) -> float:
        bits = 8 * (octets + overhead) - 4 * spreading_factor + 28 + 16
        symbols = 8 + max(math.ceil(bits / (4 * (spreading_factor - 2 * low_rate))) * 5, 0)
        return (12.25 + symbols) * symbol

    return air


_6LOWPAN = 18
"""IPHC with context (3), one interface identifier in full (8), UDP with ports and checksum (7): RFC 6282 §3, §4.3."""

_SCHC = 2
"""Rule identifier and residue of a compressed IPv6 and UDP header (RFC 8724 §10, RFC 9011 §5)."""

_LORAWAN = "RFC 9011; LoRaWAN RP002 EU868; Semtech AN1200.13; 1 % duty cycle of ETSI EN 300 220"

LINKS: Mapping[str, LinkProfile] = MappingProxyType(
    {
        row.name: row
        for row in (
            # 127 less 25 of addressing and 21 of security; 6 of synchronisation before, an acknowledgement of 11 after.
            LinkProfile(
                "802.15.4", 81, _6LOWPAN, 5, _at(250_000, overhead=52, per_frame=0.000544), 1.0, 0.0, 0,
                "RFC 4944 §2, §5.3; IEEE 802.15.4 O-QPSK at 2.4 GHz",
            ),
            # L2CAP header 4; link layer 14 with MIC; two gaps of 150 us and an empty acknowledgement of 80 us.
            LinkProfile(
                "BLE", 247, _6LOWPAN, 0, _at(1_000_000, overhead=18, per_frame=0.00038), 1.0, 0.0, 0,
                "RFC 7668 §3.1; Bluetooth Core 5 with data length extension, 1 Mbit/s",
            ),
            LinkProfile(
                "DECT ULE", 38, _6LOWPAN, 0, _at(1_152_000, overhead=22), 1.0, 0.01, 0,
                "RFC 8105 §2.3; one full slot in each frame of 10 ms",
            ),
            LinkProfile(
                "NFC", 128, _6LOWPAN, 5, _at(106_000, overhead=9), 1.0, 0.0, 0, "RFC 9428 §3.4; LLCP MIU of 128",
            ),
            # Preamble and header of 14 symbols of 40 us before frame and acknowledgement.
            LinkProfile(
                "802.11ah", 1500, 48, 0, _at(150_000, overhead=52, per_frame=0.00128), 1.0, 0.0, 0,
                "IEEE 802.11ah MCS 10 at 1 MHz",
            ),
            LinkProfile("LoRaWAN DR0", 51, _SCHC, 1, _lora(12, overhead=13), 0.01, 0.0, 0, _LORAWAN),
            LinkProfile("LoRaWAN DR5", 242, _SCHC, 1, _lora(7, overhead=13), 0.01, 0.0, 0, _LORAWAN),
            LinkProfile(
                "Sigfox", 8, 0, 1, _at(600, overhead=21), 0.1, 0.0, 4, "RFC 8376 §2.3; RFC 9442: 4 downlinks a day",
            ),
            LinkProfile(
                "NB-IoT", 1358, 48, 0, _at(27_200, overhead=5), 1.0, 0.0, 0, "RFC 8376 §2.2; 3GPP Release 13",
            ),
        )
    }
)  # fmt: skip
"""By name. DALI is not here: 2 octets a frame carry no IP, so that its gateway is the thing (RFC 8576 §4.1)."""

DEVICE_CLASSES = (
    DeviceClass("C0", 0, 0),
    DeviceClass("C1", 10 << 10, 100 << 10),
    DeviceClass("C2", 50 << 10, 250 << 10),
)
"""RFC 7228 §3, Table 1, smallest first."""
