"""``thingstead network``: whom things talk to and why, what was refused, and the owner's own rules."""

from __future__ import annotations

from typing import Any

from thingstead.cli.action import Parameter
from thingstead.cli.console import View
from thingstead.cli.input import hours
from thingstead.cli.remote import THING, remote

__all__ = ["ALLOW", "BLOCK", "DETECTORS", "DROPS", "EXPOSURE", "REVOKE", "RULES", "TALK"]

_DAYS = Parameter("--days", "how far back, today included", read=int, default=1)
_EACH = Parameter("--each", "every attempt by itself, where somebody tried many ports", read=None)
_ZONE = Parameter("--zone", "all things in it")
_MODEL = Parameter("--model", "all of a model; * and ? as in file names")
_OF_THING = Parameter("--thing", "one thing's id")
_PORT = Parameter("--port", "that is contacted, such as 443 or 8000-8010; all if not given")
_HOURS = Parameter("--hours", "after which it ends by itself; never if not given", read=hours)
_CAUSE = Parameter("--cause", "why, for the ledger and for whoever asks later")
_OTHER_SIDE = "a name, an address, a prefix, local (the site), internet (the rest) or any"
_WAYS = ("out", "in", "both")
_RULES = View(
    (
        ("rule", "rule"),
        ("verdict", "verdict"),
        ("about", "about"),
        ("way", "way"),
        ("other side", "to"),
        ("protocol", "protocol"),
        ("port", "port"),
        ("vulnerability", "vulnerability"),
        ("why", "cause"),
        ("by", "by"),
        ("until", "until"),
    ),
    empty="no rules of yours: things may do what their makers' files say",
)


def _after_block(told: Any) -> str:
    if told["preview"]:
        return "thingstead network block, without --preview"
    return "thingstead network revoke {rule}"


def _after_rules(rows: Any) -> str:
    return f"thingstead network revoke {rows[-1]['rule']}" if rows else "thingstead network block --help"


TALK = remote(
    "network.talk",
    THING,
    _DAYS,
    _EACH,
    view=View(
        (("last", "last"), ("what", "said")),
        empty="nothing was seen of it in that time; [watch] interfaces says where this domain looks",
    ),
    then="thingstead network drops {thing}",
    description="From conversations that passed where this domain looks ([watch] in thingstead.toml says how many\n"
    "days are kept). The reason is by the rules of the moment: its maker's file, yours, or what each thing needs.",
)
DROPS = remote(
    "network.drops",
    THING,
    _DAYS,
    _EACH,
    view=View((("last", "last"), ("what", "said"), ("to allow it", "undo")), empty="nothing of it was refused"),
    then="thingstead network rules",
    description="Under a flood the kernel logs a sample; its counters (`thingstead thing show`) count all.",
)
RULES = remote("network.rules", view=_RULES, then=_after_rules)
ALLOW = remote(
    "network.allow",
    Parameter("to", f"the other side: {_OTHER_SIDE}"),
    _OF_THING,
    _ZONE,
    _MODEL,
    Parameter("--protocol", "tcp, udp, icmp, icmpv6, any, or a number", default="tcp"),
    _PORT,
    Parameter("--way", "out where the thing begins, in where it is contacted", default="out", choices=_WAYS),
    _HOURS,
    _CAUSE,
    then="thingstead network revoke {rule}",
    description="Beside what the maker's file says. A thing that verifies no release stays kept from the Internet all\n"
    "the same, and one that nobody mends any more keeps its way to the controller alone.",
)
BLOCK = remote(
    "network.block",
    Parameter("--cve", "a known vulnerability: who runs software with it is meant, as long as that is so"),
    _OF_THING,
    _ZONE,
    _MODEL,
    Parameter("--to", f"the other side: {_OTHER_SIDE}", default="any"),
    Parameter("--protocol", "tcp, udp, icmp, icmpv6, any, or a number; tcp where a port is given", default="any"),
    _PORT,
    Parameter("--way", "out where the thing begins, in where it is contacted", default="in", choices=_WAYS),
    _HOURS,
    _CAUSE,
    Parameter("--preview", "change nothing, and say what would break", read=None),
    then=_after_block,
    description="Stronger than every allowance, and for every thing unless you say whose; only the way to the\n"
    "domain's controller stays, so that they can be mended. `breaks` is what was seen and would be refused. With\n"
    "--cve a thing comes under the rule when it begins to run such software, and out when it runs other.",
)
REVOKE = remote(
    "network.revoke", Parameter("rule", "its name in `thingstead network rules`"), then="thingstead network rules"
)
DETECTORS = remote(
    "network.detectors",
    then="thingstead ledger show --kind alarm",
    description="Frames that came faster than they are looked at are lost to the detectors, never to things.",
)
EXPOSURE = remote(
    "network.exposure",
    _OF_THING,
    Parameter("--again", "knock now; else what answered last", read=None),
    view=View(
        (
            ("thing", "thing"),
            ("address", "address"),
            ("service", "service"),
            ("open to", "open_to"),
            ("seen from", "seen_from"),
            ("expected", "expected"),
            ("why", "why"),
            ("since", "since"),
            ("to close it", "close"),
        ),
        empty="no service answered when it was knocked at last; --again knocks now",
    ),
    then="thingstead network rules",
    description="One connection request or datagram to each port on which things have been found open before, at the\n"
    "domain's own things alone, from this machine: what its rules drop does not answer. It is done by itself every\n"
    "[watch] scan_hours hours; a new service that no rule names is an alarm on the ledger.",
)
