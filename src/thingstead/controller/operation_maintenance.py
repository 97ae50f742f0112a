"""Operations of maintenance: orders to things, permits to give such orders without the domain, and what things tell."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Annotated, Any

import msgspec

from thingstead.controller.maintenance import Maintenance
from thingstead.controller.operation import Acting, Operation
from thingstead.crypto.key import PublicKey
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.errors import ConfigError, RoleError
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.access.permits import Permit, Permits
from thingstead.protocols.profile.maintenance import Task
from thingstead.protocols.profile.permit import Carried, PermitFile
from thingstead.storage.operator_file import Operators

__all__ = ["Configure", "Order", "ShowMaintenance", "WithdrawPermits", "WritePermits", "rows"]

_MOST_HOURS = 720


@dataclass(frozen=True, slots=True)
class Order(Acting):
    """Which thing.

    Attributes:
        thing: its id.
    """

    thing: str


@dataclass(frozen=True, slots=True)
class Configure(Acting):
    """What a thing is set to.

    Attributes:
        thing: its id.
        telemetry_interval: seconds between two of its readings.
    """

    thing: str
    telemetry_interval: float


@dataclass(frozen=True, slots=True)
class WritePermits(Acting):
    """Let a maintainer act at things while the domain is not there.

    Attributes:
        name: of a maintainer with a key, as the file `operators` has them.
        things: their ids.
        tasks: begin, diagnose, restart, update, configure, end.
        hours: until it ends, up to 720.
    """

    name: str
    things: list[str]
    tasks: tuple[Task, ...] = tuple(Task)
    hours: Annotated[float, msgspec.Meta(gt=0, le=_MOST_HOURS)] = 24.0


@dataclass(frozen=True, slots=True)
class WithdrawPermits(Acting):
    """Take back all that a maintainer may do at things without the domain.

    Attributes:
        name: whose.
    """

    name: str


@dataclass(frozen=True, slots=True)
class ShowMaintenance:
    """Which thing.

    Attributes:
        thing: its id.
    """

    thing: str


def rows(
    maintenance: Maintenance,
    permits: Permits,
    register: Register,
    *,
    operators: Callable[[], Operators],
    holder_of: Callable[[ThingId], PublicKey],
    domain: str,
) -> tuple[Operation[Any], ...]:
    """The table.

    Args:
        maintenance: gives the orders.
        permits: of people.
        register: the things.
        operators: who may ask, as it is written now.
        holder_of: the key that a thing proved; raises `StateError` for one that is not in.
        domain: its name.
    """

    def giving(task: Task) -> Callable[[Any], Any]:
        async def give(asked: Order | Configure) -> dict[str, Any]:
            arguments = {name: value for name, value in asdict(asked).items() if name not in _NOT_SETTINGS}
            thing = thing_id(asked.thing)
            return await maintenance.order(task, thing, arguments, by=asked.by, signed=asked.proof)

        return give

    async def permit(asked: WritePermits) -> dict[str, Any]:
        public = _maintainer(operators(), asked.name)
        things = [register.thing(thing_id(one)).id for one in dict.fromkeys(asked.things)]
        if not things or not asked.tasks:
            raise ConfigError("expected a thing, and what may be done there")
        keys = {thing: holder_of(thing) for thing in things}
        lifetime, carried, until = timedelta(hours=asked.hours), [], None
        for thing in things:
            token, given = await permits.issue(
                asked.name, public, thing, tasks=asked.tasks, lifetime=lifetime, by=asked.by
            )
            carried.append(Carried(thing, token, keys[thing]))
            until = given.expires
        file = PermitFile(domain, asked.name, tuple(carried)).encode()
        return {
            "holder": asked.name,
            "things": things,
            "tasks": sorted(set(asked.tasks)),
            "expires": until,
            "permit": base64.urlsafe_b64encode(file).decode("ascii"),
        }

    async def withdraw(asked: WithdrawPermits) -> dict[str, Any]:
        return {"holder": asked.name, "permits": await permits.withdraw(asked.name, by=asked.by)}

    async def show(asked: ShowMaintenance) -> dict[str, Any]:
        thing = register.thing(thing_id(asked.thing))
        book = maintenance.book(thing.id)
        return {
            "thing": thing.id,
            "state": thing.state.value,
            "journal": book.journal.hex(),
            "orders_told": book.expected,
            "missing": [f"{first} to {last}" for first, last in book.missing],
            "unanswered": [f"{task} of {who}" for task, who in book.asked],
            "permits": [_told(one) for one in permits if one.thing == thing.id],
        }

    begin, restart, configure = giving(Task.BEGIN), giving(Task.RESTART), giving(Task.CONFIGURE)
    return (
        Operation("maintenance.begin", Order, Right.MAINTAIN, "take a thing into maintenance", begin),
        Operation("maintenance.diagnose", Order, Right.MAINTAIN, "ask a thing how it stands", giving(Task.DIAGNOSE)),
        Operation("maintenance.restart", Order, Right.MAINTAIN, "have a thing in maintenance begin anew", restart),
        Operation("maintenance.update", Order, Right.MAINTAIN, "have it ask for a release now", giving(Task.UPDATE)),
        Operation("maintenance.configure", Configure, Right.MAINTAIN, "change settings of a thing", configure),
        Operation("maintenance.end", Order, Right.MAINTAIN, "let a thing out of maintenance", giving(Task.END)),
        Operation("maintenance.show", ShowMaintenance, Right.AUDIT, "a thing's maintenance, and what is missing", show),
        Operation("maintenance.permit", WritePermits, Right.OWN, "let a maintainer act without the domain", permit),
        Operation("maintenance.withdraw", WithdrawPermits, Right.OWN, "take back a maintainer's permits", withdraw),
    )


_NOT_SETTINGS = frozenset({"thing", "by", "proof"})


def _maintainer(operators: Operators, name: str) -> PublicKey:
    """The key of a maintainer."""
    found = [one for one in operators.keys.values() if one[1].name == name]
    if len(found) != 1:
        raise ConfigError(f"expected one line of the file `operators` that gives {name[:40]!r} a key, got {len(found)}")
    public, operator = found[0]
    if not operator.may(Right.MAINTAIN):
        raise RoleError(f"a permit takes the right to {Right.MAINTAIN}; {name[:40]} is {operator.role}")
    return public


def _told(one: Permit) -> dict[str, Any]:
    return {"holder": one.holder, "tasks": sorted(one.tasks), "expires": one.expires}
