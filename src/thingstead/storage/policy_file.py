"""The owner's policy as it is written: a TOML file in which nothing unknown passes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import msgspec

from thingstead.domain.attestation_policy import AttestationPolicy, Waits
from thingstead.domain.crypto_policy import QUANTUM_YEAR, Hybrid, crypto_policy
from thingstead.domain.peer_policy import PeerProfile, PeerRule
from thingstead.domain.policy import JoinPolicy, JoinRule, OwnerPolicy, ProfileName, Rejoin, Verdict
from thingstead.domain.purpose import Purpose
from thingstead.domain.serial import Serials, parse_serials
from thingstead.domain.service import Service
from thingstead.errors import ConfigError
from thingstead.protocols.ace.aif import Bounds, Permission, Scope
from thingstead.storage.plan_file import PlanTable, plan_of_policy
from thingstead.storage.release_policy_file import (
    ReleaseSection,
    VulnerabilitySection,
    release_policy,
    vulnerability_policy,
)
from thingstead.storage.response_policy_file import ResponseSection, response_policy

__all__ = ["parse_policy"]

_MAX_CHARACTERS = 1 << 20


_Name = Annotated[str, msgspec.Meta(max_length=255)]
"""As long as a claim may be that a maker identity names a thing by."""

_Names = Annotated[tuple[_Name, ...], msgspec.Meta(max_length=256)]
"""Each is compared with at every join."""

_Seconds = Annotated[float, msgspec.Meta(gt=0, le=31_536_000)]


class _Rule(msgspec.Struct, forbid_unknown_fields=True):
    name: _Name
    makers: _Names
    scope: str = ""
    models: _Names = ("*",)
    serials: tuple[_Name, ...] | None = None
    bill: str = ""
    verdict: Verdict = Verdict.ADMIT
    zone: str = ""
    since: datetime | None = None
    until: datetime | None = None
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None


class _Series(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    purpose: str
    retention_days: Annotated[float, msgspec.Meta(gt=0, le=36_500)]
    personal: bool = False
    every_seconds: _Seconds | None = None
    stale_after_seconds: _Seconds | None = None
    needs: frozenset[Service] | None = None


class _Peer(msgspec.Struct, forbid_unknown_fields=True):
    name: _Name
    clients: _Names
    servers: _Names
    scope: str
    hours: Annotated[float, msgspec.Meta(gt=0, le=8760)]
    same_zone: bool = True
    profile: PeerProfile = PeerProfile.EDHOC
    clock: bool = True


class _Bounded(msgspec.Struct, forbid_unknown_fields=True):
    methods: tuple[str, ...]
    lowest: int | None = None
    highest: int | None = None
    changes_per_minute: int | None = None


class _Rejoin(msgspec.Struct, forbid_unknown_fields=True):
    versions: _Names
    models: _Names = ("*",)


class _Crypto(msgspec.Struct, forbid_unknown_fields=True):
    quantum_year: int = QUANTUM_YEAR
    hybrid: Hybrid = Hybrid.OFF
    sunset: Annotated[dict[str, date], msgspec.Meta(max_length=256)] = {}


class _Attestation(msgspec.Struct, forbid_unknown_fields=True):
    require: frozenset[Waits] = frozenset()
    max_age_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] = 24
    models: _Names = ("*",)


class _Policy(msgspec.Struct, forbid_unknown_fields=True):
    profile: ProfileName = ProfileName.HOME
    approve_each: bool = False
    scope: dict[str, dict[str, tuple[str, ...] | _Bounded]] = {}
    bill: dict[str, tuple[_Name, ...]] = {}
    rule: Annotated[tuple[_Rule, ...], msgspec.Meta(max_length=1000)] = ()
    rejoin: Annotated[tuple[_Rejoin, ...], msgspec.Meta(max_length=1000)] = ()
    granted: dict[str, tuple[str, ...] | _Bounded] = {}
    series: tuple[_Series, ...] = ()
    peer: Annotated[tuple[_Peer, ...], msgspec.Meta(max_length=1000)] = ()
    crypto: _Crypto = msgspec.field(default_factory=_Crypto)
    campaign: PlanTable | None = None
    release: ReleaseSection = msgspec.field(default_factory=ReleaseSection)
    vulnerability: VulnerabilitySection = msgspec.field(default_factory=VulnerabilitySection)
    attestation: _Attestation = msgspec.field(default_factory=_Attestation)
    response: ResponseSection = msgspec.field(default_factory=ResponseSection)


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
        every_seconds = 300
        needs = ["confidentiality", "availability"]

        [[peer]]
        name = "switches command lights"
        clients = ["SW-*"]
        servers = ["LX-*"]
        scope = "light"
        hours = 24

    ``granted`` is what the domain may do at its things; a series that is not declared is refused. A thing that sends
    none for longer than ``every_seconds``, some times over, is called silent; a value whose time is further than
    ``stale_after_seconds`` from ours is refused; ``needs`` names the services without which a series is not
    collected. A rule may also give ``serials`` (patterns, and ranges such as ``A-0001..A-0100``) or the name of a
    ``bill``, ``verdict`` (admit, hold, refuse), ``since`` and ``until`` (a date and time with its offset), and a
    ``count`` of things that may be in by it at one time. A bill of installation lists serials: ``[bill]``, ``floor-1
    = ["A-0107"]``; what is of its model and not on it, or on it and of another model, is refused where no rule names
    it.
    A ``peer`` says what things of some models may do at things of others, in one zone unless ``same_zone = false``,
    and for how many hours at a time without the domain being asked again. They meet by EDHOC unless ``profile =
    "oscore"``, and ``clock = false`` says that the servers do not know what time it is.
    What a scope lets a thing set may be bounded: ``"/light/level" = { methods = ["PUT"], lowest = 10, highest = 60,
    changes_per_minute = 6 }``; the thing that is asked holds to it, and to its own bounds.
    ``[[rejoin]]`` with ``versions = ["2.*"]``, and ``models``, has a thing join anew once it runs such a release.
    ``[campaign]`` with the keys of a plan (`plan_file.parse_plan`) says how releases go that come without one.
    ``[crypto.sunset]`` with ``"AES-CCM-16-64-128" = 2029-12-31`` sets the last day of an algorithm; ``[crypto]`` with
    ``quantum_year = 2032`` when to reckon with a quantum computer, ``hybrid = "offered"`` has joins by ML-KEM too.
    ``[release]``, ``[[release.device]]`` and ``[vulnerability]`` are said in `release_policy_file`, ``[response]`` in
    `response_policy_file`.
    ``[attestation]`` with ``require = ["tokens", "groups", "updates"]`` has those wait for evidence of what runs.
    With ``approve_each = true`` at the top no rule admits by itself: each thing waits for a person.

    Raises:
        ConfigError: not TOML, an unknown key, a value of the wrong kind, a scope or bill that is not there, two
            rules of one name, a series that needs what nothing gives it, or an algorithm's day after its last.
    """
    if len(text) > _MAX_CHARACTERS:
        raise ConfigError(f"the join policy cannot be read: expected at most {_MAX_CHARACTERS} characters")
    try:
        read = msgspec.toml.decode(text, type=_Policy)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ConfigError(f"the join policy cannot be read: {error}") from error
    scopes = {name: _scope(name, grants) for name, grants in read.scope.items()}
    bills = {name: parse_serials(serials, each=True) for name, serials in read.bill.items()}
    rules = tuple([_rule(rule, scopes, bills) for rule in read.rule])
    if len({rule.name for rule in rules}) < len(rules):
        raise ConfigError("expected rules of different names: the ledger calls them by it")
    rejoin = tuple([Rejoin(one.models, one.versions) for one in read.rejoin])
    join = JoinPolicy(read.profile, scopes, rules, approve_each=read.approve_each, rejoin=rejoin)
    purposes = [_purpose(series) for series in read.series]
    peers = tuple([_peer(peer, scopes) for peer in read.peer])
    crypto = crypto_policy(read.crypto.sunset, read.crypto.quantum_year, read.crypto.hybrid)
    plan = None if read.campaign is None else plan_of_policy(read.campaign, text)
    waits, response = _attestation(read.attestation), response_policy(read.response)
    beside = (plan, release_policy(read.release), vulnerability_policy(read.vulnerability), waits, response)
    return OwnerPolicy(join, _scope("granted", read.granted), tuple(purposes), peers, crypto, *beside)


