"""The plane: the product's promise as a type, and the one table of what each state asks of each plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from thingstead.domain.crypto_asset import CryptoAsset
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.thing import Thing
from thingstead.identifier import ThingId, TransitionId

__all__ = [
    "OBLIGATIONS",
    "Demand",
    "Expiry",
    "Finding",
    "Obligation",
    "Plane",
    "PlaneName",
    "Probe",
    "Receipt",
    "Standing",
    "demands",
]


class PlaneName(StrEnum):
    """The six planes."""

    IDENTITY = "identity"
    ACCESS = "access"
    GROUPS = "groups"
    SOFTWARE = "software"
    NETWORK = "network"
    DATA = "data"


class Demand(StrEnum):
    """What a plane is asked to do with a thing."""

    ADMIT = "admit"
    RESTRICT = "restrict"
    WITHDRAW = "withdraw"


class Standing(StrEnum):
    """What a relying party would do with the thing right now."""

    ACCEPTED = "accepted"
    RESTRICTED = "restricted"
    REFUSED = "refused"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Obligation:
    """What one plane still owes to one transition; committed with it, settled by a receipt."""

    transition_id: TransitionId
    thing: ThingId
    plane: PlaneName
    demand: Demand
    cause: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """A plane's word that a demand is met. `detail` is one line for the ledger: what was done, no secrets."""

    plane: PlaneName
    thing: ThingId
    demand: Demand
    transition_id: TransitionId
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A relying party's answer about a thing.

    Attributes:
        plane: whose matter it is.
        thing: who was asked about.
        standing: what the relying party would do with it now.
        relying_party: who answered: a peer, a resource, the kernel; never the plane's own memory.
        at: when it answered.
        detail: one line of evidence, e.g. the rule that dropped a packet.
        last_acceptance: when it last accepted anything of the thing; None if it cannot tell: the kill clock
            then runs on to its first refusal.
        enforced: whether anybody acts on `standing`; False in a dry run, which has no time of a last acceptance.
        bound: until when one that could not be asked may accept the thing; None where all were.
    """

    plane: PlaneName
    thing: ThingId
    standing: Standing
    relying_party: str
    at: datetime
    detail: str = ""
    last_acceptance: datetime | None = None
    enforced: bool = True
    bound: datetime | None = None


@dataclass(frozen=True, slots=True)
class Expiry:
    """Something of a plane that will expire.

    Attributes:
        what: what expires.
        at: when.
        strands: the things that stop working then.
        plane: whose matter it is.
        renewal: from when on it is renewed without anybody, who therefore need not act before; None if it is not.
        warning: how long before the end it is first told; None for a week before the last safe day.
    """

    what: str
    at: datetime
    strands: tuple[ThingId, ...]
    plane: PlaneName
    renewal: datetime | None = None
    warning: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a plane can show for a threat, challenge or requirement.

    Attributes:
        question: e.g. ``T5``, ``C5.3.1`` or ``R-15`` (RFC 8576 §3, §5; requirements).
        plane: who speaks; None for the controller, which is above the planes.
        control: what stands against it, in one line.
        evidence: what was seen in the live domain, with a figure or a ledger entry.
        remaining_risk: what the control does not cover; never empty.
        holds: whether the evidence was found now.
    """

    question: str
    plane: PlaneName | None
    control: str
    evidence: str
    remaining_risk: str
    holds: bool


class Plane(Protocol):
    """One of the six engines. Its three demands are idempotent per `transition_id`; they come again after a crash."""

    @property
    def name(self) -> PlaneName:
        """Which plane this is."""
        ...

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Let the thing in, as far as its state and restriction say."""
        ...

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Cut the thing down to what ``thing.state`` and ``thing.restriction`` leave it; `admit` undoes it.

        A quarantined thing is left nothing: every relying party refuses it.
        """
        ...

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Take back everything the thing has on this plane, for good."""
        ...

    async def probe(self, thing: Thing) -> Probe:
        """Ask a relying party what it would accept from the thing right now."""
        ...

    def expiries(self) -> Sequence[Expiry]:
        """Everything of this plane that will expire, and whom it strands."""
        ...

    def assets(self) -> Sequence[CryptoAsset]:
        """Everything of this plane that holds because of an algorithm, with nothing secret in it (R-86)."""
        ...

    def findings(self, question: str) -> Sequence[Finding]:
        """What this plane can show for `question`; empty where it has nothing to say."""
        ...

    def snapshot(self) -> Mapping[str, bytes]:
        """What a backup must hold of this plane, and nothing that must never come back."""
        ...

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up a snapshot; what was revoked since stays revoked."""
        ...


