"""Conditions on the UDP header (RFC 8519 §4.2)."""

from __future__ import annotations

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.conditions import PER_PACKET, Conditions
from thingstead.protocols.mud.match_type import MatchType

__all__ = ["MATCH_TYPES"]

_ACE = "RFC 8519 §4.2"
_UDP = 17


def _parse(conditions: Conditions, matches: Node) -> None:
    conditions.constrain(_UDP, matches)
    for name, node in matches.members(spec=_ACE):
        if not conditions.add_port(name, node):
            reason = PER_PACKET if name == "length" else "a condition that UDP does not have"
            conditions.leave_out(node, reason, _ACE)


MATCH_TYPES = (MatchType("udp", _parse),)
