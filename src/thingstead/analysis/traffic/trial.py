"""A MUD file held against what a device really did: how much of it the rules allow, and what not, why (RFC 8520 §5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from thingstead.analysis.traffic.flow import Flow
from thingstead.analysis.traffic.verdict import Allowed, Judge
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
        allowed: of them, in conversations that a rule lets begin.
        flows: conversations.
        flows_allowed: of them.
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
        flows: how many.
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
    """Counts conversations of one device as its rules would treat them; takes those of many captures."""

    _shares: dict[int, _Count] = field(default_factory=lambda: {4: _Count(), 6: _Count()})
    _refused: dict[_Kind, list[int]] = field(default_factory=dict)
    _used: Counter[Rule] = field(default_factory=Counter)
    left_out: int = 0

    def hold(self, flows: Iterable[Flow], judge: Judge) -> None:
        """Judge conversations; what is no IP is nothing to a MUD file's rules, and is left out."""
        for flow in flows:
            family = _FAMILIES.get(len(flow.remote))
            if flow.protocol is None or family is None:
                self.left_out += flow.packets
                continue
            judged = judge.judge(flow)
            share = self._shares[family]
            share.packets += flow.packets
            share.flows += 1
            if isinstance(judged, Allowed):
                share.allowed += flow.packets
                share.flows_allowed += 1
                self._used[judged.rule] += flow.packets
            else:
                self._refuse(flow, judged.reason)

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

    def _refuse(self, flow: Flow, reason: str) -> None:
        port = flow.remote_port if flow.outbound else flow.device_port
        kind = (flow.outbound, flow.remote_name or flow.remote, flow.protocol, port, reason)
        if kind not in self._refused and len(self._refused) >= _MOST_REFUSALS:
            # A scan has as many kinds as there are ports: the rest counts as one, under the last reason.
            kind = (flow.outbound, b"", None, None, "more kinds than are listed")
        counts = self._refused.setdefault(kind, [0, 0])
        counts[0] += 1
        counts[1] += flow.packets
