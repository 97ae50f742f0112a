"""Who is on a segment that nobody keeps a list of: what each device said of itself, whom it talks to, what it serves.

Nothing is sent. What is found is what passed by: a device that was silent is missing, and a service that nobody asked
for is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from thingstead.analysis.traffic.clue import Clue, Source, clues
from thingstead.analysis.traffic.flow import Flow
from thingstead.analysis.traffic.kind import Guess, guess
from thingstead.analysis.traffic.listener import Listener
from thingstead.protocols.packet.packet import Packet, TcpFlag

__all__ = ["Contact", "Device", "Inventory", "Limits"]

_TCP, _UDP = 6, 17
_OPENS = TcpFlag.SYN | TcpFlag.ACK
_GATEWAY = Guess("gateway", 1.0, ("it leads to the world and brings the answers",))


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what strangers may make us remember.

    Attributes:
        max_devices: that sent something.
        max_clues: of one device.
        max_contacts: of one device; what is beyond counts as contacts of one port-less kind.
        max_services: of one device.
    """

    max_devices: int = 4096
    max_clues: int = 128
    max_contacts: int = 256
    max_services: int = 64


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a device talks to, and for what: all conversations of one kind.

    Attributes:
        outbound: the device begins.
        remote: packed address, of the last conversation where a name has several; empty for those beyond the bound.
        name: of the other side; empty where no look-up was seen.
        protocol: of IP.
        port: that is asked, on whichever side.
        flows: conversations.
        packets_out: from the device.
        octets_out: likewise, on the wire.
        packets_in: to it.
        octets_in: likewise.
        first: seconds since 1970.
        last: likewise.
    """

    outbound: bool
    remote: bytes
    name: str
    protocol: int
    port: int | None
    flows: int
    packets_out: int
    octets_out: int
    packets_in: int
    octets_in: int
    first: float
    last: float

    @property
    def is_answered(self) -> bool:
        """Both sides spoke."""
        return bool(self.packets_out and self.packets_in)


@dataclass(frozen=True, slots=True)
class Device:
    """One link-layer address and all that was seen of it.

    Attributes:
        mac: six octets; its IP address in a capture without a link layer.
        addresses: local ones, as text.
        guess: what kind it seems to be.
        clues: what it said of itself.
        services: protocol and port at which it answered.
        contacts: by octets, the most first.
        first: when it was first heard, in seconds since 1970.
        last: likewise.
        packets: that it sent.
    """

    mac: bytes
    addresses: tuple[str, ...]
    guess: Guess
    clues: tuple[Clue, ...]
    services: tuple[tuple[int, int], ...]
    contacts: tuple[Contact, ...]
    first: float
    last: float
    packets: int


_Key = tuple[bool, str | bytes, int, int | None]


@dataclass(slots=True)
class _Seen:
    first: float
    last: float
    packets: int = 0
    clues: dict[Clue, None] = field(default_factory=dict)
    services: set[tuple[int, int]] = field(default_factory=set)
    contacts: dict[_Key, Contact] = field(default_factory=dict)


def _nobody(_mac: bytes) -> str:
    return ""


class Inventory:
    """Hears every packet of a segment.

    Args:
        listener: follows the conversations; the packets go through here to it.
        limits: bounds.
        maker_of: who made an interface, by its address; empty text for nobody known.

    Attributes:
        overlooked: packets of senders beyond the bound.
    """

    def __init__(
        self, listener: Listener, *, limits: Limits | None = None, maker_of: Callable[[bytes], str] = _nobody
    ) -> None:
        self._listener = listener
        self._maker_of = maker_of
        self._limits = limits or Limits()
        self._seen: dict[bytes, _Seen] = {}
        self.overlooked = 0

    def see(self, packet: Packet) -> None:
        """Take a packet."""
        for flow in self._listener.see(packet):
            self._note(flow)
        sender = packet.source_mac or packet.source
        if not sender:
            return
        seen = self._seen.get(sender)
        if seen is None:
            if len(self._seen) >= self._limits.max_devices:
                self.overlooked += 1
                return
            seen = self._seen[sender] = _Seen(packet.at, packet.at)
        seen.last = max(seen.last, packet.at)
        seen.packets += 1
        if not self._is_its_own(sender, packet):
            return
        if packet.flags & _OPENS == _OPENS and packet.source_port is not None:
            self._serve(seen, _TCP, packet.source_port)
        for clue in clues(packet):
            if len(seen.clues) < self._limits.max_clues:
                seen.clues.setdefault(clue)

    def devices(self) -> tuple[Device, ...]:
        """Everybody who sent something, gateways last."""
        going = self._listener.of_devices(self._listener.flows.open())
        by_device: dict[bytes, list[Flow]] = {}
        for flow in going:
            by_device.setdefault(flow.device, []).append(flow)
        found = [self._device(mac, seen, by_device.get(mac, ())) for mac, seen in self._seen.items()]
        return tuple(sorted(found, key=lambda one: (one.mac in self._listener.site.gateways, one.mac)))

    def _is_its_own(self, sender: bytes, packet: Packet) -> bool:
        """Whether the sender of the frame says it, and not somebody far away through it."""
        site = self._listener.site
        return sender not in site.gateways or not packet.source or site.is_local(packet.source)

    def _note(self, flow: Flow) -> None:
        seen = self._seen.get(flow.device)
        if seen is not None:
            self._add(seen.contacts, flow)
            for service in _answers((flow,)):
                self._serve(seen, *service)

    def _serve(self, seen: _Seen, protocol: int, port: int) -> None:
        if len(seen.services) < self._limits.max_services:
            seen.services.add((protocol, port))

    def _device(self, mac: bytes, seen: _Seen, going: Iterable[Flow]) -> Device:
        flows = tuple(going)
        contacts = dict(seen.contacts)
        for flow in flows:
            self._add(contacts, flow)
        services = {*seen.services, *_answers(flows)}
        is_gateway = mac in self._listener.site.gateways
        said = (*seen.clues, Clue(Source.INTERFACE, self._maker_of(mac)))
        return Device(
            mac=mac,
            addresses=self._listener.site.addresses(mac),
            guess=_GATEWAY if is_gateway else guess(said, services),
            clues=tuple(seen.clues),
            services=tuple(sorted(services)),
            contacts=tuple(sorted(contacts.values(), key=lambda one: (-(one.octets_out + one.octets_in), str(one)))),
            first=seen.first,
            last=seen.last,
            packets=seen.packets,
        )

    def _add(self, contacts: dict[_Key, Contact], flow: Flow) -> None:
        if flow.protocol is None:
            return
        port = flow.remote_port if flow.outbound else flow.device_port
        key: _Key = (flow.outbound, flow.remote_name or flow.remote, flow.protocol, port)
        remote, name = flow.remote, flow.remote_name or ""
        if key not in contacts and len(contacts) >= self._limits.max_contacts:
            key, remote, name, port = (flow.outbound, b"", flow.protocol, None), b"", "", None
        before = contacts.get(key)
        contact = Contact(
            flow.outbound, remote, name, flow.protocol, port, 1, flow.packets_out, flow.octets_out, flow.packets_in,
            flow.octets_in, flow.first, flow.last,
        )  # fmt: skip
        contacts[key] = contact if before is None else _sum(before, contact)


def _sum(before: Contact, after: Contact) -> Contact:
    return replace(
        after,
        flows=before.flows + after.flows,
        packets_out=before.packets_out + after.packets_out,
        octets_out=before.octets_out + after.octets_out,
        packets_in=before.packets_in + after.packets_in,
        octets_in=before.octets_in + after.octets_in,
        first=min(before.first, after.first),
        last=max(before.last, after.last),
    )


def _answers(flows: Iterable[Flow]) -> Iterator[tuple[int, int]]:
    """Where a device answered datagrams that it had not asked for."""
    for flow in flows:
        if flow.protocol == _UDP and not flow.outbound and flow.packets_out and flow.device_port is not None:
            yield _UDP, flow.device_port
