"""The join policy: who may come in, where to, and with which rights; decided apart from who it is (RFC 8576 §5.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from thingstead.domain.attestation_policy import AttestationPolicy
from thingstead.domain.campaign_plan import Plan
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.peer_policy import PeerRule
from thingstead.domain.purpose import Purpose
from thingstead.domain.release_policy import ReleasePolicy, VulnerabilityPolicy
from thingstead.domain.response_policy import ResponsePolicy
from thingstead.domain.serial import Serials
from thingstead.identifier import ThingId
from thingstead.protocols.ace.aif import Scope

__all__ = [
    "PROFILES",
    "Decision",
    "Explanation",
    "IdentityFacts",
    "JoinPolicy",
    "JoinRule",
    "OwnerPolicy",
    "PassedOver",
    "Profile",
    "ProfileName",
    "Rejoin",
    "Verdict",
    "explain",
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
    """One line of the policy; it names a thing if maker, model and serial each match, within its window of time.

    Attributes:
        name: for the ledger; no two rules have one.
        makers: names of trust anchors, whole.
        models: patterns in which ``*`` stands for any text and ``?`` for one character.
        serials: which of them.
        verdict: what to do with things it names.
        zone: where they go.
        scope: name of their scope.
        since: first instant at which the rule counts; None for always.
        until: first instant at which the rule takes nobody in any more; None for good.
        count: how many of the things that it names may be in at one time; None for any number.
        bill: name of the bill of installation that the serials are; empty where they are none.
    """

    name: str
    makers: tuple[str, ...]
    models: tuple[str, ...]
    serials: Serials
    verdict: Verdict
    zone: str
    scope: str
    since: datetime | None = None
    until: datetime | None = None
    count: int | None = None
    bill: str = ""

    def names(self, facts: IdentityFacts) -> bool:
        """Whether the rule is about a thing with these facts, at whatever time."""
        return not self._elsewhere(facts)

    def objection(self, facts: IdentityFacts, *, at: datetime) -> str:
        """Why the rule does not decide about a thing with these facts; empty where it does."""
        return self._elsewhere(facts) or self._closed(at)

    def has_ended(self, at: datetime) -> bool:
        """Whether its time is over."""
        return self.until is not None and at >= self.until

    def is_mismatch(self, facts: IdentityFacts, *, at: datetime) -> bool:
        """Whether a thing is what was ordered in part only: its model without its serial number, or the reverse."""
        if not self.bill or facts.maker not in self.makers or self._closed(at):
            return False
        return self._is_of_model(facts) != (facts.serial in self.serials)

    def _elsewhere(self, facts: IdentityFacts) -> str:
        if facts.maker not in self.makers:
            return f"it is about {' or '.join(self.makers) or 'no maker'}"
        if not self._is_of_model(facts):
            return f"it is about models {' or '.join(self.models) or 'of no name'}"
        if facts.serial not in self.serials:
            return f"it is about serials {self.serials}" if not self.bill else f"the bill {self.bill} does not list it"
        return ""

    def _closed(self, at: datetime) -> str:
        if self.since is not None and at < self.since:
            return f"it counts from {self.since.isoformat()}"
        return f"it ended at {self.until.isoformat()}" if self.until is not None and self.has_ended(at) else ""

    def _is_of_model(self, facts: IdentityFacts) -> bool:
        return any(fnmatchcase(facts.model, pattern) for pattern in self.models)


@dataclass(frozen=True, slots=True)
class Rejoin:
    """Software with which a thing has to join anew: what it was trusted with, it was trusted with other software.

    Attributes:
        models: patterns as in a rule.
        versions: patterns of the release's version.
    """

    models: tuple[str, ...]
    versions: tuple[str, ...]

    def covers(self, model: str, version: str) -> bool:
        """Whether a thing of `model` has to join anew once it runs `version`."""
        return any(fnmatchcase(model, one) for one in self.models) and any(
            fnmatchcase(version, one) for one in self.versions
        )


@dataclass(frozen=True, slots=True)
class JoinPolicy:
    """The owner's file, read: the first rule that names a thing decides.

    Attributes:
        profile: defaults.
        scopes: rights by name.
        rules: in the order of the file; each names a scope that is there.
        approve_each: no rule admits by itself; whom it would admit waits for a person.
        rejoin: with which software a thing has to join anew.
    """

    profile: ProfileName
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    rules: tuple[JoinRule, ...] = ()
    approve_each: bool = False
    rejoin: tuple[Rejoin, ...] = ()

    def is_to_rejoin(self, model: str, version: str) -> bool:
        """Whether a thing of `model` has to join anew once it runs `version`."""
        return any(one.covers(model, version) for one in self.rejoin)


@dataclass(frozen=True, slots=True)
class OwnerPolicy:
    """Everything that the owner's policy file says.

    Attributes:
        join: who may come in.
        granted: what the domain itself may do at every thing that it takes in.
        purposes: what is collected, why, and for how long; anything else is refused.
        peers: what things may do at each other; nothing else.
        crypto: which algorithms are taken, and until when.
        attestation: what waits for evidence of what a thing runs.
        plan: how releases are brought that come without a plan; None where nothing is said.
        release: what is refused of releases, and what waits for a second person.
        vulnerability: what becomes of things that run known holes.
        response: what an alarm may have done by itself.
    """

    join: JoinPolicy
    granted: Scope
    purposes: tuple[Purpose, ...] = ()
    peers: tuple[PeerRule, ...] = ()
    crypto: CryptoPolicy = field(default_factory=CryptoPolicy)
    plan: Plan | None = None
    release: ReleasePolicy = field(default_factory=ReleasePolicy)
    vulnerability: VulnerabilityPolicy = field(default_factory=VulnerabilityPolicy)
    attestation: AttestationPolicy = field(default_factory=AttestationPolicy)
    response: ResponsePolicy = field(default_factory=ResponsePolicy)


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


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A rule that does not decide.

    Attributes:
        rule: its name.
        because: the first of its conditions that does not hold.
    """

    rule: str
    because: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, and how it came about.

    Attributes:
        decision: what the policy says.
        passed: the rules before the one that decides, in the order of the file; all of them where none does.
    """

    decision: Decision
    passed: tuple[PassedOver, ...]


def explain(
    facts: IdentityFacts,
    policy: JoinPolicy,
    *,
    at: datetime,
    present: Callable[[JoinRule], int],
    is_member: bool = False,
) -> Explanation:
    """Decide about an authenticated thing, and say why; whoever no rule admits is not admitted.

    A thing whose maker has stopped mending it is held even where a rule admits it (RFC 8576 §5.5), and so is one
    more than a rule's count: a person decides then. One that no rule names, and that is in part what a bill of
    installation says, was swapped or never ordered: it is refused, whatever the profile says (RFC 8576 §3; R-23).

    Who is in joins again before its rights run out. For it no rule is full, and where no rule names it now, one that
    admitted things like it until its time was over does still: the end of an installation is not the end of what was
    installed. Where its maker mends it no more, its state restricts it, and goes on doing so; to keep it out until
    somebody decides would leave the owner nothing to decide on.

    Args:
        facts: who it is.
        policy: in force.
        at: now, or when it would come.
        present: how many others that a rule names are in, or on their way in.
        is_member: it is in, and proved the key that it came in with.
    """
    limit = (lambda _rule: 0) if is_member else present
    facts = replace(facts, support_end=None) if is_member else facts
    passed: list[PassedOver] = []
    for rule in policy.rules:
        objection = rule.objection(facts, at=at)
        if not objection:
            return Explanation(_by(rule, facts, policy, at=at, present=limit), tuple(passed))
        passed.append(PassedOver(rule.name, objection))
    for rule in policy.rules if is_member else ():
        if rule.verdict is Verdict.ADMIT and rule.has_ended(at) and rule.names(facts):
            return Explanation(_by(rule, facts, policy, at=at, present=limit), tuple(passed))
    return Explanation(_unlisted(facts, policy, at=at), tuple(passed))


def _unlisted(facts: IdentityFacts, policy: JoinPolicy, *, at: datetime) -> Decision:
    for rule in policy.rules:
        if rule.is_mismatch(facts, at=at):
            return Decision(Verdict.REFUSE, f"{rule.name}, but it is not what the bill {rule.bill} says", rule.zone)
    return Decision(PROFILES[policy.profile].unlisted, "unlisted")


def _by(
    rule: JoinRule, facts: IdentityFacts, policy: JoinPolicy, *, at: datetime, present: Callable[[JoinRule], int]
) -> Decision:
    if rule.verdict is Verdict.REFUSE:
        return Decision(Verdict.REFUSE, rule.name, rule.zone)
    scope = policy.scopes.get(rule.scope)
    if rule.verdict is Verdict.HOLD or scope is None:
        return Decision(Verdict.HOLD, rule.name, rule.zone, scope)
    if policy.approve_each:
        return Decision(Verdict.HOLD, f"{rule.name}, but each is approved by a person", rule.zone, scope)
    if facts.support_end is not None and facts.support_end <= at:
        return Decision(Verdict.HOLD, f"{rule.name}, but support has ended", rule.zone, scope)
    if rule.count is not None and present(rule) >= rule.count:
        return Decision(Verdict.HOLD, f"{rule.name}, but its {rule.count} are in", rule.zone, scope)
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
