"""Fleets on their way from one set of update keys to another: the maker's steps, and how far each thing has walked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta

from thingstead.clock import Clock
from thingstead.domain import anchor as anchor_file
from thingstead.domain import migration
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.migration import Candidate, Plan
from thingstead.domain.plane import Expiry, PlaneName
from thingstead.domain.ports import Records
from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError, StateError, ThingsteadError
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.software import migration_record as record
from thingstead.planes.software.migration_record import Campaign, Reached
from thingstead.planes.software.source import Sources, sort_of
from thingstead.protocols.profile import succession, update_poll
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.succession import StepKind, UpdateKeys

__all__ = ["Migrations"]

_ACTOR = "plane:software"
_MAKER, _THING = "maker/", "thing/"
_DAILY = timedelta(days=1)
"""How old what is on disk of a thing's last poll may be; a poll costs no write."""
_WARNING = timedelta(days=30)
_GONE = frozenset({LifecycleState.DECOMMISSIONED, LifecycleState.RE_OWNED})
_CAUSES = {
    StepKind.INTRODUCE: "update-keys-introduced",
    StepKind.RETIRE: "update-keys-retired",
    StepKind.RETURN: "update-keys-taken-back",
}


class Migrations:
    """Takes a maker's steps from the owner, hands each thing the one it lacks, and knows who has not walked.

    The campaign is on disk, with its ledger entry, before any thing is told. What things say is on disk a moment later,
    and they say it again at every poll: a controller that dies between the two knows no less when it is back.

    Args:
        records: documents of its own.
        things: those that are known.
        heard: when one was last heard, and how often it is.
        crypto: the owner's dates of algorithms.
        clock: for UTC.
    """

    def __init__(
        self,
        records: Records,
        *,
        things: Callable[[], Iterable[Thing]],
        heard: Callable[[ThingId], tuple[datetime | None, timedelta | None]],
        crypto: CryptoPolicy,
        clock: Clock,
    ) -> None:
        self._records = records
        self._crypto = crypto
        self._things = things
        self._heard = heard
        self._clock = clock
        self._campaigns: dict[str, Campaign] = {}
        self._reached: dict[ThingId, Reached] = {}
        self._unwritten: set[ThingId] = set()
        self._furthest: dict[ThingId, int] = {}
        self._states: dict[str, tuple[UpdateKeys, ...]] = {}
        self._places: dict[str, dict[bytes, int]] = {}
        self._anchors: dict[str, TrustAnchor] = {}
        self._sources = Sources((), lambda: ())
        for key, document in records.load().items():
            if key.startswith(_MAKER):
                self._campaigns[key.removeprefix(_MAKER)] = record.decode_campaign(document)
            else:
                self._recall(thing_id(key.removeprefix(_THING)), record.decode_reached(document))

    def overlay(self, anchors: Iterable[TrustAnchor]) -> tuple[TrustAnchor, ...]:
        """The owner's anchors with the steps taken here: the file may be behind, where a crash came between the two."""
        return tuple([self._overlaid(anchor) for anchor in anchors])

    def resume(self, anchors: Iterable[TrustAnchor]) -> tuple[TrustAnchor, ...]:
        """What a start goes by: the owner's anchors, overlaid."""
        overlaid = self.overlay(anchors)
        self.trust(overlaid)
        return overlaid

    def trust(self, anchors: Iterable[TrustAnchor]) -> None:
        """Go by these from now on; they are overlaid already."""
        trusted = tuple(anchors)
        self._anchors = {anchor.maker: anchor for anchor in trusted}
        self._states = {anchor.maker: anchor.states for anchor in trusted}
        self._places = {
            maker: {update_poll.place(state): number for number, state in enumerate(states)}
            for maker, states in self._states.items()
        }
        self._sources = Sources(trusted, lambda: {sort_of(thing) for thing in self._things()})

    # --- things

    def hear(self, thing: Thing, told: update_poll.Standing) -> bytes | None:
        """What a poll says, and the step that the thing lacks; None where it lacks none. Touches no disk."""
        source = self._source(thing)
        if source is None or not told.place:
            return None
        index = self._places[source].get(told.place)
        states = self._states[source]
        at, known = self._clock.utc(), self._reached.get(thing.id)
        said = Reached(None if index is None else states[index].number, told.verifies, at)
        if known is None or (known.step, known.verifies) != (said.step, said.verifies):
            self._unwritten.add(thing.id)
        elif at - known.at < _DAILY:
            said = known
        else:
            self._unwritten.add(thing.id)
        self._reached[thing.id] = said
        return None if index is None or index + 1 == len(states) else self._anchors[source].steps[index]

    async def flush(self) -> None:
        """Write down what things said since.

        Raises:
            StorageError: it was not kept, and is written at the next call.
        """
        if not self._unwritten:
            return
        taken, self._unwritten = self._unwritten, set()
        changes: dict[str, bytes | None] = {_THING + one: record.encode_reached(self._reached[one]) for one in taken}
        for gone in self._reached.keys() - {thing.id for thing in self._things() if thing.state not in _GONE}:
            changes[_THING + gone] = None
        ahead = {one: self._reached[one].step or 0 for one in sorted(taken) if self._is_further(one)}
        drafts = [self._walked(thing, step) for thing, step in ahead.items()]
        try:
            await self._records.write(changes, entries=drafts)
        except ThingsteadError:
            self._unwritten |= taken
            raise
        self._furthest |= ahead

    # --- the owner

    def plan(self, anchor: TrustAnchor, *, until: date | None = None) -> tuple[StepKind, Plan]:
        """Say what the next step of a maker's file would do to every thing; nothing is changed.

        Raises:
            ConfigError: the maker is not trusted, or the file has no step that was not taken.
            SecurityError, ProtocolError: the file does not go on from what is trusted.
            PolicyError: as for `migration.plan`.
        """
        before, after, step = self._next(anchor)
        kind, _ = succession.kind_of(step)
        return kind, self._plan(kind, before, after, until, is_way_back=kind is StepKind.RETURN)

    async def advance(
        self,
        anchor: TrustAnchor,
        *kinds: StepKind,
        until: date | None = None,
        leaving: Collection[ThingId] = (),
        actor: str,
    ) -> UpdateKeys:
        """Take the next step of a maker's file; on disk and on the ledger when it returns. The caller has it trusted.

        Args:
            anchor: the maker's file.
            kinds: which steps are meant.
            until: last day on which the old keys' word counts; None for that of the campaign, or of the algorithms.
            leaving: things that the owner leaves behind, by name.
            actor: who decides.

        Raises:
            ConfigError, SecurityError, ProtocolError: as for `plan`.
            StateError: the next step is another one.
            PolicyError: it would strand somebody whom the owner did not name.
            StorageError: it was not kept, and not taken.
        """
        before, after, step = self._next(anchor)
        kind, _ = succession.kind_of(step)
        if kind not in kinds:
            raise StateError(f"the maker's next step is to {kind.name.lower()}", reason="step")
        known, trusted = self._campaigns.get(anchor.maker), self._anchors[anchor.maker]
        day = until or (None if known is None else known.until)
        left = frozenset(leaving) | (frozenset() if known is None or kind is StepKind.INTRODUCE else known.leaving)
        is_way_back = StepKind.RETURN in kinds
        plan = self._plan(kind, before, after, day, is_way_back=is_way_back)
        if kind is StepKind.RETIRE:
            migration.require_retirable(plan, left)
        elif kind is StepKind.INTRODUCE:
            plan.require_safe(left)
        at = self._clock.utc()
        steps, origin = (*trusted.steps, step), self._states[anchor.maker][0].digest
        day = None if kind is StepKind.RETURN else plan.until
        taken = Campaign(origin, steps, day, left, at)
        details: dict[str, Detail] = {
            "maker": anchor.maker,
            "step": after.number,
            "must_sign": str(after.effective),
            "keys": after.digest,
            "until": None if day is None else day.isoformat(),
            "left_behind": ", ".join(sorted(left)),
        }
        draft = Draft(at, Kind.CONFIGURATION, actor, None, _CAUSES[kind], details)
        await self._records.write({_MAKER + anchor.maker: record.encode_campaign(taken)}, entries=[draft])
        self._campaigns[anchor.maker] = taken
        return after

    def standing(self, maker: str) -> tuple[Campaign | None, UpdateKeys, Plan | None]:
        """Where a maker's campaign is: what was decided, which keys sign, and what is known of each thing now.

        Raises:
            ConfigError: the maker is not trusted.
        """
        states = self._states.get(maker)
        if states is None:
            raise ConfigError(f"no maker {maker[:40]!r} is trusted")
        campaign = self._campaigns.get(maker)
        if campaign is None or len(states) == 1:
            return campaign, states[-1], None
        kind, _ = succession.kind_of(self._anchors[maker].steps[-1])
        old, new = _change(kind, states[-2], states[-1])
        at, number = self._clock.utc(), states[-1].number
        candidates = self._candidates(maker)
        plan = migration.survey(old, new, candidates, at=at, step=number, until=campaign.until, crypto=self._crypto)
        return campaign, states[-1], plan

    def now(self) -> datetime:
        """By its clock."""
        return self._clock.utc()

    def makers(self) -> tuple[str, ...]:
        """Those whose keys moved here."""
        return tuple(sorted(self._campaigns.keys() & self._states.keys()))

    def expiries(self) -> list[Expiry]:
        """The last day of each maker's old keys, with whom it strands; while they count, they are to retire by then."""
        found = []
        for maker in self.makers():
            campaign, keys, plan = self.standing(maker)
            if campaign is None or plan is None or campaign.until is None:
                continue
            waiting = [one.candidate.thing for one in plan.prospects if one.standing is not migration.Standing.DONE]
            if waiting or keys.incoming is not None:
                end = datetime.combine(campaign.until + timedelta(days=1), time(), tzinfo=UTC)
                what = f"old update keys of {maker}"
                found.append(Expiry(what, end, tuple(waiting), PlaneName.SOFTWARE, warning=_WARNING))
        return found

    # --- within

    def _overlaid(self, anchor: TrustAnchor) -> TrustAnchor:
        campaign = self._campaigns.get(anchor.maker)
        if campaign is None or anchor.states[0].digest != campaign.origin:
            return anchor
        has = len(anchor.steps)
        if campaign.steps[:has] != anchor.steps:
            return anchor
        return anchor_file.follow(anchor, campaign.steps[has:]) if campaign.steps[has:] else anchor

    def _source(self, thing: Thing) -> str | None:
        line = self._sources.line(sort_of(thing))
        return None if line is None else line.source

    def _next(self, anchor: TrustAnchor) -> tuple[UpdateKeys, UpdateKeys, bytes]:
        """Which keys sign, which would, and by which step."""
        trusted = self._anchors.get(anchor.maker)
        if trusted is None:
            raise ConfigError(f"no maker {anchor.maker[:40]!r} is trusted")
        ahead = anchor_file.succeeds(anchor, trusted)
        if not ahead:
            raise ConfigError(f"the file of {anchor.maker} has no step that was not taken here")
        before = self._states[anchor.maker][-1]
        return before, succession.follow(before, ahead[0]), ahead[0]

    def _plan(
        self, kind: StepKind, before: UpdateKeys, after: UpdateKeys, until: date | None, *, is_way_back: bool
    ) -> Plan:
        old, new = _change(kind, before, after)
        candidates, at = self._candidates(self._maker_of(before)), self._clock.utc()
        if kind is StepKind.RETIRE:
            # Who shall be without the old keys has to be in the overlap; what was weighed when that began holds.
            return migration.survey(old, new, candidates, at=at, step=before.number, until=until, crypto=self._crypto)
        step = after.number
        return migration.plan(
            old, new, candidates, at=at, step=step, until=until, is_way_back=is_way_back, crypto=self._crypto
        )

    def _maker_of(self, state: UpdateKeys) -> str:
        return next(maker for maker, states in self._states.items() if states[-1] is state)

    def _candidates(self, maker: str) -> list[Candidate]:
        found = []
        for thing in self._things():
            if thing.state in _GONE or self._source(thing) != maker:
                continue
            heard_at, interval = self._heard(thing.id)
            said = self._reached.get(thing.id)
            times = [one for one in (heard_at, None if said is None else said.at) if one is not None]
            found.append(
                Candidate(
                    thing.id,
                    thing.serial,
                    thing.model,
                    max(times, default=None),
                    interval or _DAILY,
                    None if said is None else said.step,
                    thing.verifies if said is None or said.verifies is None else said.verifies,
                    thing.support_end,
                )
            )
        return found

    def _recall(self, thing: ThingId, said: Reached) -> None:
        self._reached[thing] = said
        if said.step is not None:
            self._furthest[thing] = said.step

    def _is_further(self, thing: ThingId) -> bool:
        """Each step of a thing is on the ledger once, however often it says that it goes back."""
        step = self._reached[thing].step
        return step is not None and step > self._furthest.get(thing, -1)

    def _walked(self, thing: ThingId, step: int) -> Draft:
        details: dict[str, Detail] = {"step": step, "before": self._furthest.get(thing)}
        return Draft(self._reached[thing].at, Kind.CONFIGURATION, _ACTOR, thing, "update-keys", details)


def _change(kind: StepKind, before: UpdateKeys, after: UpdateKeys) -> tuple[KeySet, KeySet]:
    """Which keys go, and which come."""
    if kind is StepKind.INTRODUCE:
        return before.current, after.incoming or after.current
    if kind is StepKind.RETIRE:
        return before.current, after.current
    return before.incoming or before.current, after.current
