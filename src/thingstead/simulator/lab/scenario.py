"""A scenario: who is there, what goes wrong, and what should have found it. Read from TOML, refused with the place."""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from thingstead.analysis.detectors.detector import Severity, detectors
from thingstead.errors import ConfigError
from thingstead.simulator.lab.cast import KINDS, OUTSIDE, SITE
from thingstead.simulator.lab.pattern.pattern import Pattern, patterns

__all__ = ["MOST_THINGS", "Attack", "Owner", "Scenario", "load", "parse", "shipped"]

_SUFFIX = ".toml"
_LARGEST = 1 << 16
MOST_THINGS = 20
_MOST_SECONDS = 100_000.0
_KEYS = frozenset(
    {"summary", "spec", "rules", "warm_up", "seconds", "things", "attack", "found_by", "updated", "asleep", "owner"}
)
_OWNER_KEYS = frozenset({"hold_ports", "quarantine_from"})
_ATTACK_KEYS = frozenset({"pattern", "by", "at", "tells_of"})


@dataclass(frozen=True, slots=True)
class Attack:
    """One pattern of bad traffic in a scenario.

    Attributes:
        by: name of the thing that does it, or `OUTSIDE`.
        at: seconds after the warm-up.
        pattern: what it does, with its options.
        tells_of: names of things whom a finding rightly names: `by`, if a file does not say otherwise.
    """

    by: str
    at: float
    pattern: Pattern
    tells_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """What the owner of the site has set otherwise than it comes.

    Attributes:
        hold_ports: ``[network] hold_ports``: each thing is bound to its port of the bridge.
        quarantine_from: ``[response] quarantine_from``: the least bad finding that cuts a thing off.
    """

    hold_ports: bool = False
    quarantine_from: str = Severity.ALARM.value


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole one.

    Attributes:
        name: of its file.
        summary: one line.
        spec: where the case is described.
        rules: whether things may do only what their habits need, as with a MUD file; else they may do anything, as
            things do of which nobody knows a profile, and only a finding stops them.
        warm_up: seconds of ordinary life before the first attack, by the lab's clock.
        seconds: and of both together after that.
        things: how many of each kind.
        attacks: what goes wrong.
        found_by: names of the detectors that have to find it.
        updated: names of things that begin to run another release when the warm-up is over.
        asleep: names of things that fall silent then as well, as planned.
        owner: settings of the site.
    """

    name: str
    summary: str
    spec: str
    rules: bool
    warm_up: float
    seconds: float
    things: Mapping[str, int]
    attacks: tuple[Attack, ...]
    found_by: tuple[str, ...]
    updated: tuple[str, ...] = ()
    asleep: tuple[str, ...] = ()
    owner: Owner = Owner()


def shipped() -> tuple[str, ...]:
    """Names of the scenarios that come with the product."""
    return tuple(sorted(one.name.removesuffix(_SUFFIX) for one in _shelf().iterdir() if one.name.endswith(_SUFFIX)))


def load(named: str) -> Scenario:
    """The shipped scenario of that name, or the file of that path.

    Raises:
        ConfigError: neither is there, or it is none.
    """
    if named in shipped():
        return parse((_shelf() / f"{named}{_SUFFIX}").read_bytes(), name=named)
    path = Path(named)
    if not named.endswith(_SUFFIX):
        raise ConfigError(f"expected a file {_SUFFIX} or one of {', '.join(shipped())}, got {named[:80]!r}")
    try:
        with path.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    return parse(data, name=path.stem)


def parse(data: bytes, *, name: str) -> Scenario:
    """Read a scenario.

    Raises:
        ConfigError: too long, no TOML, or a value that is none of ours; with the key.
    """
    if len(data) > _LARGEST:
        raise ConfigError(f"{name}: expected at most {_LARGEST} octets")
    try:
        table = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, lists in lists in lists
        raise ConfigError(f"{name}: expected TOML: {error}") from error
    _refuse_unknown(table, _KEYS, f"{name}:")
    things = _things(_value(table, "things", dict, name), name)
    known = {who for kind, many in things.items() for who in _names(kind, many)}
    attacks = tuple([_attack(row, known, f"{name}: attack {at}:") for at, row in enumerate(_rows(table, name), 1)])
    return Scenario(
        name=name,
        summary=_value(table, "summary", str, name),
        spec=_value(table, "spec", str, name),
        rules=_value(table, "rules", bool, name),
        warm_up=_seconds(table, "warm_up", name),
        seconds=_seconds(table, "seconds", name),
        things=things,
        attacks=attacks,
        found_by=tuple(_strings(_value(table, "found_by", list, name), f"{name}: found_by", _detectors())),
        updated=tuple(_strings(table.get("updated", []), f"{name}: updated", known)),
        asleep=tuple(_strings(table.get("asleep", []), f"{name}: asleep", known)),
        owner=_owner(table.get("owner", {}), f"{name}: owner:"),
    )


def _owner(table: Any, place: str) -> Owner:
    if not isinstance(table, dict):
        raise ConfigError(f"{place} expected a table")
    _refuse_unknown(table, _OWNER_KEYS, place)
    hold_ports, least = table.get("hold_ports", False), table.get("quarantine_from", Severity.ALARM.value)
    if type(hold_ports) is not bool:
        raise ConfigError(f"{place} hold_ports: expected true or false")
    if not isinstance(least, str) or least not in {one.value for one in Severity}:
        raise ConfigError(f"{place} quarantine_from: expected one of {', '.join(one.value for one in Severity)}")
    return Owner(hold_ports, least)


def _attack(row: Any, known: set[str], place: str) -> Attack:
    if not isinstance(row, dict):
        raise ConfigError(f"{place} expected a table")
    by, pattern = _value(row, "by", str, place), _value(row, "pattern", str, place)
    if by not in known | {OUTSIDE}:
        raise ConfigError(f"{place} by: expected {OUTSIDE} or one of {', '.join(sorted(known))}, got {by[:40]!r}")
    every = patterns()
    if pattern not in every:
        raise ConfigError(f"{place} pattern: expected one of {', '.join(every)}, got {pattern[:40]!r}")
    options = {key: value for key, value in row.items() if key not in _ATTACK_KEYS}
    told = tuple(_strings(row.get("tells_of", [by]), f"{place} tells_of", known | {OUTSIDE, SITE}))
    return Attack(by, _seconds(row, "at", place), _with_options(every[pattern], options, known, place), told)


def _with_options(made: type[Pattern], options: Mapping[str, Any], known: set[str], place: str) -> Pattern:
    defaults = {one.name: one.default for one in fields(made)}  # type: ignore[arg-type]  # each is a dataclass
    _refuse_unknown(options, frozenset(defaults), place)
    read = {}
    for key, value in options.items():
        read[key] = _like(defaults[key], value, f"{place} {key}:")
        if key in _WHO and value not in known:
            raise ConfigError(f"{place} {key}: expected one of {', '.join(sorted(known))}, got {value[:40]!r}")
        allowed = made.choices.get(key, ())
        if allowed and value not in allowed:
            raise ConfigError(f"{place} {key}: expected one of {', '.join(map(str, allowed))}, got {str(value)[:40]}")
        most = _MOST_OF.get(key)
        if most is not None and isinstance(value, int) and not 1 <= value <= most:
            raise ConfigError(f"{place} {key}: expected 1 to {most}, got {value}")
    return made(**read)


_WHO = frozenset({"target", "claimed"})
_MOST = 20_000
_COUNTS = ("hosts", "ports", "attempts", "packets", "times", "mails", "names", "queries", "size")
_MOST_OF = {**dict.fromkeys(_COUNTS, _MOST), "port": 0xFFFF}
"""Every loop of a pattern has a bound, whatever a file says."""


def _like(default: Any, value: Any, place: str) -> Any:
    """A value of the kind that the default is of."""
    if isinstance(default, tuple):
        if isinstance(value, list) and value and all(type(one) is int and 0 < one < 1 << 16 for one in value):
            return tuple(value)
        raise ConfigError(f"{place} expected a list of ports")
    if isinstance(default, float) and type(value) in {int, float}:
        if not 0 <= value <= _MOST_SECONDS:
            raise ConfigError(f"{place} expected 0 to {_MOST_SECONDS:.0f}, got {value}")
        return float(value)
    if type(value) is not type(default):
        raise ConfigError(f"{place} expected {type(default).__name__}, got {type(value).__name__}")
    return value


def _things(table: Mapping[str, Any], name: str) -> dict[str, int]:
    _refuse_unknown(table, frozenset(KINDS), f"{name}: things:")
    for kind, many in table.items():
        if type(many) is not int or many < 1:
            raise ConfigError(f"{name}: things: {kind}: expected 1 or more")
    if not 2 <= sum(table.values()) <= MOST_THINGS:
        raise ConfigError(f"{name}: things: expected 2 to {MOST_THINGS} in all")
    return dict(table)


def _names(kind: str, many: int) -> Iterator[str]:
    for number in range(1, many + 1):
        yield f"{kind}-{number}"


def _rows(table: Mapping[str, Any], name: str) -> list[Any]:
    rows: list[Any] = _value(table, "attack", list, name)
    return rows


def _strings(rows: Any, place: str, known: Container[str]) -> Iterator[str]:
    for row in rows if isinstance(rows, list) else [rows]:
        if not isinstance(row, str) or row not in known:
            raise ConfigError(f"{place}: {str(row)[:40]!r} is none that is known")
        yield row


def _detectors() -> frozenset[str]:
    return frozenset({one.name for one in detectors()})


def _seconds(table: Mapping[str, Any], key: str, place: str) -> float:
    value: Any = table.get(key)
    if type(value) not in {int, float} or not 0 <= value <= _MOST_SECONDS:
        raise ConfigError(f"{place} {key}: expected seconds, 0 to {_MOST_SECONDS:.0f}")
    return float(value)


def _value(table: Mapping[str, Any], key: str, kind: type[Any], place: str) -> Any:
    value = table.get(key)
    if type(value) is not kind:
        raise ConfigError(f"{place}: {key}: expected {_WORDS[kind]}")
    return value


_WORDS = {str: "text", bool: "true or false", dict: "a table", list: "a list"}


def _refuse_unknown(table: Mapping[str, Any], known: frozenset[str], place: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise ConfigError(f"{place} unknown: {', '.join(one[:40] for one in unknown)}")


def _shelf() -> Any:
    return files("thingstead.simulator.lab") / "scenarios"
