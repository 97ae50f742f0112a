"""When each thing was heard last; the time in which nobody listened is held against none."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.analysis import kept
from thingstead.analysis.detectors.scene import Scene
from thingstead.analysis.detectors.window import MAX_DEVICES, PerKey
from thingstead.protocols.packet.packet import Packet

__all__ = ["LastHeard"]


class LastHeard:
    """By link-layer address, in seconds since 1970."""

    def __init__(self) -> None:
        self._heard: PerKey[bytes, float] = PerKey(float, MAX_DEVICES)
        self._began = 0.0

    def hear(self, packet: Packet, scene: Scene) -> None:
        """Take a packet of a thing into account.

        Not one without a source address: who still asks for one, or whether it is free, is not back yet.
        """
        if packet.source_mac in scene.things and not (packet.family and not any(packet.source)):
            self._heard[packet.source_mac] = packet.at

    def items(self) -> Iterator[tuple[bytes, float]]:
        """All of them; they may be dropped meanwhile."""
        return self._heard.items()

    def drop(self, device: bytes) -> None:
        """Wait no more for one until it is heard again."""
        self._heard.drop(device)

    def silence(self, heard: float, now: float) -> float:
        """Seconds in which it could have been heard, and was not."""
        return now - max(heard, self._began)

    def kept(self, scene: Scene, most: int) -> list[list[object]]:
        """What a restart shall not forget."""
        return [[device, int(heard)] for device, heard in kept.of(scene.things, self.items(), most)]

    def take_up(self, rows: object, now: float) -> None:
        """Wait for those that were heard before; errors as for `kept.rows`."""
        self._began = now
        for device, heard in kept.rows(rows, bytes, int):
            self._heard[device] = min(float(heard), now)
