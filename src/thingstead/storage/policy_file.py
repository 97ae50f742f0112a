"""The owner's policy as it is written: a TOML file in which nothing unknown passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from thingstead.domain.policy import JoinPolicy, JoinRule, OwnerPolicy, ProfileName, Verdict
from thingstead.domain.purpose import Purpose
from thingstead.errors import ConfigError
from thingstead.protocols.ace.aif import Permission, Scope

__all__ = ["parse_policy"]


class _Rule(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    makers: tuple[str, ...]
    scope: str = ""
    models: tuple[str, ...] = ("*",)
    serials: tuple[str, ...] = ("*",)
    verdict: Verdict = Verdict.ADMIT
    zone: str = ""
    until: datetime | None = None


class _Series(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    purpose: str
    retention_days: Annotated[float, msgspec.Meta(gt=0)]
    personal: bool = False


class _Policy(msgspec.Struct, forbid_unknown_fields=True):
    profile: ProfileName = ProfileName.HOME
    approve_each: bool = False
    scope: dict[str, dict[str, tuple[str, ...]]] = {}
    rule: tuple[_Rule, ...] = ()
    granted: dict[str, tuple[str, ...]] = {}
    series: tuple[_Series, ...] = ()


def parse_policy(text: str) -> OwnerPolicy:
    """Read a policy.

    ::

        profile = "building"

        [scope.lamp]
        "/telemetry" = ["POST"]

        [[rule]]
        name = "lamps of Acme"
        makers = ["acme"]
        models = ["LX-*"]
        zone = "floor-1"
        scope = "lamp"

        [granted]
        "/light" = ["GET", "PUT"]

        [[series]]
        name = "power"
        purpose = "find faults"
        retention_days = 30

    ``granted`` is what the domain may do at its things; a series that is not declared is refused. A rule may
    also give ``serials``, ``verdict`` (admit, hold, refuse) and ``until`` (a date and time with its offset).
    With ``approve_each = true`` at the top no rule admits by itself: each thing waits for a person.

    Raises:
        ConfigError: not TOML, an unknown key, a value of the wrong kind, or a scope that is not there.
    """
    try:
        read = msgspec.toml.decode(text, type=_Policy)
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigError(f"the join policy cannot be read: {error}") from error
    scopes = {name: _scope(name, grants) for name, grants in read.scope.items()}
    join = JoinPolicy(
        read.profile, scopes, tuple([_rule(rule, scopes) for rule in read.rule]), approve_each=read.approve_each
    )
    purposes = [
        Purpose(series.name, series.purpose, timedelta(days=series.retention_days), series.personal)
        for series in read.series
    ]
    return OwnerPolicy(join, _scope("granted", read.granted), tuple(purposes))


def _rule(rule: _Rule, scopes: dict[str, Scope]) -> JoinRule:
    if (rule.scope or rule.verdict is Verdict.ADMIT) and rule.scope not in scopes:
        known = ", ".join(sorted(scopes)) or "none"
        raise ConfigError(f"rule {rule.name!r} gives the scope {rule.scope!r}; the policy has: {known}")
    if rule.until is not None and rule.until.tzinfo is None:
        raise ConfigError(f"rule {rule.name!r}: expected `until` with its offset, such as 2027-01-01T00:00:00Z")
    until = None if rule.until is None else rule.until.astimezone(UTC)
    return JoinRule(rule.name, rule.makers, rule.models, rule.serials, rule.verdict, rule.zone, rule.scope, until)


def _scope(name: str, grants: dict[str, tuple[str, ...]]) -> Scope:
    try:
        return Scope({path: _permissions(methods) for path, methods in grants.items()})
    except (KeyError, ValueError) as error:
        methods = ", ".join([method.name or "" for method in Permission])
        raise ConfigError(
            f'scope {name!r}: expected paths such as "/telemetry" with methods of {methods}: {error}'
        ) from error


def _permissions(methods: tuple[str, ...]) -> int:
    granted = Permission(0)
    for method in methods:
        granted |= Permission[method]
    return int(granted)
