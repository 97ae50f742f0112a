"""Parse one accepting ACE (RFC 8519 §4.2, RFC 8520 §4, §8).

A condition that we do not understand, or that nftables could not keep at the network layer, leaves the *whole* entry
out, with a finding: to ignore the condition alone would let more through than the maker meant.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.conditions import MISPLACED, Conditions, EntryContext, parse_ethertype
from thingstead.protocols.mud.file import AccessEntry, Finding, Prefix, Remote, RemoteKind
from thingstead.protocols.mud.match_type import match_types

__all__ = ["parse_entry"]

_BROADCAST = IPv4Network("255.255.255.255/32")
_BROADCAST_MAC = b"\xff" * 6
_UNSEEN = "which filters at the network layer do not see"
_ACE = "RFC 8519 §4.2"
_LINK_PROTOCOLS = {
    0x0806: "ARP, which a thing that is admitted may use anyway",
    0x888E: "EAPOL, which ends at the port that the thing is on",
}


def parse_entry(ace: Node, context: EntryContext) -> tuple[AccessEntry, ...]:
    """Parse one ACE whose action is accept.

    Returns:
        The entry, or several where its ports have gaps; none with a finding reported where it cannot be kept exactly.

    Raises:
        DecodeError: a value outside its type, or conditions that contradict each other.
    """
    matches = ace.member("matches", spec="RFC 8519 §4.1")
    if context.family is None:
        context.report(_judge_link_entry(ace, matches))
        return ()
    conditions = Conditions(ace, context)
    kinds = match_types()
    for name, node in matches.members(spec="RFC 8519 §4.1"):
        kind = kinds.get(name)
        if name == MISPLACED:
            continue
        if kind is None:
            conditions.leave_out(node, "a condition that we do not know", "RFC 8520 §3.9")
        else:
            kind.parse(conditions, node)
    remote = _join_frame(conditions, _join_remotes(conditions))
    for finding in conditions.unmet:
        context.report(finding)
    return () if conditions.unmet else _entries(conditions, context.family, remote)


def _judge_link_entry(ace: Node, matches: Node) -> Finding:
    """An entry of an Ethernet list: what every thing may do at its port says nothing new, the rest is not ours."""
    frame = matches.find("eth", spec="RFC 8519 §4.1")
    ethertype = None if frame is None else frame.find("ethertype", spec=_ACE)
    known = None if ethertype is None else _LINK_PROTOCOLS.get(parse_ethertype(ethertype))
    if known is not None:
        return Finding(ace.place, known, _ACE)
    return Finding(ace.place, f"an Ethernet rule, {_UNSEEN}", _ACE, narrows=True)


def _join_remotes(conditions: Conditions) -> Remote:
    """Conditions of one ACE hold together; local networks may be narrowed by a prefix, nothing else combines."""
    remotes = conditions.remotes
    if len(remotes) < 2:
        return remotes[0] if remotes else Remote(RemoteKind.ANY)
    prefixes = [remote.prefix for remote in remotes if remote.kind is RemoteKind.PREFIX]
    if len(remotes) == 2 and len(prefixes) == 1 and any(one.kind is RemoteKind.LOCAL_NETWORKS for one in remotes):
        return Remote(RemoteKind.LOCAL_NETWORKS, prefix=prefixes[0])
    conditions.leave_out(conditions.node, "more than one condition on the other side", "RFC 8520 §4")
    return remotes[0]


def _join_frame(conditions: Conditions, remote: Remote) -> Remote:
    """Whom the IP packets in frames to a group address go to: hosts drop others that come so (RFC 1122 §3.3.6)."""
    frame = conditions.frame
    if frame is None or (remote.prefix is not None and frame == _group_address(remote.prefix)):
        return remote
    near = remote.kind in (RemoteKind.ANY, RemoteKind.LOCAL_NETWORKS) and remote.prefix is None
    if frame == _BROADCAST_MAC and near and conditions.context.family == 4:
        return Remote(RemoteKind.LOCAL_BROADCAST)
    conditions.leave_out(conditions.node, f"a MAC address, {_UNSEEN}", _ACE)
    return remote


def _group_address(prefix: Prefix) -> bytes | None:
    """The MAC address that one broadcast or multicast address is sent to (RFC 1112 §6.4, RFC 2464 §7)."""
    if prefix == _BROADCAST:
        return _BROADCAST_MAC
    if prefix.num_addresses > 1 or not prefix.is_multicast:
        return None
    packed = prefix.network_address.packed
    if prefix.version == 6:
        return b"\x33\x33" + packed[-4:]
    return b"\x01\x00\x5e" + bytes([packed[1] & 0x7F]) + packed[2:]


def _entries(conditions: Conditions, family: int, remote: Remote) -> tuple[AccessEntry, ...]:
    place, expectations = conditions.node.place, tuple(conditions.expectations)
    return tuple(
        [
            AccessEntry(
                conditions.context.name,
                place,
                conditions.context.direction,
                family,
                conditions.protocol,
                remote,
                remote_ports,
                device_ports,
                conditions.icmp,
                conditions.initiated,
                expectations,
            )
            for remote_ports in conditions.remote_ports
            for device_ports in conditions.device_ports
        ]
    )
