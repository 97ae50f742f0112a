"""The network's rules kept by another process: the `Enforcement` port over a Unix socket (ADR 0025)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import IntEnum
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from thingstead.domain.network import (
    AppliedChange,
    Drop,
    FlowRule,
    NetworkChange,
    NetworkStanding,
    RateLimit,
    RuleTraffic,
    ThingAddress,
    Traffic,
)
from thingstead.errors import DecodeError, ForbiddenError, PolicyError, TransportError
from thingstead.identifier import ThingId, thing_id
from thingstead.transport.frame import Connection

__all__ = ["Ask", "RemoteEnforcement", "decode_change", "encode_change", "encode_rule"]


_MAC_BYTES, _LONGEST_NAME = 6, 15
_MOST_RATE = (1 << 31) - 1
_LONGEST_LIFE = (1 << 31) - 1
"""RFC 2181 §8 gives no name a longer one."""


class Ask(IntEnum):
    """What the enforcer is asked."""

    APPLY = 1
    STANDING = 2
    COUNTERS = 3
    RULE_COUNTERS = 4
    DROPS = 5
    SETTLE = 6
    UPHOLD = 7
    APPLY_ALL = 8


class RemoteEnforcement:
    """Asks the process that has the right to change the kernel's rules."""

    def __init__(self, path: Path) -> None:
        self._connection = Connection(path)
        self._lock = asyncio.Lock()

    async def apply(self, change: NetworkChange) -> AppliedChange:
        """Put all of a thing's rules in force at once.

        Raises:
            TransportError: they are not in force; what was before still is.
            PolicyError: an address is another thing's.
        """
        match await self._ask(int(Ask.APPLY), encode_change(change)):
            case [str(why)]:
                raise PolicyError(why)
            case answer:
                return _decode_applied(change, answer)

    async def apply_all(self, changes: Sequence[NetworkChange]) -> tuple[AppliedChange, ...]:
        """The same of several things.

        Raises:
            TransportError: of one at least they are not in force.
            PolicyError: an address is another thing's.
        """
        match await self._ask(int(Ask.APPLY_ALL), [encode_change(change) for change in changes]):
            case [str(why)]:
                raise PolicyError(why)
            case [*answers] if len(answers) == len(changes):
                return tuple([_decode_applied(*pair) for pair in zip(changes, answers, strict=True)])
        raise TransportError("the enforcer does not say what it did", reason="enforcer")

    async def settle(self) -> str:
        """All that is known after a start was applied; who keeps the rules.

        Raises:
            TransportError: earlier rules stand.
        """
        return str(await self._ask(int(Ask.SETTLE)))

    async def uphold(self) -> str:
        """Put in force again what somebody altered; who did.

        Raises:
            TransportError: it is not in force.
        """
        return str(await self._ask(int(Ask.UPHOLD)))

    async def standing(self, thing: ThingId) -> NetworkStanding:
        """What happens to the thing's packets now."""
        match await self._ask(int(Ask.STANDING), str(thing)):
            case [str(mode), bool(admitted), bool(barred)]:
                return NetworkStanding(thing, mode, admitted=admitted, barred=barred)
        raise TransportError("the enforcer does not say how the thing stands", reason="enforcer")

    async def counters(self) -> tuple[Traffic, ...]:
        """Packets seen and refused, per thing."""
        rows = await self._ask(int(Ask.COUNTERS))
        return tuple([Traffic(thing_id(thing), seen, refused) for thing, seen, refused in rows])

    async def rule_counters(self, thing: ThingId) -> tuple[RuleTraffic, ...]:
        """What came of each rule of one thing."""
        rows = await self._ask(int(Ask.RULE_COUNTERS), str(thing))
        return tuple([RuleTraffic(_decode_rule(rule), bool(refusal), packets) for rule, refusal, packets in rows])

    async def drops(self) -> tuple[Drop, ...]:
        """What was dropped and logged since this was last asked."""
        return tuple([Drop(at, reason, head) for at, reason, head in await self._ask(int(Ask.DROPS))])

    def close(self) -> None:
        """Hang up; the rules stay."""
        self._connection.close()

    async def _ask(self, *message: Any) -> Any:
        async with self._lock:
            try:
                return await asyncio.to_thread(self._connection.ask, *message)
            except ForbiddenError as error:
                raise TransportError(str(error), reason="enforcer") from error


