"""Campaigns for people: how far each has come, who is where and why, and what will happen, in plain words (R-69)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from thingstead.domain.campaign import Campaign, Header, Standing, Status
from thingstead.domain.campaign_plan import Dependency, Hours, Plan
from thingstead.identifier import ThingId
from thingstead.planes.software.campaign_record import Subject

__all__ = ["Row", "describe", "median_seconds", "row_of", "story", "when_done"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HORIZON = timedelta(days=60)
_STEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Row:
    """One campaign in a list.

    Attributes:
        campaign: what people call it by.
        maker: who signs its release.
        model: whom it is for.
        version: what it brings.
        status: where it stands.
        because: why, in plain words.
        stage: which, of how many.
        things: in it now.
        waiting: not offered yet.
        offered: in the midst of it.
        silent: offered, and not heard to have ended since.
        installed: that run it.
        failed: that would not, or went back.
        begun_at: when it began.
        since: when it came to stand as it does.
    """

    campaign: str
    maker: str
    model: str
    version: str
    status: str
    because: str
    stage: str
    things: int
    waiting: int
    offered: int
    silent: int
    installed: int
    failed: int
    begun_at: datetime
    since: datetime


_CAUSES = {
    "begun": "it was published",
    "stage": "the stage before went well",
    "advanced": "a person began the next stage",
    "resumed": "a person resumed it",
    "replanned": "a person gave it another plan",
    "paused": "a person paused it",
    "aborted": "a person ended it",
    "failures": "too many things failed",
    "done": "every thing has it, or has said no",
    "deadline": "its deadline has passed",
    "superseded": "a newer release was published",
    "restored": "the domain was restored from a backup: it may have been ended since; resume it when you have looked",
    "time-zone": "this machine does not know its time zone any more",
}


def row_of(subject: Subject, header: Header, counts: Mapping[Standing, int]) -> Row:
    """What a list shows of it."""
    return Row(
        subject.name,
        subject.line.source,
        subject.model,
        subject.version,
        header.status.value,
        _CAUSES.get(header.cause, header.cause),
        f"{header.stage + 1} of {len(header.plan.stages)}",
        things=sum(counts.values()),
        waiting=counts.get(Standing.WAITING, 0),
        offered=counts.get(Standing.OFFERED, 0),
        silent=counts.get(Standing.SILENT, 0),
        installed=counts.get(Standing.INSTALLED, 0),
        failed=counts.get(Standing.FAILED, 0),
        begun_at=header.begun_at,
        since=header.since or header.begun_at,
    )


def describe(plan: Plan) -> list[str]:
    """A plan in sentences."""
    said = [_stages(plan)]
    if plan.zone_share is not None:
        said.append(f"At most {plan.zone_share} of a zone's things are in the midst of an update at one time.")
    zone = str(plan.calendar.zone)
    if plan.calendar.windows:
        said.append(f"Nobody begins outside {_all(plan.calendar.windows)} ({zone} time).")
    if plan.calendar.quiet:
        said.append(f"Nobody begins during {_all(plan.calendar.quiet)} ({zone} time); who has begun finishes.")
    for one in plan.after:
        where = "in the same zone" if one.same_zone else "everywhere"
        said.append(f"First every {one.model} {where} has to run {one.version or f'release {one.sequence_number}'}.")
    if plan.abort:
        said.append(f"It ends by itself at {' or '.join(_threshold(str(one)) for one in plan.abort)}.")
    if plan.deadline is not None:
        said.append(f"Who is not there after {_span(plan.deadline)} is listed by name, and catches up when it comes.")
    return said


def story(
    subject: Subject,
    campaign: Campaign,
    words: str = "",
    *,
    at: datetime,
    behind: Callable[[Dependency, str], Iterable[ThingId]],
) -> list[str]:
    """What was, what is and what comes, for whoever is responsible for the things and for nothing else.

    Args:
        subject: what it brings.
        campaign: where it stands.
        words: what its maker says is new; empty where it says nothing.
        at: now.
        behind: who keeps things of a zone waiting.
    """
    header, counts = campaign.header, campaign.counts
    total, done = sum(counts.values()), counts[Standing.INSTALLED]
    version = subject.version or f"release {subject.sequence_number}"
    said = [f"Version {version} for {subject.model} things of {subject.line.source}. {done} of {total} run it."]
    if words:
        said.append(f"What is new, by its maker: {words}")
    match header.status:
        case Status.FINISHED if header.cause == "done" and counts[Standing.FAILED]:
            said.append(f"It is over since {_time(header.since)}; {counts[Standing.FAILED]} refused it or went back.")
        case Status.FINISHED if header.cause == "done":
            said.append(f"It is done since {_time(header.since)}; nobody had to do anything at any of them.")
        case Status.FINISHED:
            said.append(f"Its deadline was {_time(header.since)}; whoever was asleep catches up when it comes.")
        case Status.ABORTED | Status.PAUSED | Status.SUPERSEDED:
            said.append(
                f"It is {header.status} since {_time(header.since)}: {_CAUSES.get(header.cause, header.cause)}."
            )
        case Status.RUNNING:
            said += _now(campaign, at)
            said += _waits(campaign, behind)
    if header.status is Status.ABORTED and campaign.last_offer is not None and header.since is not None:
        before = (header.since - campaign.last_offer).total_seconds()
        said.append(f"Nothing was offered after that; the last offer was {before:g} s before.")
    if counts[Standing.SILENT]:
        said.append(f"{counts[Standing.SILENT]} took it and were not heard to have ended: look at them.")
    if header.status is Status.ABORTED and done:
        said.append(
            f"{done} run it still. To take it back, the maker signs the older image under a higher number: "
            f"`thingstead campaign rollback {subject.name}`."
        )
    return said


def median_seconds(campaign: Campaign, installed_at: Callable[[ThingId], datetime | None]) -> float | None:
    """How long a thing took from the offer to its report; None where none has done it yet."""
    spans = []
    for thing, place in campaign.things(Standing.INSTALLED):
        end = installed_at(thing)
        if place.offered_at is not None and end is not None and end >= place.offered_at:
            spans.append((end - place.offered_at).total_seconds())
    return sorted(spans)[len(spans) // 2] if spans else None


def when_done(plan: Plan, zones: Mapping[str, int], *, each: timedelta, at: datetime) -> datetime | None:
    """When a campaign would be through if everybody were awake and took so long; None if not within 60 days.

    Args:
        plan: as planned.
        zones: how many things each zone has that are to update.
        each: how long one takes.
        at: when it begins.
    """
    total, given, end = sum(zones.values()), 0, at
    for stage in plan.stages:
        places = min(stage.places.of(total), total)
        step = max(places - given, 0)
        rounds = max((_rounds(plan, size, step, total) for size in zones.values()), default=0)
        given = max(places, given)
        through = _after(plan, end, each * rounds)
        if through is None:
            return None
        end = through if stage is plan.stages[-1] else through + stage.soak
    return end


def _rounds(plan: Plan, size: int, step: int, total: int) -> int:
    """How often a zone of so many has its turn until its part of a step is done."""
    mine = -(-step * size // max(total, 1))
    at_once = size if plan.zone_share is None else plan.zone_share.at_most(size)
    return -(-mine // max(at_once, 1))


def _after(plan: Plan, at: datetime, busy: timedelta) -> datetime | None:
    """When so much time has passed in which things may begin."""
    calendar, end = plan.calendar, at + _HORIZON
    if not calendar.windows and not calendar.quiet:
        return at + busy
    while at < end:
        if calendar.is_open(at):
            if busy <= _STEP:
                return at + busy
            busy -= _STEP
        at += _STEP
    return None


def _now(campaign: Campaign, at: datetime) -> list[str]:
    header, counts = campaign.header, campaign.counts
    last = header.stage + 1 == len(header.plan.stages)
    places = "everybody" if last else f"at most {campaign.places} thing{'s' * (campaign.places != 1)}"
    said = [f"Stage {header.stage + 1} of {len(header.plan.stages)} is for {places}; {_updating(counts)}."]
    opens = header.plan.calendar.opens(at)
    if opens is not None and opens > at:
        said.append(f"The next may begin at {_time(opens)}.")
    if header.ripe_at is not None:
        soak = header.plan.stages[header.stage].soak
        said.append(f"The next stage begins at {_time(header.ripe_at + soak)} if none fails until then.")
    if campaign.fatal is not None:
        said.append(f"It ends by itself at failure number {campaign.fatal}; there were {counts[Standing.FAILED]}.")
    return said


def _waits(campaign: Campaign, behind: Callable[[Dependency, str], Iterable[ThingId]]) -> list[str]:
    zones = Counter(place.zone for _, place in campaign.things(Standing.WAITING))
    said = []
    for one in campaign.header.plan.after:
        names = sorted({thing for zone in zones for thing in behind(one, zone)})
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            said.append(f"Things wait for {one.model} {one.version}: {', '.join(names[:5])}{more}.")
    return said


def _updating(counts: Mapping[Standing, int]) -> str:
    return f"{counts[Standing.OFFERED]} are updating now, {counts[Standing.WAITING]} have not begun"


def _stages(plan: Plan) -> str:
    parts = []
    for stage in plan.stages:
        who = f"{', '.join(sorted(stage.only))}" if stage.only else "everybody" if stage.places.is_whole else ""
        soak = f", then {_span(stage.soak)} of watching" if stage.soak and stage is not plan.stages[-1] else ""
        parts.append(f"{who or _things(str(stage.places))}{soak}")
    return "Everybody at once." if len(parts) == 1 else f"First {'; then '.join(parts)}."


def _things(share: str) -> str:
    return f"{share} of them" if share.endswith("%") else f"{share} of them in all"


def _threshold(share: str) -> str:
    return f"{share} failing in a stage" if share.endswith("%") else f"{share} failures"


def _all(hours: Sequence[Hours]) -> str:
    return ", ".join(_hours(one) for one in hours)


def _hours(one: Hours) -> str:
    days = "daily" if len(one.days) == 7 else "/".join(_DAYS[day] for day in sorted(one.days))
    return f"{days} {one.start // 60:02}:{one.start % 60:02}-{one.end // 60:02}:{one.end % 60:02}"


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"


def _time(at: datetime | None) -> str:
    return "its beginning" if at is None else at.strftime("%Y-%m-%d %H:%M UTC")
