"""The network's rules kept by another process: the `Enforcement` port over a Unix socket (ADR 0025)."""

from __future__ import annotations

import asyncio
from enum import IntEnum
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from thingstead.domain.network import (
    AppliedChange,
    FlowRule,
    NetworkChange,
    NetworkStanding,
    ThingAddress,
    Traffic,
)
from thingstead.errors import DecodeError, ForbiddenError, PolicyError, TransportError
from thingstead.identifier import ThingId, thing_id
from thingstead.transport.frame import Connection

__all__ = ["Ask", "RemoteEnforcement", "decode_change", "encode_change"]


class Ask(IntEnum):
    """What the enforcer is asked."""

    APPLY = 1
    STANDING = 2
    COUNTERS = 3


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
            case [str(mode), int(added), int(removed), (None | float()) as seconds]:
                return AppliedChange(change.thing, mode, added, removed, seconds)
            case [str(why)]:
                raise PolicyError(why)
        raise TransportError("the enforcer does not say what it did", reason="enforcer")

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

    def close(self) -> None:
        """Hang up; the rules stay."""
        self._connection.close()

    async def _ask(self, *message: Any) -> Any:
        async with self._lock:
            try:
                return await asyncio.to_thread(self._connection.ask, *message)
            except ForbiddenError as error:
                raise TransportError(str(error), reason="enforcer") from error


def encode_change(change: NetworkChange) -> list[Any]:
    """A change as plain values."""
    rules = None if change.rules is None else [_encode_rule(rule) for rule in change.rules]
    return [change.thing, [[one.mac, str(one.ip)] for one in change.addresses], rules, change.barred]


def decode_change(value: Any) -> NetworkChange:
    """The change again.

    Raises:
        DecodeError: outside the grammar.
    """
    match value:
        case [str(thing), list(addresses), (None | list()) as rules, bool(barred)]:
            try:
                return NetworkChange(
                    thing_id(thing),
                    tuple([_decode_address(one) for one in addresses]),
                    None if rules is None else frozenset([_decode_rule(one) for one in rules]),
                    barred,
                )
            except ValueError as error:
                raise DecodeError(f"expected addresses and prefixes in a change: {error}") from error
    raise DecodeError("expected a change of a thing's rules")


def _encode_rule(rule: FlowRule) -> list[Any]:
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
            kind = None if icmp is None else (icmp[0], icmp[1])
            return FlowRule(outbound, ip_network(remote), protocol, (a, b), (c, d), kind, lifetime)
    raise DecodeError("expected a rule")


def _decode_address(value: Any) -> ThingAddress:
    match value:
        case [bytes(mac), str(ip)]:
            return ThingAddress(mac, ip_address(ip))
    raise DecodeError("expected an address of a thing")