def _decode_applied(change: NetworkChange, value: Any) -> AppliedChange:
    match value:
        case [str(mode), int(added), int(removed), (None | float()) as seconds]:
            return AppliedChange(change.thing, mode, added, removed, seconds)
    raise TransportError("the enforcer does not say what it did", reason="enforcer")


def encode_change(change: NetworkChange) -> list[Any]:
    """A change as plain values."""
    rate = change.rate
    return [
        change.thing,
        [[one.mac, str(one.ip), one.port] for one in change.addresses],
        None if change.rules is None else _encode_rules(change.rules),
        change.barred,
        _encode_rules(change.denied),
        None if rate is None else [rate.flows_per_second, rate.burst, rate.packets_per_second],
        change.learning,
        _encode_rules(change.repair),
        sorted(change.named),
    ]


def decode_change(value: Any) -> NetworkChange:
    """The change again.

    Raises:
        DecodeError: outside the grammar.
    """
    match value:
        case [
            str(thing),
            list(addresses),
            (None | list()) as rules,
            bool(barred),
            list(denied),
            (None | [int(), int(), int()]) as rate,
            bool(learning),
            list(repair),
            list(named),
        ] if all(isinstance(word, str) for word in named):
            try:
                return NetworkChange(
                    thing_id(thing),
                    tuple([_decode_address(one) for one in addresses]),
                    None if rules is None else _decode_rules(rules),
                    barred,
                    _decode_rules(denied),
                    None if rate is None else RateLimit(*[_within(one, 1, _MOST_RATE) for one in rate]),
                    learning,
                    _decode_rules(repair),
                    frozenset(named),
                )
            except ValueError as error:
                raise DecodeError(f"expected addresses and prefixes in a change: {error}") from error
    raise DecodeError("expected a change of a thing's rules")


def _encode_rules(rules: frozenset[FlowRule]) -> list[Any]:
    return [encode_rule(rule) for rule in rules]


def _decode_rules(values: list[Any]) -> frozenset[FlowRule]:
    return frozenset([_decode_rule(one) for one in values])


def encode_rule(rule: FlowRule) -> list[Any]:
    """A rule as plain values."""
    ports = [*rule.remote_ports, *rule.thing_ports]
    icmp = None if rule.icmp is None else list(rule.icmp)
    return [rule.outbound, str(rule.remote), rule.protocol, ports, icmp, rule.lifetime]


def _decode_rule(value: Any) -> FlowRule:
    match value:
        case [
            bool(outbound),
            str(remote),
            (None | int()) as protocol,
            [int(a), int(b), int(c), int(d)],
            (None | [None | int(), None | int()]) as icmp,
            (None | int()) as lifetime,
        ]:
            for octet in (protocol, *(icmp or ())):
                _within(octet, 0, 255)
            for first, last in ((a, b), (c, d)):
                _within(first, 0, last)
                _within(last, 0, 65_535)
            kind = None if icmp is None else (icmp[0], icmp[1])
            return FlowRule(
                outbound, ip_network(remote), protocol, (a, b), (c, d), kind, _within(lifetime, 1, _LONGEST_LIFE)
            )
    raise DecodeError("expected a rule")


def _decode_address(value: Any) -> ThingAddress:
    match value:
        case [bytes(mac), str(ip), str(port)] if len(mac) == _MAC_BYTES and len(port) <= _LONGEST_NAME:
            return ThingAddress(mac, ip_address(ip), port)
    raise DecodeError("expected an address of a thing")


def _within(value: int | None, least: int, most: int) -> Any:
    """What does not fit into its field in the kernel would move those behind it."""
    if value is not None and not least <= value <= most:
        raise ValueError(f"expected {least} to {most}, got {value}")
    return value
