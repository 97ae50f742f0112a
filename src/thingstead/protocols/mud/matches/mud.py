"""The other side by the part it plays (RFC 8520 §4)."""

from __future__ import annotations

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.conditions import Conditions
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.protocols.mud.match_type import MatchType

__all__ = ["MATCH_TYPES"]

_EMPTY = {
    kind.value: kind for kind in (RemoteKind.LOCAL_NETWORKS, RemoteKind.MY_CONTROLLER, RemoteKind.SAME_MANUFACTURER)
}
_NAMED = {kind.value: kind for kind in (RemoteKind.CONTROLLER, RemoteKind.MANUFACTURER, RemoteKind.MODEL)}


def _parse(conditions: Conditions, matches: Node) -> None:
    for name, node in matches.members(spec="RFC 8520 §4"):
        if name in _EMPTY:
            if node.value != [None]:
                node.refuse("[null], the JSON of a YANG empty", spec="RFC 7951 §6.9")
            conditions.remotes.append(Remote(_EMPTY[name]))
        elif name in _NAMED:
            conditions.remotes.append(Remote(_NAMED[name], node.text(1024, spec="RFC 8520 §4")))
        elif name == "direction-initiated":
            conditions.initiate(node)
        else:
            conditions.leave_out(node, "a condition that we do not know", "RFC 8520 §3.9")


MATCH_TYPES = (MatchType("ietf-mud:mud", _parse),)
