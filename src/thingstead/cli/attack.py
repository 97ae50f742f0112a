"""``thingstead attack``: against the running demo, and nothing else."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.clock import SystemClock
from thingstead.enforcement.namespace import Site
from thingstead.errors import SecurityError, consequence
from thingstead.simulator import demo_record
from thingstead.simulator.attack.aim import aim, on_loopback, on_site
from thingstead.simulator.attack.join import join
from thingstead.simulator.attack.replay import replay
from thingstead.simulator.attack.retired import retired
from thingstead.simulator.attack.scan import scan
from thingstead.simulator.attack.tamper import tamper
from thingstead.simulator.attack.target import Target
from thingstead.simulator.attack.token import token
from thingstead.simulator.attack.verdict import Attack, Verdict

__all__ = ["ATTACK"]

_ATTACKS: dict[str, Attack] = {
    "join": join,
    "replay": replay,
    "tamper": tamper,
    "scan": scan,
    "token": token,
    "retired": retired,
}
_ALL = "all"
_PLACES = range(50_000, 59_000)
_VIEW = View(
    (
        ("plane", "plane"),
        ("tried", "what"),
        ("expected", "expected"),
        ("observed", "observed"),
        ("held", "held"),
        ("evidence", "evidence"),
    )
)


def _attack(session: Session) -> int:
    named = session.options["attack"]
    record = demo_record.read(_directory(session))
    clock = SystemClock()
    if record.site:
        # Before any thread is made: the kernel lets only a process of one thread into a user namespace.
        places = on_site(Site.enter(record.pid), clock, first=secrets.choice(_PLACES))
    else:
        session.console.say("the demo has no network of its own: attackers sit on loopback, and knock at no ports")
        places = on_loopback(clock)
    target = aim(record, places, clock=clock, random_bytes=secrets.token_bytes)
    verdicts = asyncio.run(_run(target, list(_ATTACKS.values()) if named == _ALL else [_ATTACKS[named]]))
    session.console.show([asdict(verdict) for verdict in verdicts], _VIEW)
    lost = sum(not verdict.held for verdict in verdicts)
    session.console.say(f"the domain held in {len(verdicts) - lost} of {len(verdicts)} attempts")
    session.console.next(f"thingstead attack {_following(named)}")
    return consequence(SecurityError("")).exit_code if lost else 0


def _directory(session: Session) -> Path:
    if session.options["demo"]:
        return session.path("demo")
    return demo_record.latest(demo_record.runtime_directory(session.environment))


async def _run(target: Target, attacks: Sequence[Attack]) -> list[Verdict]:
    return [verdict for attack in attacks for verdict in await attack(target)]


def _following(named: str) -> str:
    attacks = list(_ATTACKS)
    return attacks[(attacks.index(named) + 1) % len(attacks)] if named in attacks else _ALL


ATTACK = Action(
    (
        Parameter("attack", "what is tried", choices=(*_ATTACKS, _ALL)),
        Parameter("--demo", "the demo's directory; else the one that was started last"),
    ),
    _attack,
    "Patterns of traffic, run against a demo of yours on this machine. The attackers' things are retired in the end.\n"
    "The exit code is 0 if the domain held against everything.",
)
