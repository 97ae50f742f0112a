"""The operation that asks what the join policy would say, and why; nothing changes by it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.admission import Admission
from thingstead.controller.operation import Operation
from thingstead.domain.policy import Decision, Explanation, IdentityFacts, Verdict
from thingstead.domain.role import Right
from thingstead.errors import ConfigError, UntrustedError

__all__ = ["ExplainPolicy", "facts_of", "rows", "told"]


@dataclass(frozen=True, slots=True)
class ExplainPolicy:
    """Name a thing as its maker would.

    Attributes:
        maker: name of the trust anchor that would vouch for it.
        model: as its maker identity would say.
        serial: as its maker identity would say.
        at: when it would come, with its offset; now if not given.
    """

    maker: str
    model: str
    serial: str
    at: datetime | None = None


def rows(admission: Admission, *, clock: Clock) -> tuple[Operation[Any], ...]:
    """The table."""

    async def explain(request: ExplainPolicy) -> dict[str, Any]:
        at = clock.utc() if request.at is None else request.at
        if at.tzinfo is None:
            raise ConfigError("expected `at` with its offset, such as 2027-01-01T00:00:00Z")
        try:
            return told(admission.explain(facts_of(request), at=at))
        except UntrustedError as error:
            return told(Explanation(Decision(Verdict.REFUSE, f"before any rule: {error}"), ()))

    return (
        Operation("policy.explain", ExplainPolicy, Right.SEE, "what would be decided about a thing, and why", explain),
    )


def facts_of(request: ExplainPolicy) -> IdentityFacts:
    """What would have been proved of the thing."""
    return IdentityFacts(request.maker, request.model, request.serial, b"", "none")


def told(explanation: Explanation) -> dict[str, Any]:
    """An explanation as a result."""
    decision = explanation.decision
    return {
        "verdict": decision.verdict.value,
        "rule": decision.rule,
        "zone": decision.zone,
        "rights": sorted(decision.scope.grants) if decision.scope is not None else [],
        "passed": [asdict(one) for one in explanation.passed],
    }