_S = LifecycleState
_NONE, _HELD, _QUARANTINED = Restriction.NONE, Restriction.HELD, Restriction.QUARANTINED
_A, _R, _W = Demand.ADMIT, Demand.RESTRICT, Demand.WITHDRAW

_Row = tuple[Demand | None, Demand | None, Demand | None, Demand | None, Demand | None, Demand | None]
_NOTHING: _Row = (None, None, None, None, None, None)

# Columns: identity, access, groups, software, network, data. Nothing is asked before a join: default is deny.
# A held thing keeps its credential and its way to updates: an update may be what it is held for.
_ROWS: dict[tuple[LifecycleState, Restriction], _Row] = {
    (_S.MANUFACTURED, _NONE): _NOTHING,
    (_S.MANUFACTURED, _HELD): _NOTHING,
    (_S.MANUFACTURED, _QUARANTINED): (_R, _R, _R, _R, _R, _R),
    (_S.SHELF, _NONE): _NOTHING,
    (_S.SHELF, _HELD): _NOTHING,
    (_S.SHELF, _QUARANTINED): (_R, _R, _R, _R, _R, _R),
    (_S.INSTALLED, _NONE): _NOTHING,
    (_S.INSTALLED, _HELD): _NOTHING,
    (_S.INSTALLED, _QUARANTINED): (_R, _R, _R, _R, _R, _R),
    (_S.BOOTSTRAPPING, _NONE): _NOTHING,
    (_S.BOOTSTRAPPING, _HELD): _NOTHING,
    (_S.BOOTSTRAPPING, _QUARANTINED): (_R, _R, _R, _R, _R, _R),
    (_S.OPERATIONAL, _NONE): (_A, _A, _A, _A, _A, _A),
    (_S.OPERATIONAL, _HELD): (_A, _R, _R, _A, _R, _R),
    (_S.OPERATIONAL, _QUARANTINED): (_R, _R, _R, _R, _R, _R),
    (_S.MAINTENANCE, _NONE): (_A, _A, _A, _A, _A, _A),
    (_S.MAINTENANCE, _HELD): (_A, _R, _R, _A, _R, _R),
    (_S.MAINTENANCE, _QUARANTINED): (_R, _R, _R, _R, _R, _R),
    (_S.RE_BOOTSTRAPPING, _NONE): (_R, _R, _R, _R, _R, _R),
    (_S.RE_BOOTSTRAPPING, _HELD): (_R, _R, _R, _R, _R, _R),
    (_S.RE_BOOTSTRAPPING, _QUARANTINED): (_R, _R, _R, _R, _R, _R),
    (_S.END_OF_LIFE, _NONE): (_A, _A, _A, _A, _R, _A),
    (_S.END_OF_LIFE, _HELD): (_A, _R, _R, _A, _R, _R),
    (_S.END_OF_LIFE, _QUARANTINED): (_R, _R, _R, _R, _R, _R),
    (_S.DECOMMISSIONED, _NONE): (_W, _W, _W, _W, _W, _W),
    (_S.DECOMMISSIONED, _HELD): (_W, _W, _W, _W, _W, _W),
    (_S.DECOMMISSIONED, _QUARANTINED): (_W, _W, _W, _W, _W, _W),
    (_S.RE_OWNED, _NONE): (_W, _W, _W, _W, _W, _W),
    (_S.RE_OWNED, _HELD): (_W, _W, _W, _W, _W, _W),
    (_S.RE_OWNED, _QUARANTINED): (_W, _W, _W, _W, _W, _W),
}

OBLIGATIONS: dict[tuple[LifecycleState, Restriction], dict[PlaneName, Demand | None]] = {
    key: dict(zip(PlaneName, row, strict=True)) for key, row in _ROWS.items()
}
"""(state, restriction) x plane -> what the plane owes; None asks nothing of it."""


def demands(before: Thing, after: Thing, *, has_joined: bool = False) -> dict[PlaneName, Demand]:
    """What the step from `before` to `after` asks of which plane.

    Where the demand is the same as before, nothing is asked again: it was met, or its obligation is
    still open. A restrict is asked again when state or restriction differ, for it means another thing then. After a
    join everything is: there are new keys, also where the state is that of before.
    """
    held = OBLIGATIONS[before.state, before.restriction]
    owed = OBLIGATIONS[after.state, after.restriction]
    moved = before.restriction is not after.restriction or before.state is not after.state
    return {
        plane: demand
        for plane, demand in owed.items()
        if demand is not None and (has_joined or demand is not held[plane] or (demand is Demand.RESTRICT and moved))
    }
