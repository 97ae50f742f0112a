"""Operations on things: who is here, how each stands on every plane, and every way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from thingstead.controller.conductor import Conductor
from thingstead.controller.kill_clock import KillClock
from thingstead.controller.operation import Acting, Operation
from thingstead.controller.parting import Partings, Withdrawal
from thingstead.domain.lifecycle import Cause, Restriction
from thingstead.domain.network import NO_MAC, ThingAddress
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError, ProtocolError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile.custody import Owner

__all__ = ["ChangeThing", "HandOverThing", "NoArguments", "rows"]


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
        to: file with the next owner's credential, who gets a file for it in return; empty if nobody says.
        forced: also without the thing's receipt that it wiped itself.
        cause: a slug for the ledger.
    """

    thing: str
    to: str = ""
    forced: bool = False
    cause: str = "operator"


HeardOf = Callable[[ThingId], dict[str, Any]]


def rows(
    register: Register,
    conductor: Conductor,
    kill_clock: KillClock,
    *,
    partings: Partings,
    heard_of: HeardOf,
    located: Callable[[], Mapping[ThingId, tuple[ThingAddress, ...]]],
) -> tuple[Operation[Any], ...]:
    """The table; `heard_of` tells what a thing says of itself, and when it was last heard since our start."""

    async def listing(_request: NoArguments) -> list[dict[str, Any]]:
        return [{**_summary(thing), **heard_of(thing.id)} for thing in register.things()]

    async def show(request: ChangeThing) -> dict[str, Any]:
        thing = register.thing(thing_id(request.thing))
        probes = await kill_clock.probe(thing.id)
        return {
            **_summary(thing),
            **heard_of(thing.id),
            "addresses": [_place(one) for one in located().get(thing.id, ())],
            "planes": [asdict(probe) for probe in probes],
            "owed": [f"{owed.demand} by {owed.plane}" for owed in register.obligations(thing.id)],
        }

    async def quarantine(request: ChangeThing) -> Withdrawal:
        report = await conductor.restrict(
            thing_id(request.thing), Restriction.QUARANTINED, actor=request.by, cause=request.cause
        )
        return await partings.timed(report)

    async def restore(request: ChangeThing) -> dict[str, Any]:
        report = await conductor.restrict(
            thing_id(request.thing), Restriction.NONE, actor=request.by, cause=request.cause
        )
        return _summary(report.thing)

    async def retire(request: ChangeThing) -> Withdrawal:
        thing = thing_id(request.thing)
        return await partings.part(thing, Cause.RETIRED, by=request.by, why=request.cause, forced=True)

    async def hand_over(request: HandOverThing) -> Withdrawal:
        thing, to = thing_id(request.thing), _owner(Path(request.to)) if request.to else None
        cause, why, forced = Cause.HANDED_OVER, request.cause, request.forced
        return await partings.part(thing, cause, by=request.by, why=why, forced=forced, to=to)

    return (
        Operation("thing.list", NoArguments, Right.SEE, "every thing and its state", listing),
        Operation("thing.show", ChangeThing, Right.SEE, "one thing, asked about on every plane", show),
        Operation("thing.quarantine", ChangeThing, Right.MAINTAIN, "cut a thing off on all planes", quarantine),
        Operation("thing.restore", ChangeThing, Right.MAINTAIN, "lift a quarantine", restore),
        Operation("thing.retire", ChangeThing, Right.OWN, "take a thing out for good", retire),
        Operation("thing.hand-over", HandOverThing, Right.OWN, "give a thing to another owner", hand_over),
    )


def _owner(credential: Path) -> Owner:
    try:
        read = ccs.decode(credential.read_bytes())
    except (OSError, ProtocolError) as error:
        raise ConfigError(f"expected the next owner's credential at {credential}: {error}") from error
    return Owner(read.subject, read.public)


def _place(one: ThingAddress) -> str:
    return str(one.ip) if one.mac == NO_MAC else f"{one.ip} at {one.mac.hex(':')}"


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
        "verifies_releases": None if thing.verifies is None else not thing.verifies_nothing,
        "joined_at": thing.joined_at,
    }
