"""Operations on campaigns: how far each has come, who waits and why, what a plan would do, and stopping one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from thingstead.analysis.consequence import Consequences, parse_words
from thingstead.clock import Clock
from thingstead.controller.operation import Acting, Operation
from thingstead.domain.campaign import Standing, Status, Verdict
from thingstead.domain.campaign_plan import Plan
from thingstead.domain.role import Right
from thingstead.identifier import ThingId
from thingstead.planes.software.campaign_store import Live
from thingstead.planes.software.campaign_view import Row, describe, median_seconds, row_of, story, when_done
from thingstead.planes.software.campaigns import Campaigns
from thingstead.planes.software.carried import Carried
from thingstead.planes.software.door import Door
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.protocols.profile.release_statement import MemberName
from thingstead.storage.plan_file import parse_plan

__all__ = ["ListCampaigns", "OfCampaign", "PreviewCampaign", "ReplanCampaign", "ShowCampaign", "rows"]

_SOME_MINUTES = timedelta(minutes=10)
"""How long an update is taken to last where none was measured yet."""


@dataclass(frozen=True, slots=True)
class ListCampaigns:
    """A request that says all by its name."""


@dataclass(frozen=True, slots=True)
class OfCampaign(Acting):
    """One of those under way.

    Attributes:
        campaign: by model and number, as in ``LX-1/7``, or by its model alone.
    """

    campaign: str


@dataclass(frozen=True, slots=True)
class ShowCampaign:
    """One of those under way, for whoever reads a language.

    Attributes:
        campaign: by model and number, as in ``LX-1/7``, or by its model alone.
        language: of the maker's words, as in ``de`` or ``de-CH`` (BCP 47); English, or any, where there are none in it.
    """

    campaign: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class ReplanCampaign(OfCampaign):
    """One of those under way, and how it is to go on.

    Attributes:
        plan: TOML.
    """

    plan: str


@dataclass(frozen=True, slots=True)
class PreviewCampaign:
    """What would happen.

    Attributes:
        model: the maker's word for the type.
        plan: TOML; what is usual here where it is empty.
    """

    model: str
    plan: str = ""


def rows(
    campaigns: Campaigns,
    door: Door,
    *,
    runs: Callable[[ThingId], SoftwareRecord],
    heard: Callable[[ThingId], datetime | None],
    carried: Callable[[str], Carried | None],
    clock: Clock,
) -> tuple[Operation[Any], ...]:
    """The table.

    Args:
        campaigns: all of them.
        door: what things ask.
        runs: what a thing reported.
        heard: when anything of a thing was last accepted in this life of the domain.
        carried: what a release brought along, by the hexadecimal digest of its manifest.
        clock: for UTC.
    """
    people = _People(campaigns, door, runs, heard, carried, clock)
    see, maintain = Right.SEE, Right.MAINTAIN
    return (
        Operation(
            "campaign.list", ListCampaigns, see, "every campaign and how far it has come, newest first", people.listing
        ),
        Operation("campaign.show", ShowCampaign, see, "one campaign: what, who, when, and who waits why", people.show),
        Operation("campaign.preview", PreviewCampaign, see, "what a plan would do, before it does", people.preview),
        Operation("campaign.basis", OfCampaign, see, "what taking a release back would take", people.basis),
        Operation("campaign.pause", OfCampaign, maintain, "let nobody begin; who has begun may finish", people.pause),
        Operation("campaign.resume", OfCampaign, maintain, "go on with a campaign that stands", people.resume),
        Operation("campaign.advance", OfCampaign, maintain, "begin the next stage now", people.advance),
        Operation("campaign.replan", ReplanCampaign, maintain, "go on by another plan", people.replan),
        Operation("campaign.abort", OfCampaign, maintain, "end a campaign: nobody gets its release", people.abort),
    )


@dataclass(frozen=True, slots=True)
class _People:
    """Answers them."""

    campaigns: Campaigns
    door: Door
    runs: Callable[[ThingId], SoftwareRecord]
    heard: Callable[[ThingId], datetime | None]
    carried: Callable[[str], Carried | None]
    clock: Clock

    async def listing(self, _request: ListCampaigns) -> tuple[Row, ...]:
        past = [row_of(subject, header, subject.outcome) for subject, header in self.campaigns.past]
        live = [_row(live) for live in self.campaigns.under_way()]
        return tuple(sorted([*past, *live], key=lambda row: row.begun_at, reverse=True))

    async def show(self, request: ShowCampaign) -> dict[str, Any]:
        live, at = self.campaigns.find(request.campaign), self.clock.utc()
        campaign = live.campaign
        return {
            **asdict(_row(live)),
            "story": story(
                live.subject, campaign, self._words(live, request.language), at=at, behind=self.campaigns.behind
            ),
            "plan": describe(campaign.header.plan),
            "last_offer": campaign.last_offer,
            "zones": _zones(live),
            "places": [
                {
                    "thing": thing,
                    "serial": place.names[1],
                    "zone": place.zone,
                    "standing": place.standing.value,
                    "why": self._why(live, thing, at),
                    "offered_at": place.offered_at,
                    "version": self.runs(thing).version,
                }
                for thing, place in campaign.things()
            ],
            "asleep": [
                thing
                for thing, _ in campaign.things(Standing.WAITING, Standing.SILENT)
                if self._is_asleep(thing, at, campaign.header.plan)
            ],
        }

    async def preview(self, request: PreviewCampaign) -> dict[str, Any]:
        at, seats = self.clock.utc(), dict(self.campaigns.seats(request.model))
        plan = parse_plan(request.plan) if request.plan else self.campaigns.usual(len(seats))
        plan = self.campaigns.resolved(plan)
        zones = Counter(seat.zone for seat in seats.values())
        measured = next((self._each(live) for live in self.campaigns.under_way() if _is_of(live, request.model)), None)
        each = _SOME_MINUTES if measured is None else timedelta(seconds=max(measured, 1.0))
        return {
            "model": request.model,
            "things": len(seats),
            "plan": describe(plan),
            "stages": _stages(plan, len(seats)),
            "zones": [
                {"zone": name or "-", "things": size, "at_once": _at_once(plan, size)} for name, size in zones.items()
            ],
            "begins": plan.calendar.opens(at),
            "time_zone": str(plan.calendar.zone),
            "done_about": when_done(plan, zones, each=each, at=at),
            "one_update_seconds": round(each.total_seconds()),
            "one_update_is": "assumed: none of this model was measured here" if measured is None else "measured",
            "waits_for": sorted(
                {one for zone in zones for need in plan.after for one in self.campaigns.behind(need, zone)}
            ),
            "asleep": [thing for thing in seats if self._is_asleep(thing, at, plan)],
        }

    async def basis(self, request: OfCampaign) -> dict[str, Any]:
        live = self.campaigns.find(request.campaign)
        subject = live.subject
        before = [one for one, _ in self.campaigns.past if one.line == subject.line]
        return {
            "campaign": subject.name,
            "maker": subject.line.source,
            "model": subject.model,
            "installed": live.campaign.counts[Standing.INSTALLED],
            "next": subject.sequence_number + 1,
            "before": [
                {"campaign": one.name, "version": one.version, "image": one.image_digest.hex()}
                for one in sorted(before, key=lambda one: -one.sequence_number)
            ],
        }

    async def pause(self, request: OfCampaign) -> Row:
        return await self._change(request, Status.PAUSED, "paused")

    async def resume(self, request: OfCampaign) -> Row:
        return await self._change(request, Status.RUNNING, "resumed")

    async def abort(self, request: OfCampaign) -> Row:
        return await self._change(request, Status.ABORTED, "aborted")

    async def replan(self, request: ReplanCampaign) -> Row:
        live, plan = self.campaigns.find(request.campaign), parse_plan(request.plan)
        self.campaigns.replan(live, plan)
        return await self._kept(live, request.by)

    async def advance(self, request: OfCampaign) -> Row:
        live = self.campaigns.find(request.campaign)
        live.campaign.advance(self.clock.utc(), cause="advanced")
        return await self._kept(live, request.by)

    async def _change(self, request: OfCampaign, status: Status, cause: str) -> Row:
        live = self.campaigns.find(request.campaign)
        live.campaign.change(status, self.clock.utc(), cause=cause)
        return await self._kept(live, request.by)

    async def _kept(self, live: Live, actor: str) -> Row:
        live.actor = actor
        await self.campaigns.keep()
        return _row(live)

    def _words(self, live: Live, language: str) -> str:
        """What its maker says is new, whose signature over that was verified before it was published."""
        carried = self.carried(live.subject.manifest_digest.hex())
        words = b"" if carried is None else carried.files.get(MemberName.WORDS, b"")
        return Consequences(words=parse_words(words) if words else {}).say(language)

    def _why(self, live: Live, thing: ThingId, at: datetime) -> str:
        """Why a thing has not got it yet; empty for whoever has, or could have it by asking."""
        if live.campaign.standing(thing) is Standing.INSTALLED:
            return ""
        verdict = live.campaign.judge(thing, at)
        return self.door.objection(thing) or ("" if verdict is Verdict.OFFER else verdict.value)

    def _is_asleep(self, thing: ThingId, at: datetime, plan: Plan) -> bool:
        heard = self.heard(thing)
        return heard is None or heard + plan.patience <= at

    def _each(self, live: Live) -> float | None:
        return median_seconds(live.campaign, lambda thing: self.runs(thing).installed_at)


def _row(live: Live) -> Row:
    return row_of(live.subject, live.campaign.header, live.campaign.counts)


def _is_of(live: Live, model: str) -> bool:
    return live.subject.model == model


def _stages(plan: Plan, things: int) -> list[dict[str, Any]]:
    return [
        {
            "stage": number,
            "things": min(stage.places.of(things), things) if things else 0,
            "who": sorted(stage.only) or "whoever asks first",
            "fails_at": plan.fatal(stage.places.of(things)),
            "soak_hours": stage.soak.total_seconds() / 3600,
        }
        for number, stage in enumerate(plan.stages, 1)
    ]


def _at_once(plan: Plan, size: int) -> int:
    return size if plan.zone_share is None else plan.zone_share.at_most(size)


def _zones(live: Live) -> list[dict[str, Any]]:
    """By zone, how many stand where."""
    found: dict[str, Counter[Standing]] = {}
    for _, place in live.campaign.things():
        found.setdefault(place.zone, Counter())[place.standing] += 1
    return [{"zone": zone or "-", **{one.value: counts[one] for one in Standing}} for zone, counts in found.items()]
