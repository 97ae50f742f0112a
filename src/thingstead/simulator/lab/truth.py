"""Which packets are bad: told by the script that sent them, not by what they look like."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from thingstead.errors import DecodeError
from thingstead.protocols.packet.packet import Packet, decode_frame
from thingstead.simulator.lab.script import Datagram, Raw, Step

__all__ = ["Count", "Truth", "flow"]

_TCP, _UDP = 6, 17


class Truth:
    """Knows the flows and frames of every step that belongs to a pattern."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._bad = {_key(step) for step in steps if step.pattern}
        self._ordinary = {_key(step) for step in steps if not step.pattern and not isinstance(step.act, Raw)}

    def is_bad(self, packet: Packet, frame: bytes) -> bool:
        """Whether a step of a pattern sent it; what was answered to it is nobody's fault."""
        return (flow(packet) or frame) in self._bad

    def is_ordinary(self, packet: Packet) -> bool:
        """Whether it is of a flow that a thing opens in ordinary life."""
        return flow(packet) in self._ordinary

    def is_answer(self, packet: Packet) -> bool:
        """Whether it goes back to who sent something bad."""
        there = flow(packet)
        return there is not None and (there[0], there[2], there[1]) in self._bad


@dataclass(slots=True)
class Count:
    """Bad packets of a run.

    Attributes:
        tried: that were sent.
        passed: that came out at the other side.
        first: when the first was sent: by the lab's clock, and by the kernel's.
        last: when the last came through, likewise.
        last_tried: when the last was sent.
        after: sent since the last that came through.
    """

    tried: int = 0
    passed: int = 0
    first: tuple[float, float] | None = None
    last: tuple[float, float] | None = None
    last_tried: tuple[float, float] | None = None
    after: int = 0

    def attempt(self, lab: float, real: float) -> None:
        """One was sent."""
        self.tried += 1
        self.after += 1
        self.last_tried = lab, real
        if self.first is None:
            self.first = self.last_tried

    def passage(self, lab: float, real: float) -> None:
        """One came through."""
        self.passed += 1
        self.after = 0
        self.last = lab, real


def flow(packet: Packet) -> tuple[int, tuple[bytes, int], tuple[bytes, int]] | None:
    """Protocol, source and destination with their ports; None for what has no ports."""
    if packet.protocol not in {_TCP, _UDP} or packet.source_port is None or packet.destination_port is None:
        return None
    return (
        packet.protocol,
        (packet.source, packet.source_port),
        (packet.destination, packet.destination_port),
    )


def _key(step: Step) -> Hashable:
    act = step.act
    if isinstance(act, Raw):
        try:
            return flow(decode_frame(act.frame, at=0.0)) or act.frame
        except DecodeError:
            return act.frame
    protocol = _UDP if isinstance(act, Datagram) else _TCP
    return protocol, (act.source[0].packed, act.source[1]), (act.to[0].packed, act.to[1])
