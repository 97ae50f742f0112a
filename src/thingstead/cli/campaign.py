"""``thingstead campaign``: how a release goes round, stopping it, and taking it back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import read_file
from thingstead.cli.remote import AS, DOMAIN, ask, remote
from thingstead.errors import ConfigError

__all__ = ["ABORT", "ADVANCE", "LIST", "PAUSE", "PLAN", "PREVIEW", "REPLAN", "RESUME", "SHOW", "with_plan"]

_MAX_PLAN = 1 << 18
_CAMPAIGN = Parameter("campaign", "model and number of its release, such as LX-1/7, or the model alone")
_LIST = View(
    (
        ("campaign", "campaign"),
        ("version", "version"),
        ("status", "status"),
        ("because", "because"),
        ("stage", "stage"),
        ("things", "things"),
        ("run it", "installed"),
        ("updating", "offered"),
        ("silent", "silent"),
        ("failed", "failed"),
        ("waiting", "waiting"),
    ),
    empty="no release is going round; `thingstead release publish` begins with one",
)
_PLACES = View(
    (
        ("serial", "serial"),
        ("thing", "thing"),
        ("zone", "zone"),
        ("standing", "standing"),
        ("why not yet", "why"),
        ("offered", "offered_at"),
        ("runs", "version"),
    ),
    empty="nobody in it waits for it",
)
PLAN = (
    Parameter("--plan", "a file that says to whom first, how many at once, and when (docs/explanation/campaigns.md)"),
    Parameter("--stages", "instead of a file: steps such as 1,10%,100%", default=""),
    Parameter("--zone-share", "instead of a file: most of a zone at one time, such as 25%", default=""),
    Parameter("--quiet-hours", "instead of a file: when nobody begins, such as 22:00-06:00", default=""),
    Parameter("--abort", "instead of a file: failures that end it, such as 5% or 3", default=""),
    Parameter("--time-zone", "instead of a file: whose clock, such as Europe/Berlin", default=""),
)
"""Options of whatever takes a plan."""

_LISTS = {"stages": "stages", "quiet_hours": "quiet", "abort": "abort"}
_WORDS = {"zone_share": "zone_share", "time_zone": "time_zone"}


def with_plan(session: Session, arguments: dict[str, Any]) -> None:
    """Make the plan of its options, as the text that the controller reads.

    Raises:
        ConfigError: a file and options beside it, or a file that cannot be read.
    """
    given = {name: arguments.pop(name) for name in (*_LISTS, *_WORDS) if arguments.get(name)}
    for name in (*_LISTS, *_WORDS):
        arguments.pop(name, None)
    if "plan" in arguments:
        if given:
            raise ConfigError(f"expected --plan or the options instead of it, not both: {', '.join(sorted(given))}")
        try:
            arguments["plan"] = read_file(session.path("plan"), max_bytes=_MAX_PLAN).decode()
        except UnicodeDecodeError:
            raise ConfigError(f"expected UTF-8 in {session.path('plan')}") from None
    elif given:
        arguments["plan"] = _toml(given)


def _toml(given: Mapping[str, str]) -> str:
    lists = {_LISTS[name]: [one.strip() for one in text.split(",")] for name, text in given.items() if name in _LISTS}
    words = {_WORDS[name]: text for name, text in given.items() if name in _WORDS}
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in {**lists, **words}.items())


def _show(session: Session) -> int:
    asked = {key: session.options[key] for key in ("campaign", "language")}
    shown = ask(session, "campaign.show", asked)
    if session.console.as_json:
        session.console.show(shown)
        return 0
    for line in (*shown["story"], *shown["plan"]):
        session.console.say(line)
    if shown["asleep"]:
        session.console.say(f"Not heard of in time: {', '.join(shown['asleep'])}")
    session.console.show([one for one in shown["places"] if one["standing"] != "installed"], _PLACES)
    session.console.next(_NEXT.get(shown["status"], "thingstead campaign list").format(shown["campaign"]))
    return 0


_NEXT = {
    "running": "thingstead campaign pause {}",
    "paused": "thingstead campaign resume {}",
    "aborted": "thingstead campaign rollback {}",
}


def _preview(session: Session) -> int:
    arguments = {one.key: session.options[one.key] for one in PLAN if session.options[one.key] is not None}
    arguments["model"] = session.options["model"]
    with_plan(session, arguments)
    shown = ask(session, "campaign.preview", arguments)
    if not session.console.as_json:
        for line in shown.pop("plan"):
            session.console.say(line)
    session.console.show(shown)
    session.console.next("thingstead release publish RELEASE", *_same_plan(session))
    return 0


def _with_some_plan(session: Session, arguments: dict[str, Any]) -> None:
    with_plan(session, arguments)
    if "plan" not in arguments:
        raise ConfigError("expected --plan, or options instead of it; --stages 100% is everybody at once")


def _same_plan(session: Session) -> list[str]:
    words = []
    for one in PLAN:
        if session.options[one.key]:
            words += [one.name, session.options[one.key]]
    return words


LIST = remote("campaign.list", view=_LIST, then="thingstead campaign show {campaign}")
SHOW = Action(
    (_CAMPAIGN, Parameter("--language", "of the maker's words, such as de", default="en"), DOMAIN, AS),
    _show,
    "What it brings, where it stands and what comes next, in plain words; then who has not got it, and why.",
)
PREVIEW = Action(
    (Parameter("model", "the maker's word for the type"), *PLAN, DOMAIN, AS),
    _preview,
    "Who would get a release when, how many at once in each zone, when it would be through if everybody were awake,\n"
    "and who has not been heard of. Nothing changes.",
)
PAUSE = remote(
    "campaign.pause",
    _CAMPAIGN,
    then="thingstead campaign resume {campaign}",
    description="Nobody begins from now on; who has begun may finish.",
)
RESUME = remote(
    "campaign.resume",
    _CAMPAIGN,
    then="thingstead campaign show {campaign}",
    description=(
        "A campaign that was paused goes on where it stood. One that ended because too many failed goes on too: what\n"
        "failed until now is forgiven, and as many more end it again."
    ),
)
ADVANCE = remote(
    "campaign.advance",
    _CAMPAIGN,
    then="thingstead campaign show {campaign}",
    description="Whatever became of the stage under way: nobody waits for its sleepers or its hours of watching.",
)
REPLAN = remote(
    "campaign.replan",
    _CAMPAIGN,
    *PLAN,
    prepare=_with_some_plan,
    then="thingstead campaign show {campaign}",
    description=(
        "For a fix that cannot wait for the next night, or one that went too fast. It goes on from the first stage of\n"
        "the new plan; the places that were given count."
    ),
)
ABORT = remote(
    "campaign.abort",
    _CAMPAIGN,
    then="thingstead campaign rollback {campaign}",
    description=(
        "Nobody gets the release any more, nor its image who has the envelope. Who runs it goes on running it:\n"
        "`thingstead campaign rollback` takes it back."
    ),
)
