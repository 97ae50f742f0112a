"""A MUD file for a device that has none, out of what it did while it was watched (R-81).

What is proposed is what it did with somebody who answered, and no more: names where look-ups were seen, the local
network for neighbours, groups by their address. What an outsider began is not proposed, whatever came of it; nor is a
conversation with nobody. A day that was not representative makes a file that is too small: it is a proposal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network

from thingstead.analysis.traffic.inventory import Contact, Device
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Direction, Remote, RemoteKind
from thingstead.protocols.mud.rule import DNS_CLASS

__all__ = ["LeftOut", "Proposal", "learned_url", "propose"]

_TCP, _UDP = 6, 17
_DNS, _NTP, _TELNET = 53, 123, 23
_DHCP_CLIENT = 68
_BROADCAST = b"\xff" * 4


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A contact that is not part of the proposal.

    Attributes:
        contact: which.
        reason: one sentence.
    """

    contact: Contact
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the owner may take, change or leave.

    Attributes:
        document: a MUD file in JSON; nobody signed it.
        services: how many conversations it allows.
        left_out: what it does not, and why.
        doubts: what it allows and what should be looked at, one sentence each.
    """

    document: bytes
    services: int
    left_out: tuple[LeftOut, ...]
    doubts: tuple[str, ...]


def learned_url(mac: bytes) -> str:
    """The URL of one device's own file; nobody can serve another there (RFC 6761 §6.4)."""
    return f"https://{mac.hex('-')}.invalid/learned.json"


def propose(device: Device, *, model: str, is_local: Callable[[bytes], bool], at: datetime, url: str = "") -> Proposal:
    """Make a file of what a device was seen to do.

    Args:
        device: as it was seen.
        model: what it is called there.
        is_local: whether an address is the site's.
        at: aware; when it was last changed.
        url: of the file; empty for `learned_url` of the device.
    """
    services: dict[Service, None] = {}
    left_out: list[LeftOut] = []
    doubts: list[str] = []
    for contact in device.contacts:
        reason = _objection(contact, is_local)
        if reason:
            left_out.append(LeftOut(contact, reason))
            continue
        services.setdefault(_service(contact, is_local))
        doubts += _doubts(contact, is_local)
    description = Description(
        url=url or learned_url(device.mac),
        last_update=at,
        system_info="Learned from traffic, signed by nobody",
        manufacturer="",
        model=model,
        services=tuple(services),
    )
    return Proposal(render(description), len(services), tuple(left_out), tuple(dict.fromkeys(doubts)))


def _objection(contact: Contact, is_local: Callable[[bytes], bool]) -> str:
    """Why a contact is not proposed; empty where it is."""
    if contact.protocol not in {_TCP, _UDP}:
        return "neither TCP nor UDP: every site decides about it by itself"
    if contact.port is None or not contact.remote:
        return "too many kinds to name them"
    if not contact.outbound and not is_local(contact.remote):
        return "begun from outside of the site"
    # Who asks everybody for an address is answered by somebody: for a filter that is begun anew.
    is_answer = contact.protocol == _UDP and contact.port == _DHCP_CLIENT and not contact.outbound
    if not contact.is_answered and not is_answer and not _is_group(contact.remote):
        return "nobody answered" if contact.outbound else "it did not answer"
    if contact.port == _DNS and contact.outbound and is_local(contact.remote):
        return "the site's name server is allowed to everybody (RFC 8520 §5)"
    return ""


def _service(contact: Contact, is_local: Callable[[bytes], bool]) -> Service:
    ports = {"remote_port": contact.port} if contact.outbound else {"device_port": contact.port}
    opened_by = Direction.FROM_DEVICE if contact.outbound else Direction.TO_DEVICE
    return Service(_remote(contact, is_local), contact.protocol, opened_by=opened_by, **ports)


def _remote(contact: Contact, is_local: Callable[[bytes], bool]) -> Remote:
    if _is_group(contact.remote):
        return Remote(RemoteKind.PREFIX, prefix=ip_network(ip_address(contact.remote)))
    if is_local(contact.remote):
        return Remote(RemoteKind.LOCAL_NETWORKS)
    if contact.port == _DNS and not contact.name:
        return Remote(RemoteKind.CONTROLLER, DNS_CLASS)
    if contact.name:
        return Remote(RemoteKind.DNS_NAME, contact.name)
    return Remote(RemoteKind.PREFIX, prefix=ip_network(ip_address(contact.remote)))


def _doubts(contact: Contact, is_local: Callable[[bytes], bool]) -> list[str]:
    if _is_group(contact.remote) or is_local(contact.remote):
        return []
    found = []
    where = contact.name or str(ip_address(contact.remote))
    if contact.port == _TELNET:
        found.append(f"remote login in clear at {where}: seldom meant by its maker")
    if contact.outbound and not contact.name:
        found.append(f"{where} is an address without a name: it will not follow its owner")
    if contact.outbound and contact.protocol == _UDP and contact.port not in {_NTP, _DNS} and not contact.name:
        found.append(f"datagrams to port {contact.port} of {where}: ask its maker what for")
    return found


def _is_group(address: bytes) -> bool:
    return ip_address(address).is_multicast or address == _BROADCAST
