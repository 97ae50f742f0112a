"""From alarm to quarantine on six planes in step: bounded, timed, on the ledger first, undone by one command (R-38)."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from thingstead.analysis.detectors.detector import Detection
from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor, TransitionReport
from thingstead.controller.response_record import PlaneTime, Response, decode, encode, response_id
from thingstead.controller.standing import GONE
from thingstead.domain.ledger.entry import Detail, Draft, Entry, Kind
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Records
from thingstead.domain.register import Register
from thingstead.domain.response_policy import Extent, ResponsePolicy
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Committed
from thingstead.errors import ConfigError, StorageError, TransitionError
from thingstead.identifier import ThingId

__all__ = ["DOCUMENTS", "Limits", "Responder"]

_LOGGER = logging.getLogger(__name__)
_ACTOR, _CLOCK = "response", "clock"
_HOUR = timedelta(hours=1)
_LONGEST = 200
DOCUMENTS = "@response/"
"""What the keys of its documents begin with; they stay with the controller."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what alarms may make us keep.

    Attributes:
        again: the same detector's word about the same device is written down once in this time.
        strangers_per_hour: alarms about devices that are no things of ours, whose addresses anybody can invent.
        remembered: pairs of detector and device whose last alarm is remembered.
        kept: responses that are kept after they ended.
    """

    again: timedelta = _HOUR
    strangers_per_hour: int = 60
    remembered: int = 10_000
    kept: int = 1000


class Responder:
    """Takes detections; what the owner's policy names is cut off, as far as its bounds go, and all of it is told.

    Args:
        conductor: quarantines, and lets go.
        register: the things.
        records: responses, which a restart does not forget.
        policy: the owner's, as in force.
        clock: for UTC.
        limits: bounds.

    Attributes:
        withheld: detections since our start that a bound of the policy kept from cutting a thing off.
    """

    def __init__(
        self,
        conductor: Conductor,
        register: Register,
        *,
        records: Records,
        policy: Callable[[], ResponsePolicy],
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        self._conductor = conductor
        self._register = register
        self._records = records
        self._policy = policy
        self._clock = clock
        self._limits = limits or Limits()
        self._lock = asyncio.Lock()
        self._responses = {key: decode(document) for key, document in records.load().items()}
        self._told: OrderedDict[tuple[str, bytes], datetime] = OrderedDict()
        self._strangers: list[datetime] = []
        self._unkept: set[str] = set()
        self.withheld = 0
        self._reconcile()

    def follow(self, committed: Committed) -> None:
        """Notice who was let go by whom; to be given to `Store.listen`."""
        for entry in committed.entries:
            if entry.thing is not None and _frees(entry):
                for one in self._open_of(entry.thing):
                    self._responses[one.id] = replace(one, ended_at=entry.at, ended_by=entry.actor)
                    self._unkept.add(one.id)

    def responses(self) -> tuple[Response, ...]:
        """All that are kept, the newest first."""
        return tuple(sorted(self._responses.values(), key=lambda one: (one.at, one.id), reverse=True))

    @property
    def cut_off(self) -> int:
        """Things that are cut off by it now."""
        return len({one.thing for one in self._responses.values() if one.is_open})

    async def alarm(self, detection: Detection) -> Response | None:
        """Put a detection on the ledger, and cut its thing off if the policy says so; the times of each plane.

        Returns:
            None where nobody is cut off: the policy does not say so, a bound is reached, or it was done before.

        Raises:
            StorageError: it could not be put on the ledger; nobody was cut off.
        """
        async with self._lock:
            at = self._clock.utc()
            thing = None if detection.thing is None else self._register.thing(detection.thing)
            objection = "it is no thing of ours" if thing is None else self._objection(detection, thing, at)
            if thing is None or objection:
                await self._tell(detection, at, {"response": f"none: {objection}"})
                return None
            response = _begun(detection, thing, at)
            entry = _draft(detection, at, {"response": response.id})
            await self._records.write({response.id: encode(response)}, entries=[entry])
            self._responses[response.id] = response
        # Not under the lock: a plane that takes its time must not keep the next thing from being cut off.
        return await self._cut_off(response)

    async def undo(self, identifier: str, *, actor: str) -> Response:
        """Let a thing go, to what was held against it before.

        Raises:
            ConfigError: no such response.
            TransitionError: the thing was let go already, or has left.
            StorageError: it could not be kept; nothing happened.
        """
        response = self._responses.get(identifier)
        if response is None:
            raise ConfigError(f"no response {identifier[:40]!r} is kept here: `thingstead response list`")
        if not response.is_open:
            raise TransitionError(f"{response.thing} was let go by {response.ended_by} already")
        await self._let_go(response, actor=actor, cause="response-undone")
        await self.tidy()
        return self._responses[identifier]

    async def tidy(self) -> None:
        """Let go whose time is over, keep what ended since, and forget what ended long ago.

        Raises:
            StorageError: it is done at the next call.
        """
        policy, at = self._policy(), self._clock.utc()
        for one in self.responses():
            if one.is_open and one.planes and policy.is_over(at - one.at):
                await self._let_go(one, actor=_CLOCK, cause="response-over")
        ended = [one for one in reversed(self.responses()) if not one.is_open]
        surplus = [one.id for one in ended[: max(0, len(ended) - self._limits.kept)]]
        for key in surplus:
            del self._responses[key]
            self._unkept.add(key)
        unkept = frozenset(self._unkept)
        if unkept:
            await self._records.write({key: self._document(key) for key in unkept})
            self._unkept -= unkept

    async def _let_go(self, response: Response, *, actor: str, cause: str) -> None:
        evidence: dict[str, Detail] = {"response": response.id}
        await self._conductor.restrict(response.thing, response.before, actor=actor, cause=cause, evidence=evidence)

    def _reconcile(self) -> None:
        """After a crash: what was decided and not begun never was, and who was let go meanwhile is noticed now."""
        at = self._clock.utc()
        for one in [one for one in self._responses.values() if one.is_open]:
            if self._register.thing(one.thing).restriction is Restriction.QUARANTINED:
                continue
            self._unkept.add(one.id)
            if one.planes:
                self._responses[one.id] = replace(one, ended_at=at, ended_by="somebody")
            else:
                del self._responses[one.id]

    async def _cut_off(self, response: Response) -> Response | None:
        details: dict[str, Detail] = {"response": response.id, "detector": response.detector}
        try:
            report = await self._conductor.restrict(
                response.thing, Restriction.QUARANTINED, actor=_ACTOR, cause=response.detector, evidence=details
            )
        except (TransitionError, StorageError) as error:
            del self._responses[response.id]
            await self._records.write({response.id: None})
            if isinstance(error, StorageError):
                raise
            return None  # somebody was faster: it is cut off already, or gone
        done = replace(self._responses[response.id], planes=_planes(report))
        self._responses[response.id] = done
        await self._records.write({done.id: encode(done)})
        _LOGGER.error(
            "%s is cut off: %s; `thingstead response undo %s` lets it go", done.thing, done.explanation, done.id
        )
        return done

    def _objection(self, detection: Detection, thing: Thing, at: datetime) -> str:
        policy = self._policy()
        if thing.state in GONE or thing.restriction is Restriction.QUARANTINED or self._open_of(thing.id):
            return "it is cut off already"
        objection = policy.objection(detection.detector, detection.severity)
        if objection:
            return objection
        # Of whom its time let go, nobody has said that it was no attack.
        seen = [one for one in self._responses.values() if _is_same(one, detection) and one.ended_by != _CLOCK]
        rested = [one.ended_at for one in seen if one.ended_at]
        if rested and at - max(rested) < policy.rest:
            return "somebody let it go after such an alarm, and [response] rest_hours are not over"
        objection = self._bound(policy, thing, at)
        self.withheld += bool(objection)
        return objection

    def _bound(self, policy: ResponsePolicy, thing: Thing, at: datetime) -> str:
        here = [one for one in self._register.things() if one.state not in GONE]
        cut = [one for one in self._responses.values() if one.is_open]
        in_zone = Extent(sum(one.zone == thing.zone for one in cut), sum(one.zone == thing.zone for one in here))
        begun = sum(at - one.at < _HOUR for one in self._responses.values())
        return policy.bound(zone=in_zone, domain=Extent(len(cut), len(here)), begun=begun)

    async def _tell(self, detection: Detection, at: datetime, details: dict[str, Detail]) -> None:
        """Once in a while, for a detector that goes on saying the same must not fill the disk."""
        name = detection.detector, detection.device
        last = self._told.get(name)
        if last is not None and at - last < self._limits.again:
            return
        if detection.thing is None:
            self._strangers = [one for one in self._strangers if at - one < _HOUR]
            if len(self._strangers) >= self._limits.strangers_per_hour:
                return
            self._strangers.append(at)
        await self._records.write({}, entries=[_draft(detection, at, details)])
        self._told[name] = at
        self._told.move_to_end(name)
        while len(self._told) > self._limits.remembered:
            self._told.popitem(last=False)
        _LOGGER.warning("%s: %s", detection.detector, detection.explanation)

    def _document(self, identifier: str) -> bytes | None:
        response = self._responses.get(identifier)
        return None if response is None else encode(response)

    def _open_of(self, thing: ThingId) -> list[Response]:
        return [one for one in self._responses.values() if one.is_open and one.thing == thing]


def _begun(detection: Detection, thing: Thing, at: datetime) -> Response:
    words = (detection.detector, detection.explanation[:_LONGEST])
    first = datetime.fromtimestamp(detection.first, UTC)
    return Response(response_id(thing.id, at), thing.id, thing.zone, *words, first, at, thing.restriction)


def _is_same(response: Response, detection: Detection) -> bool:
    return response.thing == detection.thing and response.detector == detection.detector


def _draft(detection: Detection, at: datetime, details: dict[str, Detail]) -> Draft:
    evidence: dict[str, Detail] = {
        "first": datetime.fromtimestamp(detection.first, UTC).isoformat(),
        "severity": detection.severity.value,
        "subject": detection.subject[:_LONGEST],
        "rule": detection.rule[:_LONGEST],
        "evidence": "; ".join(detection.evidence)[:_LONGEST],
        "explanation": detection.explanation[:_LONGEST],
        "device": detection.device,
        **details,
    }
    return Draft(at, Kind.ALARM, f"detector:{detection.detector}", detection.thing, detection.detector, evidence)


def _planes(report: TransitionReport) -> tuple[PlaneTime, ...]:
    return tuple(
        [
            PlaneTime(
                plane,
                None if outcome.receipt is None else outcome.milliseconds,
                outcome.failure if outcome.receipt is None else outcome.receipt.detail,
            )
            for plane, outcome in sorted(report.outcomes.items(), key=lambda row: list(PlaneName).index(row[0]))
        ]
    )


def _frees(entry: Entry) -> bool:
    """Whether a thing is no longer in quarantine after it: let go, held only, or gone for good."""
    after = entry.details.get("to")
    if entry.kind is Kind.RESTRICTION:
        return after != Restriction.QUARANTINED.value
    return entry.kind is Kind.TRANSITION and after in {one.value for one in GONE}
