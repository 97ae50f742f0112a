from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from thingstead.domain.campaign import Header, Standing, Status
from thingstead.domain.campaign_plan import EVERYONE, STAGED, Calendar, Dependency, Hours, Plan, Share, Stage
from thingstead.errors import ConfigError, DecodeError
from thingstead.planes.software import campaign_record
from thingstead.planes.software.campaign_record import Subject
from thingstead.planes.software.release import ClassKey, Line
from thingstead.protocols.cbor import codec

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SUBJECT = Subject(Line(ClassKey(b"v" * 16, b"c" * 16), "acme"), "LX-1", "1.1.0", 7, b"\1" * 32)
NIGHT = Hours(frozenset({0, 6}), 60, 300)
WHOLE = Stage(Share(basis=10000))
FULL = Plan(
    (Stage(Share(2), timedelta(hours=1), frozenset({"A1", "A2"})), Stage(Share(basis=1250)), WHOLE),
    Share(basis=2500),
    Calendar((NIGHT,), (Hours(frozenset(range(7)), 1320, 360),), ZoneInfo("Europe/Berlin")),
    (Dependency("GW-1", 7, "2.0.0"), Dependency("GW-2", 8, "", same_zone=False)),
    (Share(3), Share(basis=500)),
    timedelta(hours=6),
    timedelta(days=30),
)


@pytest.mark.parametrize("plan", [EVERYONE, STAGED, FULL, None])
def test_a_plan_comes_back_as_it_was(plan):
    assert campaign_record.decode_plan(campaign_record.encode_plan(plan)) == plan


@pytest.mark.parametrize(
    "header",
    [
        Header(FULL, AT),
        Header(FULL, AT, Status.ABORTED, "failures", 1, AT, None, 3),
        Header(EVERYONE, AT, Status.RUNNING, "begun", 0, AT, AT),
    ],
)
def test_a_campaign_comes_back_as_it_was(header):
    assert campaign_record.decode(campaign_record.encode(SUBJECT, header)) == (SUBJECT, header)


def test_how_an_ended_one_ended_comes_back():
    subject = Subject(
        SUBJECT.line, "LX-1", "1.1.0", 7, b"\1" * 32, b"\2" * 32, {Standing.INSTALLED: 9, Standing.FAILED: 1}
    )
    (read, _) = campaign_record.decode(campaign_record.encode(subject, Header(EVERYONE, AT, Status.SUPERSEDED)))
    assert read.outcome == subject.outcome


def test_one_whose_time_zone_is_gone_waits_for_a_person(monkeypatch):
    document = campaign_record.encode(SUBJECT, Header(FULL, AT))

    def forgotten(name):
        if name != "UTC":
            raise ConfigError(f"no {name} here")
        return UTC

    monkeypatch.setattr("thingstead.planes.software.campaign_record.time_zone", forgotten)
    _, header = campaign_record.decode(document)
    assert (header.status, header.cause) == (Status.PAUSED, "time-zone")
    with pytest.raises(ConfigError):
        campaign_record.decode_plan(campaign_record.encode_plan(FULL))


def altered(place, value):
    fields = codec.decode(campaign_record.encode(SUBJECT, Header(FULL, AT)))
    fields[place] = value
    return codec.encode(fields)


PLAN = codec.decode(campaign_record.encode_plan(FULL))[1]
BAD = {
    "nothing": b"",
    "another form": codec.encode([1, 2]),
    "a later form": altered(0, 2),
    "no line": altered(1, []),
    "no subject": altered(2, ["LX-1"]),
    "an unknown standing": altered(3, {"asleep": 1}),
    "an unknown status": altered(6, ["asleep", "begun", 0, 0]),
    "no stages": altered(4, [[], *PLAN[1:]]),
    "a stage of nothing": altered(4, [[[]], *PLAN[1:]]),
    "hours of nothing": altered(4, [*PLAN[:2], [[]], *PLAN[3:]]),
    "dependencies of nothing": altered(4, [*PLAN[:5], [[]], *PLAN[6:]]),
    "a share of three": altered(4, [PLAN[0], [1, 2, 3], *PLAN[2:]]),
    "a short plan": altered(4, PLAN[:4]),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_campaign_is_refused(name):
    with pytest.raises(DecodeError):
        campaign_record.decode(BAD[name])


@pytest.mark.parametrize(
    "document",
    [
        b"",
        codec.encode([1]),
        codec.encode([2, PLAN]),
        codec.encode([1, PLAN[:3]]),
        codec.encode([1, [*PLAN[:7], 1 << 60, PLAN[8]]]),
        codec.encode([1, [*PLAN[:8], 1 << 60]]),
    ],
    ids=["empty", "short", "later", "cut", "patience for ever", "a deadline beyond all calendars"],
)
def test_what_is_no_plan_is_refused(document):
    with pytest.raises(DecodeError):
        campaign_record.decode_plan(document)
