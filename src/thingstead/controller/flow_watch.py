"""Follows the conversations of things among the packets that pass, and has those kept that are over."""

from __future__ import annotations

from collections.abc import Container, Iterable

from thingstead.analysis.traffic.flow import Flow, FlowTable
from thingstead.analysis.traffic.name_book import NameBook
from thingstead.clock import Clock
from thingstead.controller.flow_history import FlowHistory
from thingstead.controller.neighbourhood import Neighbourhood
from thingstead.identifier import ThingId
from thingstead.protocols.packet.packet import Packet

__all__ = ["FlowWatch", "keeps_the_link"]


class FlowWatch:
    """Is shown every packet, and looks once a second for conversations that fell silent.

    Args:
        neighbourhood: which device is a thing of ours; others are not kept.
        history: keeps them.
        clock: for UTC.
        apart: link-layer addresses of routers and servers.
    """

    def __init__(
        self, neighbourhood: Neighbourhood, history: FlowHistory, *, clock: Clock, apart: Container[bytes]
    ) -> None:
        self._neighbourhood = neighbourhood
        self._history = history
        self._clock = clock
        self._names = NameBook()
        self._table = FlowTable(self._names, apart=apart)

    def see(self, packet: Packet) -> None:
        """Take a packet into account."""
        self._names.see(packet)
        self._keep(self._table.see(packet))

    def open(self, thing: ThingId) -> tuple[Flow, ...]:
        """Conversations of a thing that go on, as they stand."""
        going = [flow for device in self._neighbourhood.devices(thing) for flow in self._table.of(device)]
        return tuple([flow for flow in going if not keeps_the_link(flow)])

    def names_of(self, address: bytes, at: float) -> tuple[str, ...]:
        """What an address stood for at an instant, as answers said that passed."""
        return self._names.names_of(address, at)

    async def look(self) -> None:
        """Take up conversations that fell silent."""
        self._keep(self._table.tick(self._clock.utc().timestamp()))

    def _keep(self, flows: Iterable[Flow]) -> None:
        for flow in flows:
            thing = self._neighbourhood.thing_at(flow.device)
            if thing is not None and not keeps_the_link(flow):
                self._history.see(thing, flow)


def keeps_the_link(flow: Flow) -> bool:
    """What the segment lives by and no rule speaks of: ARP and its like, neighbours, routers and listeners of IPv6.

    Errors are about a conversation, and begin none.
    """
    if flow.protocol is None:
        return True
    return flow.icmp is not None and flow.icmp[0] in _LINK.get(flow.protocol, ())


_LINK = {1: frozenset({3, 4, 5, 11, 12}), 58: frozenset({*range(1, 5), *range(130, 138), 143})}
"""Types of RFC 792, RFC 4443 §3, RFC 2710 §3, RFC 4861 §4 and RFC 3810 §5.2."""
