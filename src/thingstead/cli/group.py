"""``thingstead group``: groups of things that one message commands (RFC 10021)."""

from __future__ import annotations

from thingstead.cli.action import Parameter
from thingstead.cli.console import View
from thingstead.cli.remote import THING, remote

__all__ = ["COMMAND", "CREATE", "EVICT", "LIST", "READMIT", "REKEY"]

_GROUP = Parameter("group", "name of the group")
_VIEW = View(
    (("group", "name"), ("epoch", "epoch"), ("members", "members"), ("stale", "stale"), ("last rekey", "rekeyed_at")),
    empty="no group; things join those that the policy names for their zone",
)

CREATE = remote("group.create", _GROUP, then="thingstead group list")
LIST = remote("group.list", view=_VIEW, then="thingstead group command {name} on")
COMMAND = remote(
    "group.command",
    _GROUP,
    Parameter("value", "what every lamp of the group shall be", choices=("on", "off")),
    then="thingstead group list",
    description="One Group OSCORE message in group mode, signed by the controller, by multicast.",
)
REKEY = remote(
    "group.rekey",
    _GROUP,
    then="thingstead group list",
    description="Prints how each member stands; one that sleeps catches up when it wakes.",
)
EVICT = remote("group.evict", _GROUP, THING, then="thingstead group readmit {group} {thing}")
READMIT = remote("group.readmit", _GROUP, THING, then="thingstead group list")
