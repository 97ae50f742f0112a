"""The plan of a campaign as it is written: a TOML file in which nothing unknown passes, and each fault has its line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

from thingstead.clock import time_zone
from thingstead.domain.campaign_plan import Calendar, Dependency, Hours, Plan, Share, Stage
from thingstead.errors import ConfigError

__all__ = ["PlanTable", "parse_plan", "plan_of_policy"]

_MAX_CHARACTERS = 1 << 18
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"(?:([a-z,-]+) )?(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)%")
_HEADER = re.compile(r"\s*\[\[?\s*([\w.\"-]+)\s*\]")
_PATH = re.compile(r"`\$([^`]*)`")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_ANY_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)

_Word = Annotated[str, msgspec.Meta(max_length=255)]
_Number = int | _Word
_Words = Annotated[tuple[_Number, ...], msgspec.Meta(max_length=1000)]
_Days = Annotated[float, msgspec.Meta(gt=0, le=3650)]
_HourCount = Annotated[float, msgspec.Meta(ge=0, le=8760)]


class _After(msgspec.Struct, forbid_unknown_fields=True):
    model: _Word
    version: _Word = ""
    sequence: Annotated[int, msgspec.Meta(ge=1)] | None = None
    same_zone: bool = True


class PlanTable(msgspec.Struct, forbid_unknown_fields=True):
    """A plan as TOML has it; of a file of its own, and of ``[campaign]`` in the policy."""

    time_zone: _Word = "UTC"
    canary: Annotated[int, msgspec.Meta(ge=1)] | _Words = ()
    stages: _Words = ("100%",)
    soak_hours: _HourCount = 0
    zone_share: _Number = ""
    windows: Annotated[tuple[_Word, ...], msgspec.Meta(max_length=20)] = ()
    quiet: Annotated[tuple[_Word, ...], msgspec.Meta(max_length=20)] = ()
    abort: _Words = ()
    patience_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] = 24
    deadline_days: _Days | None = None
    after: Annotated[tuple[_After, ...], msgspec.Meta(max_length=100)] = ()


class _FaultError(ValueError):
    """A value that is none, at a place: keys and indices from the outermost in."""

    def __init__(self, message: str, *place: str | int) -> None:
        super().__init__(message)
        self.place = place


def parse_plan(text: str) -> Plan:
    """Read a plan.

    ::

        time_zone = "Europe/Berlin"      # UTC where nothing is said
        canary = ["A-0107", "A-0108"]    # serial numbers or ids; or a number: the first so many that ask
        stages = ["10%", "50%", "100%"]  # of all that are to update; numbers of things are stages too
        soak_hours = 24                  # how long a stage has to stand well before the next begins
        zone_share = "25%"               # of a zone's things at most in the midst of an update, whatever it is
        windows = ["mon-fri 01:00-05:00"]
        quiet = ["22:00-06:00"]
        abort = ["5%", 20]               # failures that end it: of the places of a stage, or so many
        patience_hours = 24              # how long a thing that was offered it is waited for
        deadline_days = 30               # whoever was not there by then is told by name

        [[after]]                        # what has to be done first, in the same zone unless same_zone = false
        model = "GW-1"
        version = "2.0.0"                # or sequence = 7

    Raises:
        ConfigError: not TOML, an unknown key, or a value that is none; it names the line.
    """
    if len(text) > _MAX_CHARACTERS:
        raise ConfigError(f"the plan cannot be read: expected at most {_MAX_CHARACTERS} characters")
    try:
        table = msgspec.toml.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ConfigError(f"the plan cannot be read: {error}") from error
    try:
        return _read(msgspec.convert(table, PlanTable))
    except msgspec.ValidationError as error:
        raise ConfigError(f"plan, line {_line(text, _place(str(error)))}: {error}") from error
    except _FaultError as fault:
        raise ConfigError(f"plan, line {_line(text, fault.place)}: {fault}") from fault


def plan_of_policy(table: PlanTable, text: str) -> Plan:
    """The plan that a policy has as its table ``campaign``.

    Args:
        table: as it was read.
        text: of the whole policy, for the line of a fault.

    Raises:
        ConfigError: a value that is none; it names the line.
    """
    try:
        return _read(table)
    except _FaultError as fault:
        raise ConfigError(f"policy, line {_line(text, fault.place, table='campaign')}: {fault}") from fault


def _read(table: PlanTable) -> Plan:
    soak = timedelta(hours=table.soak_hours)
    stages = [Stage(_share(one, "stages", number), soak) for number, one in enumerate(table.stages)]
    _require_ascending([stage.places for stage in stages])
    calendar = Calendar(_hours(table.windows, "windows"), _hours(table.quiet, "quiet"), _zone(table.time_zone))
    if calendar.opens(_ANY_MONDAY) is None:
        key = "windows" if table.windows else "quiet"
        raise _FaultError("expected an hour of the week in which something may begin; none is left", key)
    return Plan(
        stages=(*_canary(table, soak), *stages),
        zone_share=None if table.zone_share == "" else _share(table.zone_share, "zone_share"),
        calendar=calendar,
        after=tuple([_dependency(one, number) for number, one in enumerate(table.after)]),
        abort=tuple([_share(one, "abort", number) for number, one in enumerate(table.abort)]),
        patience=timedelta(hours=table.patience_hours),
        deadline=None if table.deadline_days is None else timedelta(days=table.deadline_days),
    )


def _canary(table: PlanTable, soak: timedelta) -> tuple[Stage, ...]:
    if isinstance(table.canary, int):
        return (Stage(Share(table.canary), soak),)
    names = frozenset(str(one) for one in table.canary)
    if len(names) < len(table.canary):
        raise _FaultError("expected each thing once", "canary")
    return (Stage(Share(len(names)), soak, names),) if names else ()


def _share(value: int | str, *place: str | int) -> Share:
    percent = _PERCENT.fullmatch(str(value))
    if percent and 0 < (basis := round(float(percent[1]) * 100)) <= 10_000:
        return Share(basis=basis)
    if str(value).isascii() and str(value).isdigit() and 0 < int(value) < 1_000_000:
        return Share(int(value))
    raise _FaultError(
        f'expected a number of things such as 5, or a share such as "10%", up to 100%; got {value!r}', *place
    )


def _require_ascending(stages: Sequence[Share]) -> None:
    for name in ("count", "basis"):
        said = [getattr(one, name) for one in stages if getattr(one, name)]
        if said != sorted(set(said)):
            raise _FaultError("expected each stage to be larger than the one before", "stages")
    if not stages or not stages[-1].is_whole:
        raise _FaultError('expected the last stage to be "100%"; `thingstead campaign pause` stops before it', "stages")


def _zone(name: str) -> Any:
    try:
        return time_zone(name)
    except ConfigError as error:
        raise _FaultError(str(error), "time_zone") from error


def _dependency(one: _After, number: int) -> Dependency:
    if (one.sequence is None) is (not one.version):
        raise _FaultError("expected the version or the sequence number of what goes first", "after", number, "model")
    return Dependency(one.model, one.sequence or 0, one.version, one.same_zone)


def _hours(said: Sequence[str], key: str) -> tuple[Hours, ...]:
    return tuple([_one_hours(text, key, number) for number, text in enumerate(said)])


def _one_hours(text: str, *place: str | int) -> Hours:
    found = _HOURS.fullmatch(text.strip().lower())
    if found:
        start, end = int(found[2]) * 60 + int(found[3]), int(found[4]) * 60 + int(found[5])
        if start < 1440 and end <= 1440 and int(found[3]) < 60 and int(found[5]) < 60:
            return Hours(_weekdays(found[1], *place), start, end)
    raise _FaultError(f'expected hours such as "22:00-06:00" or "mon-fri 01:00-05:00"; got {text!r}', *place)


def _weekdays(text: str | None, *place: str | int) -> frozenset[int]:
    days: set[int] = set()
    for part in (text or "mon-sun").split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last and last not in _DAYS):
            raise _FaultError(f"expected days of {', '.join(_DAYS)}; got {part!r}", *place)
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        days |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    return frozenset(days)


def _place(message: str) -> tuple[str | int, ...]:
    """Where msgspec says that something is wrong."""
    path, unknown = _PATH.search(message), _UNKNOWN.search(message)
    words = re.findall(r"\w+", path[1]) if path else []
    place: list[str | int] = [int(word) if word.isdigit() else word for word in words]
    return (*place, unknown[1]) if unknown else tuple(place)


def _line(text: str, place: Sequence[str | int], *, table: str = "") -> int:
    """The line of a key; where it is not found, as of one that is missing, that of its table.

    Args:
        text: of the file.
        place: keys and indices from the outermost in.
        table: that the plan is in; none for the whole file.
    """
    is_after = place[:1] == ("after",) and len(place) > 1
    home, nth = (f"{table}.after".strip("."), int(place[1])) if is_after else (table, 0)
    keys = [one for one in place[2 if is_after else 0 :] if isinstance(one, str)]
    here, seen, found = "", {"": 0}, 1
    for count, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            here = header[1]
            seen[here] = seen.get(here, -1) + 1
            found = count if (here, seen[here]) == (home, nth) else found
        elif (here, seen[here]) == (home, nth) and keys and re.match(rf"\s*{re.escape(keys[0])}\s*=", line):
            return count
    return found
