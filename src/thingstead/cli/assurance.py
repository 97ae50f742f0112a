"""``thingstead assurance``: what the live domain can show for every question of RFC 8576."""

from __future__ import annotations

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.remote import DOMAIN, ask
from thingstead.storage.directory import write_whole

__all__ = ["ASSURANCE"]


def _assurance(session: Session) -> int:
    if session.options["html"] is not None:
        target = session.path("html")
        write_whole(target, ask(session, "assurance.page", {})["html"].encode())
        session.console.show({"written": str(target)})
        session.console.next("xdg-open", target)
        return 0
    if session.console.as_json:
        session.console.show(ask(session, "assurance", {}))
        return 0
    session.console.show(ask(session, "assurance.text", {})["text"])
    session.console.next("thingstead assurance --html assurance.html")
    return 0


ASSURANCE = Action(
    (Parameter("--html", "write one HTML file instead"), DOMAIN),
    _assurance,
    "Threats (section 3), challenges (sections 5 and 6) and requirements. What is not there yet is open.",
)
