"""Operations on things: who is here, how each stands on every plane, and every way out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from thingstead.controller.conductor import Conductor, TransitionReport
from thingstead.controller.operation import Acting, Operation
from thingstead.domain.ledger.entry import Detail
from thingstead.domain.lifecycle import Cause, Restriction, advance
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError, PolicyError, ProtocolError
from thingstead.identifier import ThingId, thing_id
from thingstead.phases.decommission import Decommission, Farewell
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs

__all__ = ["ChangeThing", "HandOverThing", "NoArguments", "PlaneTime", "Withdrawal", "rows"]

_KILL_DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class NoArguments:
    """A request that says all by its name."""


@dataclass(frozen=True, slots=True)
class ChangeThing(Acting):
    """Name a thing, and say why.

    Attributes:
        thing: its id.
        cause: a slug for the ledger.
    """

    thing: str
    cause: str = "operator"


@dataclass(frozen=True, slots=True)
class HandOverThing(Acting):
    """Give a thing to another owner.

    Attributes:
        thing: its id.
        to: file with the next owner's credential, for the ledger; empty if nobody says.
        forced: also without the thing's receipt that it wiped itself.
        cause: a slug for the ledger.
    """

    thing: str
    to: str = ""
    forced: bool = False
    cause: str = "operator"


@dataclass(frozen=True, slots=True)
class PlaneTime:
    """One plane's kill clock.

    Attributes:
        plane: its name.
        milliseconds: from the decision to the last acceptance by its relying party, 0 if none came after it;
            None if it still accepts, or if nobody enforces the refusal.
        withdrawn: milliseconds until the plane said that it had withdrawn; None if it still owes.
        relying_party: who was asked.
        detail: what it said.
        enforced: False in a dry run.
    """

    plane: str
    milliseconds: float | None
    withdrawn: float | None
    relying_party: str
    detail: str
    enforced: bool


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """How a thing left, plane by plane.

    Attributes:
        thing: its id.
        state: it is in now.
        restriction: held against it now.
        at: when that was decided.
        planes: how each let go.
        wipe_receipt: the thing's signed word that it forgot us, in base64url; empty without one.
        no_receipt: why there is none; empty with one, and where none was asked for.
    """

    thing: str
    state: str
    restriction: str
    at: datetime
    planes: tuple[PlaneTime, ...]
    wipe_receipt: str = ""
    no_receipt: str = ""


HeardOf = Callable[[ThingId], dict[str, Any]]


def rows(
    register: Register, conductor: Conductor, *, decommission: Decommission, heard_of: HeardOf
) -> tuple[Operation[Any], ...]:
    """The table; `heard_of` tells what a thing says of itself, and when it was last heard since our start."""

    async def listing(_request: NoArguments) -> list[dict[str, Any]]:
        return [{**_summary(thing), **heard_of(thing.id)} for thing in register.things()]

    async def show(request: ChangeThing) -> dict[str, Any]:
        thing = register.thing(thing_id(request.thing))
        probes = await conductor.probe(thing.id)
        return {
            **_summary(thing),
            **heard_of(thing.id),
            "planes": [asdict(probe) for probe in probes],
            "owed": [f"{owed.demand} by {owed.plane}" for owed in register.obligations(thing.id)],
        }

    async def quarantine(request: ChangeThing) -> Withdrawal:
        report = await conductor.restrict(
            thing_id(request.thing), Restriction.QUARANTINED, actor=request.by, cause=request.cause
        )
        return await _timed(report)

    async def restore(request: ChangeThing) -> dict[str, Any]:
        report = await conductor.restrict(
            thing_id(request.thing), Restriction.NONE, actor=request.by, cause=request.cause
        )
        return _summary(report.thing)

    async def retire(request: ChangeThing) -> Withdrawal:
        return await _part(thing_id(request.thing), Cause.RETIRED, request, forced=True)

    async def hand_over(request: HandOverThing) -> Withdrawal:
        evidence = {"next_owner": _thumbprint(Path(request.to))} if request.to else {}
        identifier = thing_id(request.thing)
        return await _part(identifier, Cause.HANDED_OVER, request, forced=request.forced, evidence=evidence)

    async def _part(
        thing: ThingId,
        cause: Cause,
        request: ChangeThing | HandOverThing,
        *,
        forced: bool,
        evidence: Mapping[str, Detail] | None = None,
    ) -> Withdrawal:
        # Before the thing is asked: what the table refuses must not cost it its association.
        advance(register.thing(thing).state, cause)
        farewell = await decommission.part(thing)
        if not farewell.receipt and not forced:
            raise PolicyError(
                f"{thing} gave no wipe receipt ({farewell.failure}); it may keep your data", reason="wipe"
            )
        evidence = {**(evidence or {}), **farewell.evidence(), "why": request.cause}
        return await _timed(await conductor.transition(thing, cause, actor=request.by, evidence=evidence), farewell)

    async def _timed(report: TransitionReport, farewell: Farewell | None = None) -> Withdrawal:
        times = await conductor.kill_clock(report.thing.id, since=report.at, deadline=_KILL_DEADLINE)
        planes = tuple([_plane_time(report, name, times) for name in PlaneName])
        return Withdrawal(
            report.thing.id,
            report.thing.state,
            report.thing.restriction,
            report.at,
            planes,
            wipe_receipt="" if farewell is None else base64.urlsafe_b64encode(farewell.receipt).decode("ascii"),
            no_receipt="" if farewell is None else farewell.failure,
        )

    return (
        Operation("thing.list", NoArguments, Right.SEE, "every thing and its state", listing),
        Operation("thing.show", ChangeThing, Right.SEE, "one thing, asked about on every plane", show),
        Operation("thing.quarantine", ChangeThing, Right.MAINTAIN, "cut a thing off on all planes", quarantine),
        Operation("thing.restore", ChangeThing, Right.MAINTAIN, "lift a quarantine", restore),
        Operation("thing.retire", ChangeThing, Right.OWN, "take a thing out for good", retire),
        Operation("thing.hand-over", HandOverThing, Right.OWN, "give a thing to another owner", hand_over),
    )


def _plane_time(report: TransitionReport, name: PlaneName, times: Mapping[PlaneName, Any]) -> PlaneTime:
    time, outcome = times[name], report.outcomes.get(name)
    said_so = outcome is not None and outcome.receipt is not None and time.enforced
    withdrawn = round(outcome.milliseconds, 3) if outcome is not None and said_so else None
    milliseconds = None if time.milliseconds is None else round(time.milliseconds, 3)
    return PlaneTime(name.value, milliseconds, withdrawn, time.relying_party, time.detail, time.enforced)


def _thumbprint(credential: Path) -> bytes:
    try:
        return cose_key.thumbprint(ccs.decode(credential.read_bytes()).public)
    except (OSError, ProtocolError) as error:
        raise ConfigError(f"expected the next owner's credential at {credential}: {error}") from error


def _summary(thing: Thing) -> dict[str, Any]:
    return {
        "thing": thing.id,
        "state": thing.state.value,
        "restriction": thing.restriction.value,
        "maker": thing.maker,
        "model": thing.model,
        "serial": thing.serial,
        "zone": thing.zone,
        "mud_url": thing.mud_url,
        "support_end": thing.support_end,
        "joined_at": thing.joined_at,
    }
