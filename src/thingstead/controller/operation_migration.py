"""Operations on a maker's update keys: what a change would do, its steps, and how far the things have come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from thingstead.controller.operation import Acting, Operation
from thingstead.controller.owner import Owner
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.migration import Plan, Prospect, Standing, overdue
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId
from thingstead.planes.software.migration import Migrations
from thingstead.protocols.profile.succession import StepKind

__all__ = ["OfMaker", "PlanKeys", "StepKeys", "rows"]

_MAX_ANCHOR = 1 << 18
_BY_NAME = frozenset({Standing.ASLEEP, Standing.LATE, Standing.UNABLE, Standing.UNTOLD})
"""Whom a plan names; the rest it counts."""


@dataclass(frozen=True, slots=True)
class PlanKeys:
    """What the next step of a maker's anchor file would do.

    Attributes:
        anchor: absolute path of the file.
        until: last day on which the old keys' word counts, as YYYY-MM-DD; empty for the end of their algorithms.
    """

    anchor: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class StepKeys(Acting):
    """The next step of a maker's anchor file.

    Attributes:
        anchor: absolute path of the file.
        until: last day on which the old keys' word counts, as YYYY-MM-DD; empty for the end of their algorithms.
        leaving: ids or serial numbers of things that are left behind on purpose, with commas between.
    """

    anchor: str
    until: str = ""
    leaving: str = ""


@dataclass(frozen=True, slots=True)
class OfMaker:
    """How far the things of a maker have come.

    Attributes:
        maker: its name; empty for every maker whose keys moved.
    """

    maker: str = ""


def rows(migrations: Migrations, owner: Owner, register: Register) -> tuple[Operation[Any], ...]:
    """The table."""

    async def plan(request: PlanKeys) -> dict[str, Any]:
        anchor = _read(request.anchor)
        kind, made = migrations.plan(anchor, until=_day(request.until))
        return {"maker": anchor.maker, "step": kind.name.lower(), **_shown(made)}

    async def take(request: StepKeys, *kinds: StepKind) -> dict[str, Any]:
        anchor = _read(request.anchor)
        left = _named(request.leaving, register)
        after = await migrations.advance(anchor, *kinds, until=_day(request.until), leaving=left, actor=request.by)
        # From here on it is decided: a start anew takes it up where this is cut off.
        await owner.reload_trust()
        campaign, _, _ = migrations.standing(anchor.maker)
        until = None if campaign is None else campaign.until
        return {"maker": anchor.maker, "number": after.number, "must_sign": str(after.effective), "until": until}

    async def start(request: StepKeys) -> dict[str, Any]:
        return await take(request, StepKind.INTRODUCE)

    async def retire(request: StepKeys) -> dict[str, Any]:
        return await take(request, StepKind.RETIRE)

    async def rollback(request: StepKeys) -> dict[str, Any]:
        return await take(request, StepKind.RETURN, StepKind.INTRODUCE)

    async def status(request: OfMaker) -> list[dict[str, Any]]:
        makers = (request.maker,) if request.maker else migrations.makers()
        return [_status(migrations, maker) for maker in makers]

    return (
        Operation("migration.plan", PlanKeys, Right.OWN, "who would move to other update keys, and who not", plan),
        Operation("migration.start", StepKeys, Right.OWN, "have things take other update keys beside the old", start),
        Operation("migration.retire", StepKeys, Right.OWN, "have things drop the old update keys", retire),
        Operation("migration.rollback", StepKeys, Right.OWN, "have things go back to the old update keys", rollback),
        Operation("migration.status", OfMaker, Right.AUDIT, "how far things are with their update keys", status),
    )


def _status(migrations: Migrations, maker: str) -> dict[str, Any]:
    campaign, keys, now = migrations.standing(maker)
    told: dict[str, Any] = {
        "maker": maker,
        "number": keys.number,
        "phase": "steady" if keys.incoming is None else "overlap",
        "must_sign": str(keys.effective),
        "since": None if campaign is None else campaign.at,
    }
    if campaign is None or now is None:
        return told
    late = overdue(now, at=migrations.now())
    left = sorted(campaign.leaving)
    return {**told, **_shown(now), "left_behind": left, "to_isolate": [one.candidate.thing for one in late]}


def _shown(made: Plan) -> dict[str, Any]:
    named = [one for one in made.prospects if one.standing in _BY_NAME]
    return {"until": made.until, **made.counts(), "by_name": [_row(one) for one in named]}


def _row(one: Prospect) -> dict[str, Any]:
    return {
        "thing": one.candidate.thing,
        "serial": one.candidate.serial,
        "model": one.candidate.model,
        "standing": one.standing.value,
        "last_heard": one.candidate.heard_at,
        "last_safe_day": one.last_safe,
        "stranded": one.is_stranded,
    }


def _named(text: str, register: Register) -> frozenset[ThingId]:
    wanted = [one for one in text.split(",") if one]
    known = {name: thing.id for thing in register.things() for name in (thing.id, thing.serial)}
    unknown = [one for one in wanted if one not in known]
    if unknown:
        raise ConfigError(f"expected ids or serial numbers of things here, got {', '.join(unknown)[:80]!r}")
    return frozenset([known[one] for one in wanted])


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigError(f"expected a day such as 2031-12-31, got {text[:20]!r}") from None


def _read(path: str) -> TrustAnchor:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_ANCHOR + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > _MAX_ANCHOR:
        raise ConfigError(f"expected {path} to have at most {_MAX_ANCHOR} bytes")
    return anchor_file.decode(data)
