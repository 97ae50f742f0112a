"""Moving a maker's things to other update keys: who moves, who sleeps, who would be stranded, before anything is done.

A fleet moves by steps that its maker signs (`thingstead.protocols.profile.succession`)::

    introduce   each thing that is awake walks to the overlap, where a release takes old and new signatures
    (wait)      whoever sleeps is told when it wakes
    retire      each walks on to the new keys; a sleeper walks both steps when it wakes
    return      instead of retiring: each walks back to the old keys

The chain of steps is kept, so that a sleeper is stranded by two things only: it cannot verify the new signatures, or it
wakes after the day on which the word of the old keys is worth nothing any more. `plan` says both of every thing, with
the last safe day; `require_safe` and `require_retirable` refuse what would strand one that nobody named.

For a simulation: make one `Candidate` per thing from what it last said, `plan` at any virtual moment, let things walk
with `succession.follow`, and isolate what `overdue` names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from thingstead.crypto.algorithm import REGISTRY
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.errors import PolicyError
from thingstead.identifier import ThingId
from thingstead.protocols.profile import release
from thingstead.protocols.profile.key_set import KeySet, key_id

__all__ = [
    "Candidate",
    "Plan",
    "Prospect",
    "Standing",
    "overdue",
    "plan",
    "require_retirable",
    "sunset",
    "survey",
]

_REGISTRY_ALONE = CryptoPolicy()
_SILENT = 3
"""How many of its intervals a thing misses before it counts as asleep."""


class Standing(StrEnum):
    """What becomes of a thing in a migration."""

    DONE = "done"
    AWAKE = "awake"
    ASLEEP = "asleep"
    LATE = "late"
    UNABLE = "unable"
    UNTOLD = "untold"


_STRANDED = frozenset({Standing.LATE, Standing.UNABLE, Standing.UNTOLD})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A thing whose releases the keys sign, and what is known of it.

    Attributes:
        thing: which.
        serial: its maker's number, for people.
        model: its type; things of a type verify what others of it say.
        heard_at: when it last was heard; None for never.
        interval: how often it usually is.
        step: how many steps it has walked, by its own word; None where it said nothing.
        verifies: COSE algorithms of signatures that it says it verifies; None where it said nothing.
        mended_until: from then on its maker makes no releases for it; None where nobody said.
    """

    thing: ThingId
    serial: str
    model: str
    heard_at: datetime | None
    interval: timedelta
    step: int | None = None
    verifies: frozenset[int] | None = None
    mended_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Prospect:
    """What becomes of one thing.

    Attributes:
        candidate: which.
        standing: what.
        last_safe: last day on which it can still be moved; None while no day is set.
    """

    candidate: Candidate
    standing: Standing
    last_safe: date | None

    @property
    def is_stranded(self) -> bool:
        """Whether nothing that is known says that it will be moved in time."""
        return self.standing in _STRANDED


@dataclass(frozen=True, slots=True)
class Plan:
    """What a migration would do to every thing.

    Attributes:
        until: last day on which the old keys' word counts; None while no day is set.
        prospects: every thing, by serial number.
    """

    until: date | None
    prospects: tuple[Prospect, ...]

    @property
    def stranded(self) -> tuple[Prospect, ...]:
        """Whom the owner has to name before anything begins."""
        return tuple([one for one in self.prospects if one.is_stranded])

    def counts(self) -> Mapping[str, int]:
        """How many things there are of each standing."""
        return {one.value: sum(each.standing is one for each in self.prospects) for one in Standing}

    def require_safe(self, leaving: Collection[ThingId]) -> None:
        """Pass where nobody is stranded but those that the owner named.

        Raises:
            PolicyError: a type cannot verify the new signatures ("capability"), or somebody sleeps too long
                ("stranded"); it names them.
        """
        left = [one for one in self.stranded if one.candidate.thing not in leaving]
        unable = [one for one in left if one.standing is not Standing.LATE]
        if unable:
            raise PolicyError(
                f"expected things that verify the new signatures; nothing says so of {_names(unable)}",
                spec="RFC 8576 §5.4",
                reason="capability",
            )
        if left:
            raise PolicyError(
                f"{_names(left)} sleep too long to be moved in time: wake them, or name them as left behind",
                spec="RFC 8576 §5.4",
                reason="stranded",
            )


def sunset(keys: KeySet, crypto: CryptoPolicy = _REGISTRY_ALONE) -> date | None:
    """Last day on which a set proves something; None where no end is set.

    Whoever forges has to forge as many signatures of every group as the group asks for: a set lasts as long as its most
    lasting group, and a group until so many of its algorithms have ended. A hybrid outlives its classical half.

    Args:
        keys: the set.
        crypto: the owner's dates, where they are earlier than the registry's.
    """
    names = {key_id(key): REGISTRY[release.signer(key).signature_id].name for key in keys.keys}
    ends = {kid: crypto.sunset(name) or date.max for kid, name in names.items()}
    last = max((sorted(ends[kid] for kid in group.kids)[group.at_least - 1] for group in keys.groups), default=date.max)
    return None if last == date.max else last


