"""Conditions on the TCP header (RFC 8519 §4.2), and who opens the connection (RFC 8520 §4.8)."""

from __future__ import annotations

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.conditions import PER_PACKET, Conditions
from thingstead.protocols.mud.match_type import MatchType

__all__ = ["MATCH_TYPES"]

_ACE = "RFC 8519 §4.2"
_TCP = 6
_PER_PACKET = {
    "sequence-number", "acknowledgement-number", "data-offset", "reserved", "flags", "window-size", "urgent-pointer",
    "options",
}  # fmt: skip


def _parse(conditions: Conditions, matches: Node) -> None:
    conditions.constrain(_TCP, matches)
    for name, node in matches.members(spec=_ACE):
        if name == "ietf-mud:direction-initiated":
            conditions.initiate(node)
        elif not conditions.add_port(name, node):
            reason = PER_PACKET if name in _PER_PACKET else "a condition that we do not know"
            conditions.leave_out(node, reason, _ACE)


MATCH_TYPES = (MatchType("tcp", _parse),)
