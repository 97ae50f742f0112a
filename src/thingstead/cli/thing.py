"""``thingstead thing``: the record of each thing, and the transitions a person may ask for."""

from __future__ import annotations

import base64
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.remote import DOMAIN, THING, absolute_paths, ask, remote
from thingstead.storage.directory import write_whole

__all__ = [
    "ADMIT",
    "ATTEST",
    "FORGOTTEN",
    "HAND_OVER",
    "LIST",
    "QUARANTINE",
    "RESTORE",
    "RETIRE",
    "SHOW",
    "WAITING",
]

_VIEW = View(
    (
        ("thing", "thing"),
        ("maker", "maker"),
        ("model", "model"),
        ("serial", "serial"),
        ("state", "state"),
        ("restriction", "restriction"),
        ("waits for", "waits_for"),
        ("zone", "zone"),
        ("software", "version"),
        ("last heard", "last_heard"),
        ("joined", "joined_at"),
    ),
    empty="no thing is known here; `thingstead factory thing` makes one, `thingstead agent run` starts it",
)
_WAITING = View(
    (
        ("thing", "thing"),
        ("maker", "maker"),
        ("model", "model"),
        ("serial", "serial"),
        ("key", "key"),
        ("held by", "rule"),
        ("waits since", "since"),
        ("last knocked", "knocked_at"),
        ("approved by", "approved_by"),
        ("until", "approved_until"),
        ("next", "next"),
    ),
    empty="nobody waits; `thingstead policy explain` says what the policy would do with a thing",
)
_CAUSE = Parameter("--cause", "why, for the ledger; a slug such as suspicious-traffic")
_NEXT_OWNER = Parameter("--to", "file with the next owner's credential (`thingstead domain credential`)")
_CLOCKS = (
    "Prints, plane by plane, how many milliseconds passed until a relying party last accepted anything of the\n"
    "thing: the answer comes from who would be harmed, not from our own memory. Other things that it has tokens for\n"
    "are asked too; where one is silent, `bound` is when the last of those tokens ends: until then it may accept."
)


def _hand_over(session: Session) -> int:
    given = {key: session.options[key] for key in ("thing", "forced", "cause") if session.options[key] is not None}
    to = {"to": str(session.path("to"))} if session.options["to"] else {}
    told = ask(session, "thing.hand-over", {**given, **to})
    papers = base64.urlsafe_b64decode(told.pop("handover", ""))
    if papers:
        target = (
            session.path("output") if session.options["output"] else session.directory / f"{told['thing']}.handover"
        )
        write_whole(target, papers)
        told["handover"] = str(target)
    session.console.show(told)
    session.console.next(f"thingstead {'thing accept FILE, by the next owner' if papers else 'ledger show'}")
    return 0


def _after_forgotten(found: Any) -> str:
    """A stranger is looked at where it is; a thing has a record."""
    strangers = [row["detail"].split(" ")[0] for row in found if row["neglect"] == "unmanaged"]
    if strangers and len(strangers) == len(found):
        return f"thingstead watch --interface INTERFACE --mac {strangers[0]} --output learned"
    return "thingstead thing show {thing}" if found else "thingstead thing list"


def _after_list(things: Any) -> str:
    is_waiting = any(one.get("waits_for") == "a person" for one in things)
    return "thingstead thing waiting" if is_waiting else "thingstead thing show {thing}"


LIST = remote("thing.list", view=_VIEW, then=_after_list)
FORGOTTEN = remote(
    "thing.forgotten",
    view=View(
        (("neglect", "neglect"), ("thing", "thing"), ("since", "since"), ("seen", "detail")),
        empty="nothing is forgotten: every thing was heard in time, and nobody else is on their interfaces",
    ),
    then=_after_forgotten,
    description=(
        "Silent: not heard for longer than `[watch]` and the policy's `every_seconds` allow. Unsupported: its maker\n"
        "mends it no more; adopt it (`thing adopt`), hand it over or retire it. Unmanaged: a neighbour on\n"
        "`[network] interfaces` that is no thing, nor in `[watch] known`; take it in (`adopt`)."
    ),
)
SHOW = remote("thing.show", THING, then="thingstead ledger show --thing {thing}")
ATTEST = remote(
    "thing.attest",
    THING,
    then="thingstead ledger show --thing {thing}",
    description="Asks with a fresh nonce what it runs, and compares that with the releases published for it.\n"
    "The agent measures its own slots and no hardware vouches for it: that is among the findings each time.",
)
ADMIT = remote(
    "thing.admit",
    THING,
    Parameter("--scope", "name of the scope it gets; else that of the rule that holds it"),
    Parameter("--key", "16 or more hexadecimal digits of its key, as they stand on the thing or its papers"),
    Parameter("--undo", "take back what was approved and not used yet", read=None),
    then="thingstead thing waiting",
    description="The thing knocks again by itself, and has a day for it. Compare its key with what stands on it or\n"
    "came with it, not with what it says of itself: with --key, one that proved another key is refused.",
)
WAITING = remote(
    "thing.waiting",
    view=_WAITING,
    then=lambda rows: rows[0]["next"] if rows else "thingstead thing list",
    description="Things that proved who they are, and that the policy holds for a person. Each has the command that\n"
    "lets it in: DIGITS are those of the key that stands on the thing or its papers; compare them with the key here.",
)
QUARANTINE = remote("thing.quarantine", THING, _CAUSE, then="thingstead thing restore {thing}", description=_CLOCKS)
RESTORE = remote("thing.restore", THING, _CAUSE, then="thingstead thing show {thing}")
RETIRE: Action = remote(
    "thing.retire",
    THING,
    _CAUSE,
    then="thingstead ledger show --thing {thing}",
    description=f"There is no way back: a retired thing is never admitted again.\n\n{_CLOCKS}",
)
HAND_OVER = Action(
    (
        THING,
        _NEXT_OWNER,
        Parameter("--output", "file for the next owner; else THING.handover"),
        Parameter("--forced", "also without the thing's receipt that it wiped itself", read=None),
        _CAUSE,
        DOMAIN,
    ),
    _hand_over,
    "Has the thing wipe itself and name its next owner, withdraws it from all planes, and writes the file by which\n"
    "the next owner's domain knows both (`thingstead thing accept`). Without --to nobody is named: whoever has the\n"
    "thing in hand then has to reset it (`thingstead agent claim`), and compare its key.",
)
ADOPT = remote(
    "thing.adopt",
    THING,
    Parameter("--until", "last day on which you mend it, such as 2031-12-31", required=True),
    Parameter("--anchor", "name of the trusted anchor whose release keys count from then on; else its maker's name"),
    then="thingstead thing show {thing}",
    description="First `thingstead trust add` the anchor of who mends it: your own (`thingstead factory maker`) or\n"
    "that of somebody you trust with it. The thing takes the keys from its owner alone, and only after the day that\n"
    "its maker gave it; then it joins again, and releases of its maker reach it no more.",
)
ACCEPT = remote(
    "thing.accept",
    Parameter("file", "what the seller's `thingstead thing hand-over` wrote"),
    then="thingstead thing list",
    description="Verifies that its maker is trusted, that each owner named the next, that the thing wiped itself, and\n"
    "that the seller's ledger says so. Then the thing may come, if a rule of the policy names it.",
    prepare=absolute_paths("file"),
)
