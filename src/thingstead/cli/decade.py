"""``thingstead decade``: ten years of a domain in minutes, in this process alone, to see whom time strands."""

from __future__ import annotations

import logging

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import whole
from thingstead.simulator.decade.play import play_decade, play_wink

__all__ = ["DECADE"]

_SCENARIOS = {"decade": play_decade, "wink": play_wink}
_DID_NOT_HOLD = 1
_MOST_THINGS = 5000


def _decade(session: Session) -> int:
    options = session.options
    # What planes and things have to warn of is part of the story, and told there.
    logging.getLogger("thingstead").setLevel(logging.CRITICAL)
    console = session.console
    console.say(
        f"SIMULATED: time, network, disks, wear and chance (seed {options['seed']}); the things, planes and protocols "
        "are the product's own"
    )
    tale = _SCENARIOS[options["scenario"]](seed=options["seed"], things=options["things"], tell=console.say)
    console.say(f"{len(tale.stranded)} stranded, {len(tale.back)} back that had left; digest {tale.digest}")
    if console.as_json:
        console.show(tale.document(seed=options["seed"], things=options["things"]))
    else:
        console.next("thingstead calendar")
    return 0 if tale.is_good else _DID_NOT_HOLD


DECADE = Action(
    (
        Parameter(
            "--scenario", "all of it, or one day on which everything ends", choices=tuple(_SCENARIOS), default="decade"
        ),
        Parameter("--seed", "what is left to chance; the same seed, the same story", read=whole(0, 1 << 32), default=1),
        Parameter("--things", "how many", read=whole(10, _MOST_THINGS), default=1000),
    ),
    _decade,
    "Each thing joins, sleeps, loses power or its clock, and comes back by its own rhythm; a fifth are sleepers.\n"
    "Authorities and keys end, things are stolen and sold twice, a maker goes bankrupt, another loses an update key,\n"
    "and the controller burns down. The exit code is 0 where no thing is stranded and none that left is back.",
)
