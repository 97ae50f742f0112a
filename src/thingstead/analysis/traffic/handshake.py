"""Client hellos of a device held against what its maker says of them (RFC 9761 §6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from thingstead.analysis.traffic.flow import Flow
from thingstead.analysis.traffic.verdict import Allowed, Judge
from thingstead.errors import ProtocolError
from thingstead.protocols.mud.tls_profile import TlsProfile
from thingstead.protocols.packet.packet import Packet
from thingstead.protocols.tls.client_hello import ClientHello, decode

__all__ = ["Deviation", "Handshakes"]

_MOST = 4096
_HANDSHAKE = 22
_Ends = tuple[bytes, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Deviation:
    """A handshake that fits no profile of the rule that allows its flow.

    Attributes:
        flow: the conversation.
        profile: the one that it fits best.
        offers: what it offers beyond that.
    """

    flow: Flow
    profile: str
    offers: tuple[str, ...]


class Handshakes:
    """Keeps the first client hello of each conversation that a device opens, so many at most."""

    def __init__(self) -> None:
        self._hellos: dict[tuple[bytes, _Ends], ClientHello] = {}

    def see(self, packet: Packet) -> None:
        """Take a packet; what is no whole client hello is passed over."""
        if not packet.payload or packet.payload[0] != _HANDSHAKE or len(self._hellos) >= _MOST:
            return
        try:
            hello = decode(packet.payload)
        except ProtocolError:
            return
        ends = (packet.destination, packet.destination_port, packet.source_port)
        self._hellos.setdefault((packet.source_mac, ends), hello)

    def hold(self, flows: Iterable[Flow], judge: Judge) -> tuple[int, tuple[Deviation, ...]]:
        """How many handshakes have a profile to fit, and those that fit none of theirs."""
        held, deviations = 0, []
        for flow in flows:
            hello = self._hellos.get((flow.device, (flow.remote, flow.remote_port, flow.device_port)))
            judged = judge.judge(flow) if hello is not None else None
            if hello is None or not isinstance(judged, Allowed):
                continue
            profiles = [one for one in judged.rule.expectations if isinstance(one, TlsProfile)]
            offers = [(one.deviations(hello), one.label) for one in profiles]
            held += bool(offers)
            if offers and all(beyond for beyond, _ in offers):
                beyond, label = min(offers, key=lambda one: len(one[0]))
                deviations.append(Deviation(flow, label, beyond))
        return held, tuple(deviations)
