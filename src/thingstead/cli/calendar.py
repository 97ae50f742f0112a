"""``thingstead calendar``: what runs out, in a domain that runs or stands still, for people and for cron."""

from __future__ import annotations

import asyncio
from argparse import ArgumentTypeError
from datetime import date, datetime, timedelta

import msgspec

from thingstead.analysis.calendar import Due, calendar
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.console import View
from thingstead.cli.input import whole
from thingstead.cli.remote import DOMAIN, ask, domain_root
from thingstead.clock import SystemClock
from thingstead.controller.at_rest import expiries_at_rest
from thingstead.controller.directory import DomainDirectory
from thingstead.errors import CONSEQUENCES, ExpiredError, TransportError

__all__ = ["CALENDAR"]

_MOST_DAYS = 36_500
_LONGEST_SPAN = 6
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_VIEW = View(
    (
        ("act by", "last_safe_day"),
        ("urgency", "urgency"),
        ("expires", "at"),
        ("what", "what"),
        ("renewed by itself", "is_renewed"),
        ("strands", "strands"),
    ),
    empty="nothing expires",
)


def _calendar(session: Session) -> int:
    at, within = SystemClock().utc(), session.options["fail_within"]
    rows = _due(session, at)
    failing = [] if within is None else [row for row in rows if row.fails(at, within)]
    horizon = session.options["days"]
    until = date.max if horizon is None else (at + timedelta(days=horizon)).date()
    shown = [row for row in rows if row.last_safe_day <= until or row in failing]
    session.console.show(msgspec.to_builtins(shown), _VIEW)
    if failing:
        session.console.say(
            f"{len(failing)} of these end within {within}, or their last safe day is over, and nobody renews them"
        )
        return CONSEQUENCES[ExpiredError].exit_code
    session.console.next("thingstead status")
    return 0


def _due(session: Session, at: datetime) -> tuple[Due, ...]:
    """Asked of the controller; where none runs, read from its directory."""
    root = domain_root(session)
    try:
        return msgspec.convert(ask(session, "calendar", {}), tuple[Due, ...])
    except TransportError:
        directory = DomainDirectory(root)
        if not directory.configuration.exists():
            raise
    session.console.note(f"no controller runs on {root}; read from what it kept")
    return calendar(asyncio.run(expiries_at_rest(directory, SystemClock())), at=at)


def _span(text: str) -> timedelta:
    unit = _UNITS.get(text[-1:])
    is_span = text.isascii() and text[:-1].isdecimal() and len(text) <= _LONGEST_SPAN
    span = int(text[:-1]) * unit if unit is not None and is_span else None
    if span is None or span > timedelta(days=_MOST_DAYS):
        raise ArgumentTypeError(f"expected a time such as 30d, 12h or 4w, got {text[:20]!r}")
    return span


CALENDAR = Action(
    (
        Parameter("--days", "leave out what need not be acted on within so many", read=whole(0, _MOST_DAYS)),
        Parameter("--fail-within", "exit code 23 where something ends within this, such as 30d", read=_span),
        DOMAIN,
    ),
    _calendar,
    "What is renewed without anybody counts only once the time for that has passed. A domain that does not run is\n"
    "read from its directory, so that cron and CI can ask too:\n\n"
    "    thingstead calendar --domain my-domain --fail-within 30d --json",
)
