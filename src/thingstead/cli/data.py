"""``thingstead data``: what is kept of a thing, to look at, to take along, to erase."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.remote import DOMAIN, THING, ask, remote
from thingstead.storage.directory import write_parts

__all__ = ["ERASE", "EXPORT", "FLOWS", "LIST", "SHOW"]

_VIEW = View((("thing", "thing"), ("latest values", "latest")), empty="no thing has sent anything yet")

LIST = remote("data.list", view=_VIEW, then="thingstead data show {thing}")
FLOWS = remote(
    "data.flows",
    view=View(
        (
            ("series", "series"),
            ("purpose", "purpose"),
            ("kept (days)", "retention_days"),
            ("personal", "personal"),
            ("needs", "needs"),
        ),
        empty="nothing may be collected: the policy declares no [[series]]",
    ),
    then="thingstead data list",
    description="What the policy does not declare is refused; one that needs what nothing gives it is not taken up.",
)
SHOW = remote("data.show", THING, then="thingstead data export {thing} --output data.senml")
ERASE = remote(
    "data.erase",
    THING,
    then="thingstead ledger show --thing {thing}",
    description="The receipt in the ledger says how much was erased, not what.",
)


def _export(session: Session) -> int:
    """Page by page, so that neither side ever holds all of it."""
    if session.options["output"] is None:
        for page in _pages(session):
            session.console.line(page if session.console.as_json else page["senml"])
        return 0
    target, given = session.path("output"), {"packs": 0, "values": 0}

    def lines() -> Iterator[bytes]:
        for page in _pages(session):
            given["packs"] += 1
            given["values"] += page["values"]
            yield page["senml"].encode() + b"\n"

    write_parts(target, lines())
    session.console.show({"written": str(target), **given})
    session.console.next(f"thingstead data erase {session.options['thing']}")
    return 0


def _pages(session: Session) -> Iterator[dict[str, Any]]:
    """The pages that have values."""
    arguments = {"thing": session.options["thing"]}
    while True:
        page = ask(session, "data.export", arguments)
        if page["values"]:
            yield page
        if not page["following"]:
            return
        arguments["after"] = page["following"]


EXPORT = Action(
    (THING, Parameter("--output", "file to write (0600) instead of printing"), DOMAIN),
    _export,
    """Every value with its series and instant, as whoever is concerned may ask for.

It is one SenML-JSON pack (RFC 8428) a line, each readable by itself; the ledger says how many values each gave out.""",
)
