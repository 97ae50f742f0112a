"""A MUD file held against what a device really did: how much of it the rules allow, and what not, why (RFC 8520 §5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from thingstead.analysis.traffic.packet_filter import Passage
from thingstead.analysis.traffic.verdict import Allowed, Denied, Opening
from thingstead.protocols.mud.rule import Rule

__all__ = ["Refusal", "Share", "Trial"]

_FAMILIES = {4: 4, 16: 6}
_MOST_REFUSALS = 4096


@dataclass(frozen=True, slots=True)
class Share:
    """How much of one IP version is allowed.

    Attributes:
        family: 4 or 6.
        packets: to and from the device.
        allowed: of them, those that pass.
        flows: conversations.
        flows_allowed: of them, those of which something passes.
    """

    family: int
    packets: int
    allowed: int
    flows: int
    flows_allowed: int

    @property
    def percent(self) -> float:
        """Of the packets; 100 where there was none."""
        return 100.0 * self.allowed / self.packets if self.packets else 100.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Conversations of one kind that no rule allows.

    Attributes:
        outbound: begun by the device.
        remote: name of the other side, or its address as packed bytes where no look-up was seen.
        protocol: of IP.
        port: that was asked, on whichever side.
        reason: one sentence.
        flows: how many began so.
        packets: both ways.
    """

    outbound: bool
    remote: str | bytes
    protocol: int | None
    port: int | None
    reason: str
    flows: int
    packets: int


_Kind = tuple[bool, str | bytes, int | None, int | None, str]


@dataclass(slots=True)
class _Count:
    packets: int = 0
    allowed: int = 0
    flows: int = 0
    flows_allowed: int = 0


@dataclass(slots=True)
class Trial:
    """Counts packets of one device as its rules would treat them; takes those of many captures.

    Attributes:
        left_out: packets that are no IP.
        given: packets that pass without a rule.
    """

    _shares: dict[int, _Count] = field(default_factory=lambda: {4: _Count(), 6: _Count()})
    _refused: dict[_Kind, list[int]] = field(default_factory=dict)
    _used: Counter[Rule] = field(default_factory=Counter)
    left_out: int = 0
    given: int = 0

    def hold(self, passages: Iterable[Passage]) -> None:
        """Count packets as they were decided on; what is no IP is nothing to a MUD file's rules, and is left out."""
        for passage in passages:
            opening, verdict = passage.opening, passage.verdict
            family = _FAMILIES.get(len(opening.remote))
            if opening.protocol is None or family is None:
                self.left_out += 1
                continue
            share = self._shares[family]
            share.packets += 1
            share.flows += passage.is_first
            share.flows_allowed += passage.is_let_in
            if isinstance(verdict, Denied):
                self._refuse(opening, verdict.reason, is_first=passage.is_first)
                continue
            share.allowed += 1
            if isinstance(verdict, Allowed):
                self._used[verdict.rule] += 1
            else:
                self.given += 1

    def share(self, family: int) -> Share:
        """Of one IP version."""
        count = self._shares[family]
        return Share(family, count.packets, count.allowed, count.flows, count.flows_allowed)

    def refusals(self) -> tuple[Refusal, ...]:
        """What was denied, the most packets first."""
        rows = [Refusal(*kind, *counts) for kind, counts in self._refused.items()]
        return tuple(sorted(rows, key=lambda one: (-one.packets, str(one.remote), one.port or 0)))

    def used(self) -> dict[Rule, int]:
        """Packets by rule; a rule that is missing was not needed."""
        return dict(self._used)

    def _refuse(self, opening: Opening, reason: str, *, is_first: bool) -> None:
        port = opening.remote_port if opening.outbound else opening.device_port
        remote = opening.names[0] if opening.names else opening.remote
        kind: _Kind = (opening.outbound, remote, opening.protocol, port, reason)
        if kind not in self._refused and len(self._refused) >= _MOST_REFUSALS:
            # A scan has as many kinds as there are ports: the rest counts as one, under the last reason.
            kind = (opening.outbound, b"", None, None, "more kinds than are listed")
        counts = self._refused.setdefault(kind, [0, 0])
        counts[0] += is_first
        counts[1] += 1
