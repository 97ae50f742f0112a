"""What a message costs on a link: frames and time on the air, by the profiles that the requirements name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["LINKS", "Link"]

_LORAWAN_OVERHEAD = 13  # MHDR, DevAddr, FCtrl, FCnt, FPort and MIC (LoRaWAN 1.0.4 §4)
_IEEE_802_15_4_FRAME = 127
_SYNCHRONISATION = 6  # preamble, delimiter and length of IEEE 802.15.4 at 2.4 GHz


@dataclass(frozen=True, slots=True)
class Link:
    """One profile.

    Attributes:
        name: as people say it.
        usable: bytes of a datagram that fit into one frame.
        airtime: milliseconds that a frame with so many of them takes.
    """

    name: str
    usable: int
    airtime: Callable[[int], float]

    def frames(self, size: int) -> int:
        """Frames that a datagram of `size` bytes needs."""
        return max(1, math.ceil(size / self.usable))

    def milliseconds(self, size: int) -> float:
        """Time on the air of all its frames; no acknowledgement, no waiting."""
        last = size - (self.frames(size) - 1) * self.usable
        return round((self.frames(size) - 1) * self.airtime(self.usable) + self.airtime(last), 1)


def _lora(spreading: int) -> Callable[[int], float]:
    """Airtime at 125 kHz, coding rate 4/5, explicit header, 8 symbols of preamble (Semtech AN1200.13)."""
    symbol = (1 << spreading) / 125.0
    slow = 2 if spreading >= 11 else 0

    def airtime(payload: int) -> float:
        bits = 8 * (payload + _LORAWAN_OVERHEAD) - 4 * spreading + 28 + 16
        return (8 + 4.25 + 8 + max(math.ceil(bits / (4 * (spreading - slow))) * 5, 0)) * symbol

    return airtime


def _serial(kilobits: float, overhead: int) -> Callable[[int], float]:
    return lambda payload: (payload + overhead) * 8 / kilobits


LINKS = (
    Link("802.15.4", 80, _serial(250.0, _IEEE_802_15_4_FRAME - 80 + _SYNCHRONISATION)),
    Link("LoRaWAN SF7", 222, _lora(7)),
    Link("LoRaWAN SF12", 51, _lora(12)),
    Link("NB-IoT", 1358, _serial(20.0, 40)),
)
