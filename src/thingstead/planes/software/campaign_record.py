"""A campaign on disk: what it is of, its plan and where it stands in one document, each thing's place in another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from thingstead.clock import time_zone
from thingstead.domain.campaign import Header, Standing, Status
from thingstead.domain.campaign_plan import Calendar, Dependency, Hours, Plan, Share, Stage
from thingstead.domain.instant import instant, microseconds
from thingstead.errors import ConfigError, DecodeError
from thingstead.planes.software.release import ClassKey, Line
from thingstead.protocols.cbor import codec

__all__ = ["Subject", "decode", "decode_plan", "encode", "encode_plan"]

_VERSION = 1
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a campaign brings.

    Attributes:
        line: whom it is for, and whose it is.
        model: the maker's word for the class.
        version: for people.
        sequence_number: higher is newer.
        manifest_digest: names it for good.
        image_digest: SHA-256 of its image; empty where nobody knows it.
        outcome: how many stood where when it ended; empty before.
    """

    line: Line
    model: str
    version: str
    sequence_number: int
    manifest_digest: bytes
    image_digest: bytes = b""
    outcome: Mapping[Standing, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it by."""
        return f"{self.model}/{self.sequence_number}"


def encode(subject: Subject, header: Header) -> bytes:
    """Encode as one document."""
    target = subject.line.target
    return codec.encode(
        [
            _VERSION,
            [target.vendor_id, target.class_id, subject.line.source],
            [subject.model, subject.version, subject.sequence_number, subject.manifest_digest, subject.image_digest],
            {standing.value: count for standing, count in subject.outcome.items()},
            _plan(header.plan),
            [microseconds(header.begun_at), _optional(header.since), _optional(header.ripe_at)],
            [header.status.value, header.cause, header.stage, header.forgiven],
        ]
    )


def decode(document: bytes) -> tuple[Subject, Header]:
    """Read back what `encode` wrote; one whose time zone this machine does not know any more is paused.

    Raises:
        DecodeError: not one of ours.
    """
    match codec.decode(document):
        case [
            int(version),
            [bytes(vendor_id), bytes(class_id), str(source)],
            [str(model), str(release), int(number), bytes(digest), bytes(image)],
            dict(outcome),
            list(plan),
            [int(begun_at), since, ripe_at],
            [str(status), str(cause), int(stage), int(forgiven)],
        ] if version == _VERSION:
            try:
                counts = {Standing(name): count for name, count in outcome.items()}
                read, now = _read_plan(plan), Status(status)
            except ConfigError:
                read, now, cause = _read_plan([*plan[:4], "UTC", *plan[5:]]), Status.PAUSED, "time-zone"
            except ValueError as error:
                raise DecodeError(f"expected a campaign: {error}") from None
            subject = Subject(
                Line(ClassKey(vendor_id, class_id), source), model, release, number, digest, image, counts
            )
            times = (_optional_instant(since), _optional_instant(ripe_at))
            return subject, Header(read, instant(begun_at), now, cause, stage, *times, forgiven)
        case _:
            raise DecodeError("expected a campaign of the software plane")


def encode_plan(plan: Plan | None) -> bytes:
    """A plan whose campaign has not begun; None for whatever is usual then."""
    return codec.encode([_VERSION, None if plan is None else _plan(plan)])


def decode_plan(document: bytes) -> Plan | None:
    """Read back what `encode_plan` wrote.

    Raises:
        DecodeError: not one of ours.
        ConfigError: it names a time zone that this machine does not know.
    """
    match codec.decode(document):
        case [int(version), list(plan)] if version == _VERSION:
            return _read_plan(plan)
        case [int(version), None] if version == _VERSION:
            return None
        case _:
            raise DecodeError("expected a plan of the software plane")


def _plan(plan: Plan) -> list[Any]:
    calendar = plan.calendar
    return [
        [[_share(one.places), one.soak // _SECOND, sorted(one.only)] for one in plan.stages],
        None if plan.zone_share is None else _share(plan.zone_share),
        [_hours(one) for one in calendar.windows],
        [_hours(one) for one in calendar.quiet],
        str(calendar.zone),
        [[one.model, one.sequence_number, one.version, one.same_zone] for one in plan.after],
        [_share(one) for one in plan.abort],
        plan.patience // _SECOND,
        None if plan.deadline is None else plan.deadline // _SECOND,
    ]


def _read_plan(value: list[Any]) -> Plan:
    match value:
        case [list(stages), share, list(windows), list(quiet), str(zone), list(after), list(abort), int(wait), end]:
            calendar = Calendar(_all_hours(windows), _all_hours(quiet), time_zone(zone))
            try:
                return Plan(
                    tuple([Stage(Share(*places), soak * _SECOND, frozenset(only)) for places, soak, only in stages]),
                    None if share is None else Share(*share),
                    calendar,
                    tuple([Dependency(*one) for one in after]),
                    tuple([Share(*one) for one in abort]),
                    wait * _SECOND,
                    None if end is None else end * _SECOND,
                )
            except (TypeError, ValueError, OverflowError) as error:
                raise DecodeError(f"expected a plan of a campaign: {error}") from None
        case _:
            raise DecodeError("expected a plan of a campaign")


def _share(share: Share) -> list[int]:
    return [share.count, share.basis]


def _hours(hours: Hours) -> list[Any]:
    return [sorted(hours.days), hours.start, hours.end]


def _all_hours(values: list[Any]) -> tuple[Hours, ...]:
    try:
        return tuple([Hours(frozenset(days), start, end) for days, start, end in values])
    except (TypeError, ValueError) as error:
        raise DecodeError(f"expected hours of a week: {error}") from None


def _optional(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)


def _optional_instant(value: Any) -> datetime | None:
    return None if value is None else instant(value)
