"""What becomes of a join: the owner's policy, and what the thing was before, who waits, and what a person said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from thingstead.clock import Clock
from thingstead.controller.standing import GONE, changed, is_member, require_welcome
from thingstead.controller.waiting_room import WaitingRoom
from thingstead.domain.policy import Decision, Explanation, IdentityFacts, JoinPolicy, JoinRule, Verdict, explain
from thingstead.domain.register import Register
from thingstead.domain.thing import MAKER, Thing
from thingstead.errors import PolicyError

__all__ = ["JoinJudge", "Name"]

Name = tuple[str, str]
"""Of a thing that may have no record yet: its maker's, and its serial number."""


class JoinJudge:
    """Decides, and writes nothing.

    Args:
        register: the things.
        waiting: whom a person is to look at.
        policy: what is decided by now.
        clock: for UTC.
    """

    def __init__(
        self, register: Register, waiting: WaitingRoom, *, policy: Callable[[], JoinPolicy], clock: Clock
    ) -> None:
        self._register = register
        self._waiting = waiting
        self._policy = policy
        self._clock = clock
        self._entering: dict[Name, IdentityFacts] = {}

    def enter(self, facts: IdentityFacts) -> None:
        """Count a thing among those that are there, from now on until it leaves or is there."""
        self._entering[facts.maker, facts.serial] = facts

    def leave(self, name: Name) -> None:
        """It is no longer on its way in."""
        self._entering.pop(name, None)

    def explain(self, facts: IdentityFacts, *, at: datetime, ownerless: str = "") -> Explanation:
        """What is decided about a thing with these facts that comes at `at`, for joins and for whoever asks.

        Args:
            facts: who it is; of a known thing without a thumbprint, with the key that it proved last.
            at: when.
            ownerless: why nobody knows that it is ours; empty where somebody does.

        Raises:
            UntrustedError: the thing was retired or handed over, or is restricted: the policy is not even asked.
        """
        known = self._register.find(facts.maker, facts.serial)
        if known is not None:
            require_welcome(known)
            facts = self._as_known(known, facts)
        found = self._ruled(known, facts, at=at)
        return replace(found, decision=self._circumstances(known, facts, found.decision, ownerless))

    def _ruled(self, known: Thing | None, facts: IdentityFacts, *, at: datetime) -> Explanation:
        """What the policy says by itself."""
        return explain(
            facts,
            self._policy(),
            at=at,
            present=lambda rule: self._present(rule, facts),
            is_member=is_member(known, facts.thumbprint),
        )

    def _as_known(self, known: Thing, facts: IdentityFacts) -> IdentityFacts:
        """With what we know beside what is proved."""
        if known.support_end is not None:
            # The maker's date is on the thing for ever; whoever adopted it gave it another.
            facts = replace(facts, support_end=known.support_end)
        if facts.thumbprint:
            return facts
        seated, row = self._waiting.seated(known.id), known.key(MAKER, self._clock.utc())
        if seated is not None:
            return replace(facts, thumbprint=seated.thumbprint)
        return facts if row is None else replace(facts, thumbprint=row.thumbprint)

    def require_scope(self, known: Thing, scope: str) -> None:
        """Hold that the policy has the scope that a person names, or gives one by itself.

        Raises:
            PolicyError: neither.
        """
        scopes = self._policy().scopes
        there_are = f"it has {', '.join(sorted(scopes)) or 'none'}"
        if scope and scope not in scopes:
            raise PolicyError(f"the policy has no scope {scope!r}; {there_are}")
        ruled = self._ruled(known, self._as_known(known, _facts_of(known)), at=self._clock.utc())
        if not scope and ruled.decision.scope is None:
            raise PolicyError(f"no rule gives {known.id} a scope: name one (--scope) of the policy; {there_are}")

    def _circumstances(self, known: Thing | None, facts: IdentityFacts, decision: Decision, ownerless: str) -> Decision:
        """What becomes of what the policy says, by what the thing was before, and by what a person said."""
        other = "" if known is None else changed(known, facts)
        if decision.verdict is Verdict.ADMIT and other:
            rule = f"{decision.rule}, but its {other} is not the one that it had"
            decision = replace(decision, verdict=Verdict.HOLD, rule=rule)
        if ownerless and decision.verdict is not Verdict.REFUSE:
            decision = replace(decision, verdict=Verdict.HOLD, rule=f"{decision.rule}, but {ownerless}")
        if decision.verdict is not Verdict.HOLD:
            return decision
        if not self._waiting.has_seat(None if known is None else known.id):
            return Decision(Verdict.REFUSE, f"{decision.rule}, but too many wait already", decision.zone)
        if known is None:
            return decision
        key = (facts.thumbprint, decision.zone)
        kept = self._waiting.kept(known.id, *key) if is_member(known, facts.thumbprint) else None
        approval = kept or self._waiting.approval(known.id, *key)
        if approval is None:
            return decision
        scope = self._policy().scopes.get(approval.scope) if approval.scope else decision.scope
        if scope is None:
            return decision
        rule = f"{decision.rule}, approved by {approval.by}"
        return replace(decision, verdict=Verdict.ADMIT, rule=rule, scope=scope)

    def _present(self, rule: JoinRule, facts: IdentityFacts) -> int:
        """How many others that the rule names are in, or on their way in."""
        here = {
            (thing.maker, thing.serial)
            for thing in self._register.things()
            if thing.joined_at is not None and thing.state not in GONE and rule.names(_facts_of(thing))
        }
        here |= {name for name, entering in self._entering.items() if rule.names(entering)}
        return len(here - {(facts.maker, facts.serial)})


def _facts_of(thing: Thing) -> IdentityFacts:
    return IdentityFacts(thing.maker, thing.model, thing.serial, b"", "")
