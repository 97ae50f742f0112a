"""The enforcer that enforces nothing, and says so in everything it answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from thingstead.domain.network import AppliedChange, Drop, NetworkChange, NetworkStanding, RuleTraffic, Traffic
from thingstead.identifier import ThingId

__all__ = ["DryRun"]

_logger = logging.getLogger(__name__)


class DryRun:
    """Remembers the rules that nobody keeps; fits the `Enforcement` port.

    Args:
        reason: why there is no enforcement here, for people.
    """

    mode = "dry_run"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self._changes: dict[ThingId, NetworkChange] = {}
        _logger.warning("DRY RUN: network rules are NOT enforced on this machine: %s", reason)

    async def apply(self, change: NetworkChange) -> AppliedChange:
        """Remember `change`; no packet is dropped for it, and no time is given."""
        before = self._changes.get(change.thing)
        old = frozenset() if before is None or before.rules is None else before.rules
        new = change.rules or frozenset()
        self._changes[change.thing] = change
        return AppliedChange(change.thing, self.mode, len(new - old), len(old - new), None)

    async def apply_all(self, changes: Sequence[NetworkChange]) -> tuple[AppliedChange, ...]:
        """Remember them all."""
        return tuple([await self.apply(change) for change in changes])

    async def settle(self) -> str:
        """Nothing stood before."""
        return self.mode

    async def uphold(self) -> str:
        """Nobody alters what is nowhere."""
        return ""

    async def standing(self, thing: ThingId) -> NetworkStanding:
        """What a kernel would say if one had been told; `mode` tells that none was."""
        change = self._changes.get(thing)
        barred = change is not None and change.barred
        admitted = change is not None and change.rules is not None and not barred
        return NetworkStanding(thing, self.mode, admitted=admitted, barred=barred)

    async def counters(self) -> tuple[Traffic, ...]:
        """Nothing is counted."""
        return ()

    async def rule_counters(self, thing: ThingId) -> tuple[RuleTraffic, ...]:  # noqa: ARG002  nobody counts
        """Nothing is counted."""
        return ()

    async def drops(self) -> tuple[Drop, ...]:
        """Nothing is dropped."""
        return ()

    def close(self) -> None:
        """Forget the rules."""
        self._changes.clear()