def _attestation(read: _Attestation) -> AttestationPolicy:
    return AttestationPolicy(read.require, timedelta(hours=read.max_age_hours), read.models)


def _rule(rule: _Rule, scopes: dict[str, Scope], bills: dict[str, Serials]) -> JoinRule:
    if (rule.scope or rule.verdict is Verdict.ADMIT) and rule.scope not in scopes:
        known = ", ".join(sorted(scopes)) or "none"
        raise ConfigError(f"rule {rule.name!r} gives the scope {rule.scope!r}; the policy has: {known}")
    return JoinRule(
        name=rule.name,
        makers=rule.makers,
        models=rule.models,
        serials=_serials(rule, bills),
        verdict=rule.verdict,
        zone=rule.zone,
        scope=rule.scope,
        since=_instant(rule, "since", rule.since),
        until=_instant(rule, "until", rule.until),
        count=rule.count,
        bill=rule.bill,
    )


def _peer(peer: _Peer, scopes: dict[str, Scope]) -> PeerRule:
    if peer.scope not in scopes:
        known = ", ".join(sorted(scopes)) or "none"
        raise ConfigError(f"peer {peer.name!r} gives the scope {peer.scope!r}; the policy has: {known}")
    lifetime = timedelta(hours=peer.hours)
    scope = scopes[peer.scope]
    return PeerRule(
        peer.name, peer.clients, peer.servers, scope, lifetime, peer.same_zone, peer.profile, has_clock=peer.clock
    )


