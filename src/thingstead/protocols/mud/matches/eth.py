"""Conditions on the Ethernet header (RFC 8519 §4.2), as far as a filter of IP packets can hold them."""

from __future__ import annotations

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.conditions import Conditions, parse_ethertype, parse_mac
from thingstead.protocols.mud.match_type import MatchType

__all__ = ["MATCH_TYPES"]

_ACE = "RFC 8519 §4.2"
_IP = {4: 0x0800, 6: 0x86DD}
_EVERY_BIT = b"\xff" * 6


def _parse(conditions: Conditions, matches: Node) -> None:
    for name, node in matches.members(spec=_ACE):
        if name == "ethertype" and parse_ethertype(node) == _IP[conditions.context.family or 4]:
            continue
        if name == "destination-mac-address" and conditions.outbound:
            conditions.frame = parse_mac(node)
        elif name != "destination-mac-address-mask" or parse_mac(node) != _EVERY_BIT:
            conditions.leave_out(node, "an Ethernet condition, which filters at the network layer do not see", _ACE)


MATCH_TYPES = (MatchType("eth", _parse),)
