"""``thingstead crypto``: which algorithms the domain rests on, where, and until when."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from datetime import date, timedelta
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import whole
from thingstead.cli.remote import DOMAIN, ask
from thingstead.storage.directory import write_whole

__all__ = ["FORBID", "INVENTORY"]

_VIEW = View(
    (
        ("status", "status"),
        ("what", "name"),
        ("how many", "count"),
        ("things", "depend"),
        ("algorithms", "algorithms"),
        ("first end", "until"),
        ("algorithm until", "sunset"),
        ("quantum computer", "exposure"),
    ),
    empty="nothing in this domain rests on an algorithm yet",
)
_EFFECT = View(
    (("thing", "thing"), ("what becomes of it", "what becomes of it"), ("because of", "because of")),
    empty="nobody depends on it",
)


def _inventory(session: Session) -> int:
    options = session.options
    asked = {"year": options["year"]}
    if options["cbom"]:
        document = ask(session, "crypto.bill", asked)
        path = session.path("cbom")
        write_whole(path, (json.dumps(document, indent=2) + "\n").encode())
        session.console.show({"written": str(path), "components": len(document["components"])})
        session.console.next("thingstead crypto inventory")
        return 0
    rows: list[dict[str, Any]] = ask(session, "crypto.inventory", asked)
    session.console.show([row | {"depend": len(row["things"])} for row in rows], _VIEW)
    exposed = sum(row["exposure"] != "none" for row in rows)
    session.console.say(f"{exposed} of {len(rows)} kinds are read or forged by a quantum computer of the chosen year")
    session.console.next("thingstead calendar")
    return 0


def _forbid(session: Session) -> int:
    options, console = session.options, session.console
    last = options["from"] - timedelta(days=1)
    told = ask(session, "crypto.forbid", {"algorithm": options["algorithm"], "last": last.isoformat()})
    moves, isolates = told["moves"], told["isolates"]
    rows = [
        {"thing": thing, "what becomes of it": becomes, "because of": ", ".join(names)}
        for becomes, group in (("isolated: held", isolates), ("joins anew", moves))
        for thing, names in group.items()
    ]
    if console.as_json:
        console.show(told)
    else:
        console.show(rows, _EFFECT)
    suites = ", ".join(map(str, told["suites"])) or "none"
    console.say(f"{len(moves)} things join anew, {len(isolates)} are isolated; suites of EDHOC that remain: {suites}")
    console.say("nothing was changed; it counts from then on once it stands in the domain's policy.toml:")
    console.say(f'  [crypto.sunset]\n  "{told["algorithm"]}" = {last.isoformat()}')
    console.next("thingstead policy reload")
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"expected a day such as 2030-01-01, got {text[:20]!r}") from error


FORBID = Action(
    (
        Parameter("algorithm", "its name, as the inventory has it"),
        Parameter("--from", "first day on which it is not taken, such as 2030-01-01", read=_day, required=True),
        DOMAIN,
    ),
    _forbid,
    "Shows whom that strands before it is decided: things that have another cipher suite join anew by themselves on\n"
    "that day; those that have no other way are held, with their way to updates. Then it shows the lines for the\n"
    "policy, which are the decision. The date is in the calendar from then on.",
)

INVENTORY = Action(
    (
        Parameter(
            "--year",
            "which year a quantum computer is asked about; 0 for the policy's",
            read=whole(0, 2200),
            default=0,
        ),
        Parameter("--cbom", "write a CycloneDX 1.6 bill of materials to this file instead"),
        DOMAIN,
    ),
    _inventory,
    "Every key, credential, certificate, token, security context and signature of the running domain, those of one\n"
    "sort in one row; nothing in it is secret. What is recorded today under a key agreement that a quantum computer\n"
    "undoes is read then; what is still trusted then under such a signature is forged.",
)
