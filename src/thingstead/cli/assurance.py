"""``thingstead assurance``: what the live domain can show for every question of RFC 8576."""

from __future__ import annotations

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.remote import DOMAIN, ask
from thingstead.storage.directory import write_whole

__all__ = ["ASSURANCE"]

_VIEW = View(
    (
        ("question", "question"),
        ("what", "title"),
        ("status", "status"),
        ("control", "control"),
        ("evidence", "evidence"),
        ("remaining risk", "remaining_risk"),
    )
)


def _assurance(session: Session) -> int:
    if session.options["html"] is not None:
        target = session.path("html")
        write_whole(target, ask(session, "assurance.page", {})["html"].encode())
        session.console.show({"written": str(target)})
        session.console.next(f"xdg-open {target}")
        return 0
    report = ask(session, "assurance", {})
    if session.console.as_json:
        session.console.show(report)
        return 0
    session.console.show(report["rows"], _VIEW)
    open_rows = sum(row.get("status") == "open" for row in report["rows"])
    session.console.say(f"{len(report['rows'])} questions, {open_rows} open")
    session.console.next("thingstead assurance --html assurance.html")
    return 0


ASSURANCE = Action(
    (Parameter("--html", "write one HTML file instead"), DOMAIN),
    _assurance,
    "Threats (section 3), challenges (sections 5 and 6) and requirements. What is not there yet is open.",
)
