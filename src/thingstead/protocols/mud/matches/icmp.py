"""Type and code of ICMP and ICMPv6 (RFC 8519 §4.2); the list's type says which of the two."""

from __future__ import annotations

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.conditions import PER_PACKET, Conditions
from thingstead.protocols.mud.file import Icmp
from thingstead.protocols.mud.match_type import MatchType

__all__ = ["MATCH_TYPES"]

_ACE = "RFC 8519 §4.2"
_PROTOCOLS = {4: 1, 6: 58}


def _parse(conditions: Conditions, matches: Node) -> None:
    conditions.constrain(_PROTOCOLS[conditions.context.family or 4], matches)
    values: dict[str, int] = {}
    for name, node in matches.members(spec=_ACE):
        if name in ("type", "code"):
            values[name] = node.integer(0, 255, spec=_ACE)
        else:
            reason = PER_PACKET if name == "rest-of-header" else "a condition that we do not know"
            conditions.leave_out(node, reason, _ACE)
    conditions.icmp = Icmp(values.get("type"), values.get("code"))


MATCH_TYPES = (MatchType("icmp", _parse),)