def _serials(rule: _Rule, bills: dict[str, Serials]) -> Serials:
    if not rule.bill:
        return parse_serials(("*",) if rule.serials is None else rule.serials)
    if rule.serials is not None or rule.bill not in bills:
        known = ", ".join(sorted(bills)) or "none"
        raise ConfigError(f"rule {rule.name!r}: expected serials, or one of the bills {known}; not {rule.bill!r}")
    return bills[rule.bill]


def _instant(rule: _Rule, name: str, at: datetime | None) -> datetime | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise ConfigError(f"rule {rule.name!r}: expected `{name}` with its offset, such as 2027-01-01T00:00:00Z")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ConfigError(f"rule {rule.name!r}: expected `{name}` between the years 1 and 9999") from None


def _purpose(series: _Series) -> Purpose:
    return Purpose(
        series.name,
        series.purpose,
        timedelta(days=series.retention_days),
        series.personal,
        every=_span(series.every_seconds),
        stale_after=_span(series.stale_after_seconds),
        needs=series.needs,
    )


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _scope(name: str, grants: dict[str, tuple[str, ...] | _Bounded]) -> Scope:
    bounded = {path: grant for path, grant in grants.items() if isinstance(grant, _Bounded)}
    try:
        methods = {path: grant.methods if isinstance(grant, _Bounded) else grant for path, grant in grants.items()}
        bounds = {path: Bounds(one.lowest, one.highest, one.changes_per_minute) for path, one in bounded.items()}
        return Scope({path: _permissions(names) for path, names in methods.items()}, bounds)
    except (KeyError, ValueError) as error:
        known = ", ".join([method.name or "" for method in Permission])
        raise ConfigError(
            f'scope {name!r}: expected paths such as "/telemetry" with methods of {known}: {error}'
        ) from error


def _permissions(methods: tuple[str, ...]) -> int:
    granted = Permission(0)
    for method in methods:
        granted |= Permission[method]
    return int(granted)
