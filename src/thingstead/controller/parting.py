"""How a thing leaves, plane by plane: what it gives in parting, and when each relying party last accepted it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from thingstead.controller.conductor import Conductor, TransitionReport
from thingstead.controller.kill_clock import KillClock, KillTime
from thingstead.controller.operation_ownership import Seller
from thingstead.domain.ledger.entry import Detail
from thingstead.domain.lifecycle import Cause, LifecycleState, advance
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.errors import PolicyError
from thingstead.identifier import ThingId
from thingstead.phases.decommission import Decommission, Farewell
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.custody import Owner

__all__ = ["Partings", "PlaneTime", "Withdrawal"]

_KILL_DEADLINE = 60.0


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
        bound: until when those who could not be asked may still accept it; None where all were.
    """

    plane: str
    milliseconds: float | None
    withdrawn: float | None
    relying_party: str
    detail: str
    enforced: bool
    bound: datetime | None


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
        handover: the file for the next owner, in base64url; empty where nobody said who that is.
    """

    thing: str
    state: str
    restriction: str
    at: datetime
    planes: tuple[PlaneTime, ...]
    wipe_receipt: str = ""
    no_receipt: str = ""
    handover: str = ""


class Partings:
    """Ends of things, and of what they may do.

    Args:
        register: the things.
        conductor: asks every plane.
        kill_clock: asks their relying parties.
        decommission: asks the thing.
        seller: writes the file for its next owner.
        size: of the ledger.
    """

    def __init__(
        self,
        register: Register,
        conductor: Conductor,
        kill_clock: KillClock,
        *,
        decommission: Decommission,
        seller: Seller,
        size: Callable[[], int],
    ) -> None:
        self._register = register
        self._conductor = conductor
        self._kill_clock = kill_clock
        self._decommission = decommission
        self._seller = seller
        self._size = size

    async def part(
        self, thing: ThingId, cause: Cause, *, by: str, why: str, forced: bool, to: Owner | None = None
    ) -> Withdrawal:
        """Have a thing wipe itself, and every plane let go of it.

        Args:
            thing: whom.
            cause: retired, or handed over.
            by: who decided.
            why: a slug for the ledger.
            forced: also where it gives no receipt.
            to: whose it is from then on; None if nobody says.

        Raises:
            TransitionError: the lifecycle refuses it; the thing was not asked.
            PolicyError: it gave no receipt.
        """
        record, since = self._register.thing(thing), self._size()
        if to is not None and (record.state, cause) == (LifecycleState.RE_OWNED, Cause.HANDED_OVER):
            given = self._decommission.kept(thing, to, since=record.joined_at)
            if given is not None and given.at is not None:
                return self._again(record, given, given.at)
        # Before the thing is asked: what the table refuses must not cost it its association.
        advance(record.state, cause)
        whom = None if to is None else (record.serial, to)
        farewell = await self._decommission.part(thing, whom, since=record.joined_at)
        if not farewell.receipt and not forced:
            raise PolicyError(
                f"{thing} gave no wipe receipt ({farewell.failure}); it may keep your data: --forced hands it over so",
                reason="wipe",
            )
        evidence: dict[str, Detail] = {**farewell.evidence(), "why": why}
        if to is not None:
            evidence["next_owner"] = cose_key.thumbprint(to.key)
        report = await self._conductor.transition(thing, cause, actor=by, evidence=evidence)
        withdrawal = await self.timed(report, farewell)
        if farewell.papers is None:
            return withdrawal
        return replace(withdrawal, handover=_text(self._seller(thing, farewell, since)))

    def _again(self, record: Thing, given: Farewell, at: datetime) -> Withdrawal:
        """It has left, and whoever asked never saw the file: they get it, and nothing else happens."""
        file = _text(self._seller(record.id, given, 0))
        return Withdrawal(
            record.id, record.state, record.restriction, at, (), wipe_receipt=_text(given.receipt), handover=file
        )

    async def timed(self, report: TransitionReport, farewell: Farewell | None = None) -> Withdrawal:
        """Ask each plane's relying party until it refuses, and tell when it last accepted."""
        times = await self._kill_clock.time(report.thing.id, since=report.at, deadline=_KILL_DEADLINE)
        planes = tuple([_plane_time(report, name, times) for name in PlaneName])
        return Withdrawal(
            report.thing.id,
            report.thing.state,
            report.thing.restriction,
            report.at,
            planes,
            wipe_receipt="" if farewell is None else _text(farewell.receipt),
            no_receipt="" if farewell is None else farewell.failure,
        )


def _plane_time(report: TransitionReport, name: PlaneName, times: Mapping[PlaneName, KillTime]) -> PlaneTime:
    time, outcome = times[name], report.outcomes.get(name)
    said_so = outcome is not None and outcome.receipt is not None and time.enforced
    withdrawn = round(outcome.milliseconds, 3) if outcome is not None and said_so else None
    milliseconds = None if time.milliseconds is None else round(time.milliseconds, 3)
    return PlaneTime(name.value, milliseconds, withdrawn, time.relying_party, time.detail, time.enforced, time.bound)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii")
