"""Who may maintain a thing, and how the ledger tells of it: one decision and one entry, wherever somebody acted (R-07).

A maintainer acts at the controller, from far away, or before the thing while the domain is away. What they did then is
judged when it is told, as of the state in which the domain has the thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.role import Operator, Right
from thingstead.domain.thing import Thing
from thingstead.errors import RoleError, TransitionError
from thingstead.identifier import ThingId
from thingstead.protocols.profile.maintenance import Task, require_order

__all__ = ["AT_DOMAIN", "AT_THING", "decide", "entry"]

AT_DOMAIN, AT_THING = "domain", "thing"
"""Where an order was given, for the ledger."""

_MAINTAINED = frozenset({LifecycleState.OPERATIONAL, LifecycleState.MAINTENANCE})


def decide(who: Operator, task: Task, thing: Thing) -> None:
    """Pass where somebody may do this to a thing now.

    Raises:
        RoleError: their role does not maintain.
        TransitionError: the thing is not in, is quarantined, or the task is out of order.
    """
    if not who.may(Right.MAINTAIN):
        raise RoleError(f"{task.operation} takes the right to {Right.MAINTAIN}; you ask as {who.actor}")
    if thing.state not in _MAINTAINED or thing.restriction is Restriction.QUARANTINED:
        raise TransitionError(f"{thing.id} is {thing.state}, {thing.restriction}: it is not maintained")
    require_order(task, is_open=thing.state is LifecycleState.MAINTENANCE)


def entry(
    who: str, task: str, thing: ThingId, *, at: datetime, where: str, signed: bytes, details: Mapping[str, Detail]
) -> Draft:
    """What the ledger has of one order.

    Args:
        who: as the ledger calls them.
        task: what, or what else is told about the journal.
        thing: whose maintenance it is.
        at: when the domain learnt of it.
        where: `AT_DOMAIN` or `AT_THING`.
        signed: the order as they signed it; empty where the kernel said who they are.
        details: number, settings, and what was objected to.
    """
    return Draft(at, Kind.MAINTENANCE, who, thing, task, {"where": where, "signed": signed, **details})
