"""DNS names of MUD files and the addresses they stand for just now (RFC 8520 §8, RFC 9726 §3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from thingstead.clock import Clock
from thingstead.domain.ports import Resolver
from thingstead.errors import TransportError
from thingstead.planes.network.alarm import Alarm, AlarmKind

__all__ = ["NameLimits", "NameTable"]

_Prefix = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class NameLimits:
    """Bounds on what a name server may make us do.

    Attributes:
        min_seconds: a shorter time to live counts as this, or a name could keep us busy.
        max_seconds: a longer one counts as this, or an address could stay for ever.
        grace_seconds: an address outlives its name by this, so that a refresh has time.
        retry_seconds: until a name without an answer is asked for again.
        max_addresses: of one name; more are left out.
    """

    min_seconds: int = 30
    max_seconds: int = 86_400
    grace_seconds: int = 15
    retry_seconds: int = 30
    max_addresses: int = 32


@dataclass(frozen=True, slots=True)
class _Entry:
    prefixes: tuple[_Prefix, ...]
    due: float


class NameTable:
    """Looks names up when they are due, and keeps what they stand for.

    An answer that points at the site itself, or at no unicast address, is left out with an alarm: whoever answers
    for a maker's name must not open the way to a neighbour of the thing (DNS rebinding).

    Args:
        resolver: asks.
        inside: prefixes of the site.
        clock: for due times.
        alarm: told of what is left out.
        limits: bounds.
    """

    def __init__(
        self,
        resolver: Resolver,
        *,
        inside: tuple[_Prefix, ...],
        clock: Clock,
        alarm: Callable[[Alarm], None],
        limits: NameLimits | None = None,
    ) -> None:
        self._resolver = resolver
        self._inside = inside
        self._clock = clock
        self._alarm = alarm
        self._limits = limits or NameLimits()
        self._entries: dict[str, _Entry] = {}

    def addresses(self) -> dict[str, tuple[_Prefix, ...]]:
        """Name -> hosts, of every name that was looked up and not forgotten."""
        return {name: entry.prefixes for name, entry in self._entries.items()}

    def lifetime(self, name: str) -> int:
        """Seconds for which the addresses of `name` may stand from now on; at least one."""
        entry = self._entries[name]
        return max(1, int(entry.due - self._clock.now()) + self._limits.grace_seconds)

    def next_due(self) -> float | None:
        """Monotonic time of the next look-up; None where nothing is to be looked up."""
        return min((entry.due for entry in self._entries.values()), default=None)

    async def refresh(self, names: Iterable[str]) -> frozenset[str]:
        """Look up those of `names` that are due; returns which were looked up, whatever they gave."""
        due = [name for name in names if name not in self._entries or self._entries[name].due <= self._clock.now()]
        for name in due:
            self._entries[name] = await self._look_up(name)
        return frozenset(due)

    def forget_all_but(self, names: frozenset[str]) -> None:
        """Drop names that no rule mentions any more."""
        self._entries = {name: entry for name, entry in self._entries.items() if name in names}

    async def _look_up(self, name: str) -> _Entry:
        limits = self._limits
        try:
            found = await self._resolver.resolve(name)
            addresses = [ip_address(text) for text in found.addresses[: limits.max_addresses]]
        except (TransportError, ValueError) as error:
            self._tell(AlarmKind.NAME_UNRESOLVED, f"{name}: {error}")
            return _Entry((), self._clock.now() + limits.retry_seconds)
        lifetime = min(max(found.ttl, limits.min_seconds), limits.max_seconds)
        outside = []
        for address in addresses:
            local = any(address in prefix for prefix in self._inside if prefix.version == address.version)
            if local or address.is_loopback or address.is_multicast or address.is_link_local or address.is_unspecified:
                self._tell(AlarmKind.NAME_POINTS_INSIDE, f"{name} stands for {address}; left out")
            else:
                outside.append(ip_network(address))
        return _Entry(tuple(outside), self._clock.now() + lifetime)

    def _tell(self, kind: AlarmKind, detail: str) -> None:
        self._alarm(Alarm(kind, None, self._clock.utc(), detail))
