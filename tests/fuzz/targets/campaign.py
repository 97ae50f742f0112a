"""Plans as people write them, campaigns as they are kept, and what things and people do to one in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.fuzz.target import Cursor, Target, attempt, ensure
from thingstead.domain.campaign import Campaign, Header, Standing, Status, Verdict, Zones
from thingstead.domain.campaign_plan import EVERYONE, STAGED, Plan, Share, Stage
from thingstead.errors import ConfigError, StateError
from thingstead.identifier import ThingId
from thingstead.planes.software import campaign_record
from thingstead.planes.software.campaign_record import Subject
from thingstead.planes.software.release import ClassKey, Line
from thingstead.storage.plan_file import parse_plan

_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
_TEXT = b"""time_zone = "Europe/Berlin"
canary = ["A-0107", 2]
stages = [5, "12.5%", "100%"]
zone_share = "25%"
windows = ["mon-fri 01:00-05:00"]
quiet = ["sat,sun 22:00-06:00"]
abort = ["5%", 20]
deadline_days = 30
[[after]]
model = "GW-1"
version = "2.0.0"
"""
_SUBJECT = Subject(Line(ClassKey(b"v" * 16, b"c" * 16), "acme"), "LX-1", "1.1.0", 7, b"\1" * 32)
_WHOLE = Share(basis=10_000)
_PLANS = (
    EVERYONE,
    STAGED,
    Plan((Stage(Share(1)), Stage(Share(3), timedelta(hours=1)), Stage(_WHOLE)), Share(basis=3400), abort=(Share(2),)),
    Plan((Stage(Share(2), only=frozenset({"A1", "A4"})), Stage(_WHOLE)), Share(1), patience=timedelta(hours=2)),
    Plan(zone_share=Share(2), abort=(Share(basis=2500),), deadline=timedelta(hours=5)),
)
_ENDS = (Standing.INSTALLED, Standing.FAILED, Standing.OFFERED)


def _plan(data: bytes) -> None:
    """A plan is read whole or refused with a line; what is read can be kept."""
    try:
        plan = parse_plan(data.decode("latin-1"))
    except ConfigError:
        return
    ensure(campaign_record.decode_plan(campaign_record.encode_plan(plan)) == plan, "a plan changed on disk")
    ensure(plan.stages[-1].places.is_whole, "a plan that stops halfway")


def _record(data: bytes) -> None:
    """A document is a campaign or refused."""
    found = attempt(lambda: campaign_record.decode(data))
    if found is not None:
        ensure(campaign_record.decode(campaign_record.encode(*found)) == found, "a campaign changed on disk")


def _steps(data: bytes) -> None:
    """Whatever order things come in: no stage and no zone gets more than its share, and every count is right."""
    cursor, zones, at = Cursor(data), Zones(), _AT
    campaign = Campaign(Header(_PLANS[cursor.number(len(_PLANS))], at, since=at), zones)
    here: dict[ThingId, str] = {}
    while not cursor.is_empty:
        number, step = cursor.number(8), cursor.number(8)
        thing = ThingId(f"thing-{number}")
        at += timedelta(minutes=cursor.number(64))
        if step == 0:
            _move(campaign, thing, f"zone-{cursor.number(3)}", here, at if cursor.number(4) == 0 else None)
        elif step == 1 and thing in here:
            zones.things[here.pop(thing)] -= 1
            campaign.drop(thing)
        elif step in {2, 3, 4}:
            _ask(campaign, thing, at)
        elif step == 5:
            campaign.settle(thing, _ENDS[cursor.number(len(_ENDS))], at)
        elif step == 6:
            campaign.tick(at)
        else:
            _change(campaign, cursor.number(6), at)
        _check(campaign, here)


def _move(campaign: Campaign, thing: ThingId, zone: str, here: dict[ThingId, str], offered_at: datetime | None) -> None:
    if thing in here:
        campaign.zones.things[here[thing]] -= 1
    here[thing] = zone
    campaign.zones.things[zone] += 1
    campaign.place(thing, zone=zone, serial=thing.replace("thing-", "A"), offered_at=offered_at)


def _ask(campaign: Campaign, thing: ThingId, at: datetime) -> None:
    before, header, places = campaign.standing(thing), campaign.header, campaign.places
    taken = sum(place.offered_at is not None for _, place in campaign.things())
    verdict = campaign.ask(thing, at)
    if verdict is not Verdict.OFFER:
        return
    ensure(not header.has_ended, "an offer of what has ended")
    ensure(before is Standing.OFFERED or header.is_open, "somebody began while it was paused")
    last = header.stage == len(header.plan.stages) - 1
    ensure(before is not Standing.WAITING or last or taken < places, "more than the places of a stage")
    place = dict(campaign.things())[thing]
    share = header.plan.zone_share
    if before in {Standing.WAITING, Standing.SILENT} and share is not None:
        most = share.at_most(campaign.zones.things[place.zone])
        ensure(campaign.zones.updating[place.zone] <= most, "more than a zone's share")


def _change(campaign: Campaign, which: int, at: datetime) -> None:
    try:
        if which == 5:
            campaign.advance(at, cause="advanced")
        else:
            campaign.change(tuple(Status)[which], at, cause="a person")
    except StateError:
        return


def _check(campaign: Campaign, here: dict[ThingId, str]) -> None:
    standings = [place.standing for _, place in campaign.things()]
    ensure(campaign.counts == {one: standings.count(one) for one in Standing}, "a count is wrong")
    ensure({name for name, _ in campaign.things()} == set(here), "who is there is not who is in it")
    for zone in campaign.zones.updating:
        updating = sum(place.zone == zone and place.standing is Standing.OFFERED for _, place in campaign.things())
        ensure(campaign.zones.updating[zone] == updating, "a zone's count is wrong")


TARGETS = (
    Target("campaign.plan", _plan, (_TEXT, b'stages = ["10%", "100%"]')),
    Target("campaign.record", _record, (campaign_record.encode(_SUBJECT, Header(STAGED, _AT, since=_AT)),)),
    Target("campaign.steps", _steps, (bytes(range(256)), b"\x02" + bytes(range(7, 250, 3)))),
)
