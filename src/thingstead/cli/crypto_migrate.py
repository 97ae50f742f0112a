"""``thingstead crypto migrate``: a fleet goes over to other update keys, step by step."""

from __future__ import annotations

from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import day, read_file
from thingstead.cli.remote import AS, DOMAIN, ask, domain_root
from thingstead.controller.directory import DomainDirectory
from thingstead.domain import anchor as anchor_file
from thingstead.errors import ConfigError

__all__ = ["MIGRATE"]

_MAX_ANCHOR = 1 << 18
_STEPS = ("plan", "start", "status", "retire", "rollback")
_TAKES = frozenset({"start", "retire", "rollback"})
_NEXT = {
    "plan": "thingstead crypto migrate start",
    "start": "thingstead crypto migrate status",
    "status": "thingstead crypto migrate retire",
    "retire": "thingstead crypto migrate status",
    "rollback": "thingstead crypto migrate status",
}


def _migrate(session: Session) -> int:
    options, step = session.options, session.options["step"]
    if step == "status":
        return _status(session)
    if not options["anchor"]:
        raise ConfigError(f"give the maker's .anchor file: thingstead crypto migrate {step} NAME.anchor")
    arguments: dict[str, Any] = {"anchor": str(session.path("anchor"))}
    if options["until"] is not None:
        arguments["until"] = options["until"].isoformat()
    if step in _TAKES and options["leaving"] is not None:
        arguments["leaving"] = options["leaving"]
    told = ask(session, f"migration.{step}", arguments)
    session.console.show(told)
    if step in _TAKES:
        _keep(session, told["number"])
    else:
        _explain(session, told)
    session.console.next(_NEXT[step], *([] if _NEXT[step].endswith("status") else [options["anchor"]]))
    return 0


def _status(session: Session) -> int:
    if session.options["anchor"]:
        raise ConfigError("the status is of every maker whose keys moved here, and takes no file")
    told = ask(session, "migration.status", {})
    session.console.show(told)
    for row in told:
        _explain(session, row)
    waiting = any(row.get("phase") == "overlap" for row in told)
    session.console.next("thingstead crypto migrate retire NAME.anchor" if waiting else "thingstead calendar")
    return 0


def _explain(session: Session, told: dict[str, Any]) -> None:
    """In words, what a row of counts means for the owner."""
    stranded = [row["serial"] for row in told.get("by_name", []) if row["stranded"]]
    if stranded:
        session.console.say(f"{len(stranded)} would be stranded: wake or replace them, or name them with --leaving")
    elif told.get("asleep"):
        session.console.say(f"{told['asleep']} sleep, and walk the whole chain when they wake")
    if told.get("to_isolate"):
        session.console.say(f"{len(told['to_isolate'])} are past their last safe day, and are held within the hour")


def _keep(session: Session, number: int) -> None:
    """Put what was taken into the owner's own file; the domain goes by it already, whatever becomes of this."""
    root = domain_root(session)
    if not root.is_dir():
        return
    directory = DomainDirectory(root)
    given = anchor_file.decode(read_file(session.path("anchor"), max_bytes=_MAX_ANCHOR))
    for known in directory.anchors():
        if known.maker == given.maker and len(known.steps) < number:
            directory.trust_maker(anchor_file.follow(known, given.steps[len(known.steps) : number]))


MIGRATE = Action(
    (
        Parameter("step", "what to do", choices=_STEPS),
        Parameter("anchor", "the maker's .anchor file, with its next step (`thingstead factory rekey`)", default=""),
        Parameter("--until", "last day on which the old keys' word counts; else the end of their algorithms", read=day),
        Parameter("--leaving", "ids or serial numbers of things left behind on purpose, with commas between"),
        DOMAIN,
        AS,
    ),
    _migrate,
    "plan names every thing that sleeps or cannot verify, with its last safe day; start, retire and rollback are\n"
    "refused where one would be stranded that you did not name. Each takes one step of the file.",
)
