"""The join policy: who may come in, where to, and with which rights; decided apart from who it is (RFC 8576 §5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.purpose import Purpose
from thingstead.identifier import ThingId
from thingstead.protocols.ace.aif import Scope

__all__ = [
    "PROFILES",
    "Decision",
    "IdentityFacts",
    "JoinPolicy",
    "JoinRule",
    "OwnerPolicy",
    "Profile",
    "ProfileName",
    "Verdict",
    "decide",
    "record",
]


class Verdict(StrEnum):
    """What the owner's policy says of a thing that has proved who it is."""

    ADMIT = "admit"
    HOLD = "hold"
    REFUSE = "refuse"


class ProfileName(StrEnum):
    """Sets of defaults for one kind of deployment."""

    HOME = "home"
    MANAGED = "managed"
    BUILDING = "building"
    INDUSTRIAL = "industrial"


@dataclass(frozen=True, slots=True)
class Profile:
    """Defaults of a deployment.

    Attributes:
        unlisted: for authenticated things that no rule names: a home asks its owner, a plant refuses.
        token_lifetime: how long a token issued at a join is good.
        group_rekey: a group's keys are renewed at the latest after this.
    """

    unlisted: Verdict
    token_lifetime: timedelta
    group_rekey: timedelta


PROFILES: dict[ProfileName, Profile] = {
    ProfileName.HOME: Profile(Verdict.HOLD, timedelta(days=30), timedelta(days=90)),
    ProfileName.MANAGED: Profile(Verdict.HOLD, timedelta(days=7), timedelta(days=30)),
    ProfileName.BUILDING: Profile(Verdict.REFUSE, timedelta(days=7), timedelta(days=7)),
    ProfileName.INDUSTRIAL: Profile(Verdict.REFUSE, timedelta(days=1), timedelta(days=1)),
}


@dataclass(frozen=True, slots=True)
class IdentityFacts:
    """What authentication has proved of a thing: nothing in here is the thing's mere word.

    Attributes:
        maker: name of the trust anchor that vouches for it.
        model: as its maker identity says.
        serial: as its maker identity says.
        thumbprint: SHA-256 of the key that it proved to hold (RFC 9679).
        method: how it proved that, e.g. ``edhoc-3-2``.
        support_end: when the maker stops mending it; None if the maker did not say.
    """

    maker: str
    model: str
    serial: str
    thumbprint: bytes
    method: str
    support_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class JoinRule:
    """One line of the policy; it names a thing if maker, model and serial each match one pattern.

    Attributes:
        name: for the ledger.
        makers: names of trust anchors, whole.
        models: patterns in which ``*`` stands for any text and ``?`` for one character.
        serials: patterns likewise.
        verdict: what to do with things it names.
        zone: where they go.
        scope: name of their scope.
        until: first instant at which the rule no longer counts; None for good.
    """

    name: str
    makers: tuple[str, ...]
    models: tuple[str, ...]
    serials: tuple[str, ...]
    verdict: Verdict
    zone: str
    scope: str
    until: datetime | None = None

    def names(self, facts: IdentityFacts) -> bool:
        """Whether the rule is about a thing with these facts."""
        return (
            facts.maker in self.makers
            and any(fnmatchcase(facts.model, pattern) for pattern in self.models)
            and any(fnmatchcase(facts.serial, pattern) for pattern in self.serials)
        )


@dataclass(frozen=True, slots=True)
class JoinPolicy:
    """The owner's file, read: the first rule that names a thing decides.

    Attributes:
        profile: defaults.
        scopes: rights by name.
        rules: in the order of the file; each names a scope that is there.
        approve_each: no rule admits by itself; whom it would admit waits for a person.
    """

    profile: ProfileName
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    rules: tuple[JoinRule, ...] = ()
    approve_each: bool = False


@dataclass(frozen=True, slots=True)
class OwnerPolicy:
    """Everything that the owner's policy file says.

    Attributes:
        join: who may come in.
        granted: what the domain itself may do at every thing that it takes in.
        purposes: what is collected, why, and for how long; anything else is refused.
    """

    join: JoinPolicy
    granted: Scope
    purposes: tuple[Purpose, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says, and by which rule.

    Attributes:
        verdict: admitted, held until a person approves, or refused.
        rule: the rule's name, or ``unlisted``.
        zone: where the thing goes.
        scope: what it gets when it is admitted, by the rule or by a person; None where no rule says.
    """

    verdict: Verdict
    rule: str
    zone: str = ""
    scope: Scope | None = None


def decide(facts: IdentityFacts, policy: JoinPolicy, *, at: datetime) -> Decision:
    """Decide about an authenticated thing; whoever no rule admits is not admitted.

    A thing whose maker has stopped mending it is held even where a rule admits it (RFC 8576 §5.5): a person
    decides then.
    """
    for rule in policy.rules:
        if rule.names(facts) and (rule.until is None or at < rule.until):
            break
    else:
        return Decision(PROFILES[policy.profile].unlisted, "unlisted")
    if rule.verdict is Verdict.REFUSE:
        return Decision(Verdict.REFUSE, rule.name, rule.zone)
    scope = policy.scopes.get(rule.scope)
    if rule.verdict is Verdict.HOLD:
        return Decision(Verdict.HOLD, rule.name, rule.zone, scope)
    if policy.approve_each:
        return Decision(Verdict.HOLD, f"{rule.name}, but each is approved by a person", rule.zone, scope)
    if facts.support_end is not None and facts.support_end <= at:
        return Decision(Verdict.HOLD, f"{rule.name}, but support has ended", rule.zone, scope)
    return Decision(Verdict.ADMIT, rule.name, rule.zone, scope)


def record(
    facts: IdentityFacts, decision: Decision, *, thing: ThingId | None, actor: str, at: datetime
) -> tuple[Draft, Draft]:
    """Two entries for one join: who it is, and whether it may; neither follows from the other (R-59)."""
    proved: dict[str, Detail] = {
        "maker": facts.maker,
        "model": facts.model,
        "serial": facts.serial,
        "thumbprint": facts.thumbprint,
    }
    allowed: dict[str, Detail] = {"verdict": decision.verdict.value, "rule": decision.rule, "zone": decision.zone}
    return (
        Draft(at, Kind.AUTHENTICATION, actor, thing, facts.method, proved),
        Draft(at, Kind.AUTHORIZATION, actor, thing, decision.verdict.value, allowed),
    )
