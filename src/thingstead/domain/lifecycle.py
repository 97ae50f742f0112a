"""The life of a thing as two tables: states and causes, and the restrictions beside them (RFC 8576 §2).

The lifecycle state says where in its life a thing is; the restriction says what we hold against it
meanwhile. They are separate, so that a quarantined thing is still known to be operational or retired.
"""

from __future__ import annotations

from enum import StrEnum

from thingstead.errors import TransitionError

__all__ = [
    "FIRST_STATES",
    "RESTRICTIONS",
    "TRANSITIONS",
    "Cause",
    "LifecycleState",
    "Restriction",
    "advance",
    "restrict",
]


class LifecycleState(StrEnum):
    """Where in its life a thing is (RFC 8576 §2, Figure 1, and the phases named below it)."""

    MANUFACTURED = "manufactured"
    SHELF = "shelf"
    INSTALLED = "installed"
    BOOTSTRAPPING = "bootstrapping"
    OPERATIONAL = "operational"
    MAINTENANCE = "maintenance"
    RE_BOOTSTRAPPING = "re-bootstrapping"
    END_OF_LIFE = "end-of-life"
    DECOMMISSIONED = "decommissioned"
    RE_OWNED = "re-owned"


class Restriction(StrEnum):
    """What is held against a thing: nothing, a doubt (it waits for a person), or a suspicion (it is cut off)."""

    NONE = "none"
    HELD = "held"
    QUARANTINED = "quarantined"


class Cause(StrEnum):
    """Why a thing changes state."""

    SHIPPED = "shipped"
    INSTALLED = "installed"
    JOIN_STARTED = "join-started"
    JOIN_REFUSED = "join-refused"
    JOINED = "joined"
    MAINTENANCE_STARTED = "maintenance-started"
    MAINTENANCE_FINISHED = "maintenance-finished"
    RE_BOOTSTRAP_REQUIRED = "re-bootstrap-required"
    SUPPORT_ENDED = "support-ended"
    SUPPORT_ADOPTED = "support-adopted"
    RETIRED = "retired"
    HANDED_OVER = "handed-over"


_S = LifecycleState
_C = Cause

TRANSITIONS: dict[tuple[LifecycleState, Cause], LifecycleState] = {
    (_S.MANUFACTURED, _C.SHIPPED): _S.SHELF,
    (_S.MANUFACTURED, _C.INSTALLED): _S.INSTALLED,
    (_S.SHELF, _C.INSTALLED): _S.INSTALLED,
    (_S.INSTALLED, _C.JOIN_STARTED): _S.BOOTSTRAPPING,
    (_S.BOOTSTRAPPING, _C.JOIN_REFUSED): _S.INSTALLED,
    (_S.BOOTSTRAPPING, _C.JOINED): _S.OPERATIONAL,
    (_S.OPERATIONAL, _C.MAINTENANCE_STARTED): _S.MAINTENANCE,
    (_S.MAINTENANCE, _C.MAINTENANCE_FINISHED): _S.OPERATIONAL,
    (_S.OPERATIONAL, _C.RE_BOOTSTRAP_REQUIRED): _S.RE_BOOTSTRAPPING,
    (_S.MAINTENANCE, _C.RE_BOOTSTRAP_REQUIRED): _S.RE_BOOTSTRAPPING,
    (_S.RE_BOOTSTRAPPING, _C.JOINED): _S.OPERATIONAL,
    (_S.OPERATIONAL, _C.SUPPORT_ENDED): _S.END_OF_LIFE,
    (_S.MAINTENANCE, _C.SUPPORT_ENDED): _S.END_OF_LIFE,
    (_S.RE_BOOTSTRAPPING, _C.SUPPORT_ENDED): _S.END_OF_LIFE,
    (_S.END_OF_LIFE, _C.JOINED): _S.END_OF_LIFE,
    (_S.END_OF_LIFE, _C.SUPPORT_ADOPTED): _S.RE_BOOTSTRAPPING,
    (_S.MANUFACTURED, _C.RETIRED): _S.DECOMMISSIONED,
    (_S.SHELF, _C.RETIRED): _S.DECOMMISSIONED,
    (_S.INSTALLED, _C.RETIRED): _S.DECOMMISSIONED,
    (_S.BOOTSTRAPPING, _C.RETIRED): _S.DECOMMISSIONED,
    (_S.OPERATIONAL, _C.RETIRED): _S.DECOMMISSIONED,
    (_S.MAINTENANCE, _C.RETIRED): _S.DECOMMISSIONED,
    (_S.RE_BOOTSTRAPPING, _C.RETIRED): _S.DECOMMISSIONED,
    (_S.END_OF_LIFE, _C.RETIRED): _S.DECOMMISSIONED,
    (_S.OPERATIONAL, _C.HANDED_OVER): _S.RE_OWNED,
    (_S.END_OF_LIFE, _C.HANDED_OVER): _S.RE_OWNED,
    (_S.DECOMMISSIONED, _C.HANDED_OVER): _S.RE_OWNED,
    (_S.RE_OWNED, _C.INSTALLED): _S.INSTALLED,
}
"""The declared machine: what is not in it is refused. An interrupted join stays in bootstrapping, days if need be."""

FIRST_STATES: frozenset[LifecycleState] = frozenset({_S.MANUFACTURED, _S.SHELF, _S.INSTALLED})
"""The states in which a thing may become known to us."""

RESTRICTIONS: frozenset[tuple[Restriction, Restriction]] = frozenset(
    {
        (Restriction.NONE, Restriction.HELD),
        (Restriction.NONE, Restriction.QUARANTINED),
        (Restriction.HELD, Restriction.NONE),
        (Restriction.HELD, Restriction.QUARANTINED),
        (Restriction.QUARANTINED, Restriction.HELD),
        (Restriction.QUARANTINED, Restriction.NONE),
    }
)
"""From what to what a restriction may change."""

_BEYOND_RESTRICTION = frozenset({_S.DECOMMISSIONED, _S.RE_OWNED})


def advance(state: LifecycleState, cause: Cause) -> LifecycleState:
    """The state that `cause` leads to.

    Raises:
        TransitionError: the table has no such row.
    """
    following = TRANSITIONS.get((state, cause))
    if following is None:
        allowed = ", ".join(known.value for origin, known in TRANSITIONS if origin is state)
        raise TransitionError(f"a thing that is {state} takes {allowed}; not {cause}", spec="RFC 8576 §2")
    return following


def restrict(state: LifecycleState, current: Restriction, wanted: Restriction) -> Restriction:
    """The restriction `wanted`, if a thing in `state` under `current` may get it.

    Raises:
        TransitionError: it has that restriction already, or nothing is left to restrict.
    """
    if state in _BEYOND_RESTRICTION:
        raise TransitionError(f"a thing that is {state} has nothing left to restrict", spec="RFC 8576 §2")
    if (current, wanted) not in RESTRICTIONS:
        raise TransitionError(f"the restriction does not change from {current} to {wanted}")
    return wanted
