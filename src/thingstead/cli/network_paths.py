"""``thingstead network paths``: who gets where over other things, and by which step most easily."""

from __future__ import annotations

from thingstead.analysis.reach import LOCAL, OUTSIDE
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.remote import AS, DOMAIN, ask

__all__ = ["PATHS"]

_THING = Parameter("thing", "to this one alone", default="")
_VIEW = View(
    (("to", "thing"), ("cost", "cost"), ("over", "over"), ("weakest step", "weakest_step")),
    "no path: nobody outside reaches a thing by the rules in force",
)


def _paths(session: Session) -> int:
    found = ask(session, "network.paths", {"thing": session.options["thing"]})
    if session.console.as_json:
        session.console.show(found)
        return 0
    rows = [{**one, "over": " > ".join(step["from"] for step in one["steps"])} for one in found]
    session.console.show(rows, _VIEW)
    for step in found[0]["steps"] if found else ():
        session.console.say(f"weakest path, {step['from']} > {step['to']}: {step['by']} (cost {step['cost']})")
    together = sum(one["combination"] for one in found)
    session.console.say(f"{together} of {len(found)} lead over another thing: no rule alone opens them")
    if found:
        session.console.next("thingstead network block", "--thing", found[0]["thing"], "--preview")
    return 0


PATHS = Action(
    (_THING, DOMAIN, AS),
    _paths,
    f"From {OUTSIDE} and from {LOCAL}, by the rules in force and your own. A door that is open to\n"
    "everybody costs 0, a service in clear 1, a step between things 1, the local network 3, one host by its name 4;\n"
    "to take over a thing costs 0 where a grave vulnerability is known, 1 where nobody mends it or it verifies no\n"
    "release, else 3. Costs order paths; they are no probabilities.",
)