def plan(
    before: KeySet,
    after: KeySet,
    candidates: Iterable[Candidate],
    *,
    at: datetime,
    step: int,
    until: date | None = None,
    is_way_back: bool = False,
    crypto: CryptoPolicy = _REGISTRY_ALONE,
) -> Plan:
    """Say of every thing what a migration would do to it, where it may be begun at all; nothing is changed.

    Args:
        before: keys that sign now.
        after: those that shall.
        candidates: the things.
        at: now.
        step: number of the step to which they shall walk.
        until: last day on which the old keys' word counts; else the end of their algorithms, if that has one.
        is_way_back: the owner goes back on purpose, to signatures that may last less long.
        crypto: the owner's dates of algorithms.

    Raises:
        PolicyError: nothing would change ("same-keys"), or the new signatures last no longer than needed ("sunset").
    """
    if before == after:
        raise PolicyError("these keys sign already", reason="same-keys")
    needed = at.date() if is_way_back else max(until or at.date(), at.date())
    _require_lasting(sunset(before, crypto), sunset(after, crypto), needed, is_way_back)
    return survey(before, after, candidates, at=at, step=step, until=until, crypto=crypto)


def survey(
    before: KeySet,
    after: KeySet,
    candidates: Iterable[Candidate],
    *,
    at: datetime,
    step: int,
    until: date | None = None,
    crypto: CryptoPolicy = _REGISTRY_ALONE,
) -> Plan:
    """Say how every thing stands in a migration, under way or over; arguments as for `plan`."""
    day = until or sunset(before, crypto)
    things = sorted(candidates, key=lambda one: (one.serial, one.thing))
    told = _told(things)
    able = {model: _verifies(after, said) and _verifies(before, said) for model, said in told.items()}
    prospects = []
    for one in things:
        last_safe = _last_safe(one, day)
        known = able.get(one.model) if one.verifies is None else _verifies(after, one.verifies)
        standing = _standing(one, known, last_safe, at=at, step=step)
        prospects.append(Prospect(one, standing, last_safe))
    return Plan(day, tuple(prospects))


def require_retirable(now: Plan, leaving: Collection[ThingId]) -> None:
    """Pass where the old keys can go: whoever has not walked yet sleeps, and will walk the chain in time, or is named.

    Args:
        now: made at this moment, for the number of the overlap.
        leaving: whom the owner names.

    Raises:
        PolicyError: somebody awake has not walked yet ("moving"), or as for `Plan.require_safe`.
    """
    moving = [one for one in now.prospects if one.standing is Standing.AWAKE and one.candidate.thing not in leaving]
    if moving:
        raise PolicyError(f"{_names(moving)} are awake and have not got the new keys yet: wait", reason="moving")
    now.require_safe(leaving)


def overdue(now: Plan, *, at: datetime) -> tuple[Prospect, ...]:
    """Who has not walked and is past its last safe day: to be isolated, for what the old keys sign proves nothing."""
    return tuple(
        [
            one
            for one in now.prospects
            if one.standing is not Standing.DONE and one.last_safe is not None and one.last_safe < at.date()
        ]
    )


def _require_lasting(before: date | None, after: date | None, day: date, is_way_back: bool) -> None:
    ends, end = before or date.max, after or date.max
    if end < day or (end < ends and not is_way_back):
        raise PolicyError(
            f"the new signatures end on {end}: nothing would be won by them", spec="RFC 8576 §5.4", reason="sunset"
        )


def _told(things: Sequence[Candidate]) -> dict[str, frozenset[int]]:
    """What every thing of a type verifies that said so; a type of which none did is not there."""
    told: dict[str, frozenset[int]] = {}
    for one in things:
        if one.verifies is not None:
            told[one.model] = told.get(one.model, one.verifies) & one.verifies
    return told


def _verifies(keys: KeySet, able: frozenset[int]) -> bool:
    algorithms = {key_id(key): release.signer(key).signature_id for key in keys.keys}
    return all(sum(algorithms[kid] in able for kid in group.kids) >= group.at_least for group in keys.groups)


def _last_safe(one: Candidate, day: date | None) -> date | None:
    ends = [day] if day is not None else []
    if one.mended_until is not None:
        ends.append((one.mended_until - timedelta(microseconds=1)).date())
    return min(ends, default=None)


def _standing(one: Candidate, able: bool | None, last_safe: date | None, *, at: datetime, step: int) -> Standing:
    if one.step is not None and one.step >= step:
        return Standing.DONE
    if not able:
        return Standing.UNTOLD if able is None else Standing.UNABLE
    end = None if last_safe is None else datetime.combine(last_safe + timedelta(days=1), time(), tzinfo=UTC)
    if end is not None and end <= at:
        return Standing.LATE
    if one.heard_at is None:
        return Standing.ASLEEP if end is None else Standing.LATE
    silence = at - one.heard_at
    if silence <= _SILENT * one.interval:
        return Standing.AWAKE
    # Who was silent so long may be silent as long again.
    return Standing.LATE if end is not None and at + silence >= end else Standing.ASLEEP


def _names(prospects: Sequence[Prospect]) -> str:
    shown = [f"{one.candidate.serial} ({one.candidate.model})" for one in prospects[:8]]
    return ", ".join(shown) + (f" and {len(prospects) - 8} more" if len(prospects) > 8 else "")
