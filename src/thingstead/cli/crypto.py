"""``thingstead crypto``: which algorithms the domain rests on, where, and until when."""

from __future__ import annotations

import json
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import whole
from thingstead.cli.remote import DOMAIN, ask
from thingstead.storage.directory import write_whole

__all__ = ["INVENTORY"]

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
