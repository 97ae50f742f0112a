"""``thingstead data``: what is kept of a thing, to look at, to take along, to erase."""

from __future__ import annotations

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.remote import DOMAIN, THING, ask, remote
from thingstead.storage.directory import write_whole

__all__ = ["ERASE", "EXPORT", "LIST", "SHOW"]

_VIEW = View((("thing", "thing"), ("latest values", "latest")), empty="no thing has sent anything yet")

LIST = remote("data.list", view=_VIEW, then="thingstead data show {thing}")
SHOW = remote("data.show", THING, then="thingstead data export {thing} --output data.json")
ERASE = remote(
    "data.erase",
    THING,
    then="thingstead ledger show --thing {thing}",
    description="The receipt in the ledger says how much was erased, not what.",
)


def _export(session: Session) -> int:
    thing = session.options["thing"]
    exported = ask(session, "data.export", {"thing": thing})
    if session.options["output"] is None:
        session.console.show(exported)
        return 0
    target = session.path("output")
    write_whole(target, exported["senml"].encode())
    session.console.show({"written": str(target)})
    session.console.next(f"thingstead data erase {thing}")
    return 0


EXPORT = Action(
    (THING, Parameter("--output", "file to write (0600) instead of printing"), DOMAIN),
    _export,
    "SenML-JSON (RFC 8428): every value with its series and instant, as whoever is concerned may ask for.",
)
