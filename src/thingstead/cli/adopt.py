"""``thingstead adopt`` and ``network propose``: devices that speak none of our protocols, and MUD files for them."""

from __future__ import annotations

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.capture import mac
from thingstead.cli.input import addresses, mud_text, whole
from thingstead.cli.remote import AS, DOMAIN, THING, ask
from thingstead.storage.directory import write_whole

__all__ = ["ADOPT", "PROPOSE"]


def _adopt(session: Session) -> int:
    told = ask(
        session,
        "device.adopt",
        {
            "mac": session.options["mac"].hex(":"),
            "ip": session.options["ip"],
            "model": session.options["model"] or "",
            "zone": session.options["zone"] or "",
            "file": mud_text(session.path("mud")) if session.options["mud"] is not None else "",
        },
    )
    session.console.show(told)
    session.console.next("thingstead thing show", told["thing"])
    return 0


def _propose(session: Session) -> int:
    told = ask(session, "network.propose", {"thing": session.options["thing"], "days": session.options["days"]})
    document = told.pop("file")
    if session.options["output"] is not None:
        write_whole(session.path("output"), document.encode())
        told["file"] = session.options["output"]
    session.console.show(told)
    if session.options["output"] is not None:
        session.console.next("thingstead mud explain", session.options["output"])
    return 0


PROPOSE = Action(
    (
        THING,
        Parameter("--days", "how far back, today included", read=whole(1), default=1),
        Parameter("--output", "file for the proposal"),
        DOMAIN,
        AS,
    ),
    _propose,
    "From conversations that passed and were answered. It counts from `thingstead thing mud THING --file FILE` on.\n"
    "To learn for a day what nothing allows yet:\n"
    "`thingstead network allow any --thing THING --protocol any --hours 24`, then this.",
)
ADOPT = Action(
    (
        Parameter("mac", "its MAC address, as `thingstead watch` tells it", read=mac),
        Parameter(
            "--ip",
            "all its addresses, divided by commas; fixed ones, or leases that stay",
            read=addresses,
            required=True,
        ),
        Parameter("--model", "what you call its type"),
        Parameter("--mud", "MUD file that `thingstead watch --output` proposed, looked at and changed"),
        Parameter("--zone", "where it is"),
        DOMAIN,
        AS,
    ),
    _adopt,
    "It proves nothing: who sends from its address passes for it. It gets no token, key or group, and may do on the\n"
    "network what the file says; the rest is dropped, counted and told. Once more with another file, or with other\n"
    "addresses, changes that; what is not given stays as it is.",
)
