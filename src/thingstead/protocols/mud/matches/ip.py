"""Conditions on the IP header (RFC 8519 §4.2), with the other side by prefix or by DNS name (RFC 8520 §8)."""

from __future__ import annotations

from functools import partial

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.conditions import PER_PACKET, Conditions, parse_dns_name, parse_prefix
from thingstead.protocols.mud.file import RemoteKind
from thingstead.protocols.mud.match_type import MatchType

__all__ = ["MATCH_TYPES"]

_ACE = "RFC 8519 §4.2"
_PER_PACKET = {"dscp", "ecn", "length", "ttl", "ihl", "flags", "offset", "identification", "flow-label"}


def _parse(conditions: Conditions, matches: Node, *, family: int) -> None:
    if conditions.context.family not in {None, family}:
        matches.refuse(f"conditions of IPv{conditions.context.family}, as the list's type says", spec=_ACE)
    for name, node in matches.members(spec=_ACE):
        if name == "protocol":
            conditions.constrain(node.integer(0, 255, spec=_ACE), node)
        elif name in (f"source-ipv{family}-network", f"destination-ipv{family}-network"):
            prefix = parse_prefix(conditions, node, family)
            if prefix is not None:
                conditions.add_remote(node, RemoteKind.PREFIX, source=name.startswith("source"), prefix=prefix)
        elif name in ("ietf-acldns:src-dnsname", "ietf-acldns:dst-dnsname"):
            source = name == "ietf-acldns:src-dnsname"
            conditions.add_remote(node, RemoteKind.DNS_NAME, source=source, name=parse_dns_name(node))
        else:
            reason = PER_PACKET if name in _PER_PACKET else "a condition that we do not know"
            conditions.leave_out(node, reason, _ACE)


MATCH_TYPES = tuple([MatchType(f"ipv{family}", partial(_parse, family=family)) for family in (4, 6)])
