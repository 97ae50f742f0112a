"""One pass over packets: names, the segment, and conversations, in the order in which each needs the other."""

from __future__ import annotations

from thingstead.analysis.traffic.flow import Flow, FlowTable, Limits
from thingstead.analysis.traffic.name_book import NameBook
from thingstead.analysis.traffic.site import Site
from thingstead.protocols.packet.packet import Packet

__all__ = ["Listener"]


class Listener:
    """Hears every packet once.

    Args:
        site: what the owner knows of the segment beforehand.
        limits: of the conversations.

    Attributes:
        site: as it shows by now.
        names: that addresses stand for.
        flows: conversations that go on.
    """

    def __init__(self, site: Site, *, limits: Limits | None = None) -> None:
        self.site = site
        self.names = NameBook()
        self.flows = FlowTable(self.names, apart=site.gateways, limits=limits)

    def see(self, packet: Packet) -> tuple[Flow, ...]:
        """Take a packet; returns conversations that are over."""
        self.site.see(packet)
        self.names.see(packet)
        return self.of_devices(self.flows.see(packet))

    def end(self) -> tuple[Flow, ...]:
        """The capture ends; returns conversations that went on until then."""
        return self.of_devices(self.flows.end())

    def of_devices(self, flows: tuple[Flow, ...]) -> tuple[Flow, ...]:
        """Without what was a gateway's, as became clear since."""
        return tuple([flow for flow in flows if flow.device not in self.site.gateways])
