"""DNS names of MUD files and the addresses they stand for just now (RFC 8520 §8, RFC 9726 §3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from thingstead.clock import Clock
from thingstead.crypto.digest import digest
from thingstead.domain.instant import microseconds
from thingstead.domain.name import Holder, NameAnswer, NameStanding, is_inside
from thingstead.domain.ports import Records, Resolver
from thingstead.errors import DecodeError, TransportError
from thingstead.planes.network.alarm import Alarm, AlarmKind
from thingstead.protocols.cbor import codec

__all__ = ["NameLimits", "NameTable"]

_Prefix = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class NameLimits:
    """Bounds on what a name server may make us do.

    Attributes:
        min_seconds: a shorter time to live counts as this where we ask ourselves, or a name could keep us busy.
        max_seconds: a longer one counts as this, or an address could stay for ever.
        grace_seconds: an address outlives its name by this: for a refresh, or for a thing that was just told of it.
        retry_seconds: until a name without an answer is asked for again.
        max_addresses: of one name; more are left out, and of those learned one by one the first to end give way. No
            answer that is read has more.
        keep_seconds: between two times that what was learned is written down.
    """

    min_seconds: int = 30
    max_seconds: int = 86_400
    grace_seconds: int = 15
    retry_seconds: int = 30
    max_addresses: int = 256
    keep_seconds: int = 10


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a name stands for.

    Attributes:
        hosts: each with the monotonic time at which it ends.
        due: when something is to be done: a look-up, or the end of a host.
        shared: why its addresses are not its owner's alone; empty where nothing says so.
    """

    hosts: Mapping[_Prefix, float]
    due: float
    shared: str = ""


class NameTable:
    """Knows what names stand for: by asking when they are due, or from answers that things were given.

    With a resolver it asks. Without one it learns (`learn`), so that a name stands for nothing before a thing has
    asked for it, and for nothing any more once what the thing was told has run out (RFC 9726 §3).

    An answer that points at the site itself, or at no unicast address, is left out with an alarm: whoever answers
    for a maker's name must not open the way to a neighbour of the thing (DNS rebinding).

    Args:
        resolver: asks; None where names are learned.
        inside: prefixes of the site.
        clock: for due times.
        holder: whose a name is.
        alarm: told of what is left out, and of names that share their addresses with strangers.
        records: keeps what was learned over a restart, for as long as it holds; None where that is not wanted.
        limits: bounds.

    Raises:
        DecodeError: a document that is none of this table's.
    """

    def __init__(
        self,
        resolver: Resolver | None,
        *,
        inside: tuple[_Prefix, ...],
        clock: Clock,
        holder: Callable[[str], Holder],
        alarm: Callable[[Alarm], None],
        records: Records | None = None,
        limits: NameLimits | None = None,
    ) -> None:
        self._resolver = resolver
        self._records = records if resolver is None else None
        self._inside = inside
        self._clock = clock
        self._holder = holder
        self._alarm = alarm
        self._limits = limits or NameLimits()
        self._entries: dict[str, _Entry] = {}
        self._unkept: set[str] = set()
        self._keep_at = clock.now()
        for document in () if self._records is None else self._records.load().values():
            self._remember(document)
        self._unkept.clear()

    def addresses(self) -> dict[str, tuple[_Prefix, ...]]:
        """Name -> hosts, of every name that was looked up or learned and not forgotten; who has run out is left out."""
        return {name: tuple(self._alive(name)) for name in self._entries}

    def lifetime(self, name: str, host: _Prefix) -> int:
        """Seconds for which `host` may stand for `name` from now on; at least one."""
        return max(1, int(self._entries[name].hosts[host] - self._clock.now()))

    def standings(self) -> tuple[NameStanding, ...]:
        """Every name as it stands, for whoever asks."""
        now = self._clock.now()
        return tuple(
            [
                NameStanding(
                    name,
                    tuple([(host.network_address.packed, max(0, int(end - now))) for host, end in entry.hosts.items()]),
                    entry.shared,
                )
                for name, entry in sorted(self._entries.items())
            ]
        )

    def next_due(self) -> float | None:
        """Monotonic time at which something is to be done; None where nothing is."""
        return min((entry.due for entry in self._entries.values()), default=None)

    async def refresh(self, names: Iterable[str]) -> frozenset[str]:
        """Look up those of `names` that are due, or let go what has run out; returns those that this was done to."""
        now = self._clock.now()
        if self._resolver is None:
            ended = frozenset(name for name in names if name in self._entries and self._entries[name].due <= now)
            for name in ended:
                self._keep(name, self._alive(name), self._entries[name].shared)
            return ended
        due = [name for name in names if name not in self._entries or self._entries[name].due <= now]
        for name in due:
            self._entries[name] = await self._look_up(name, self._resolver)
        return frozenset(due)

    def learn(self, answer: NameAnswer) -> bool:
        """Take up what a thing is about to be told; whether the name stands for something by it.

        An address stays until what was said of it has run out, whatever later answers say of others: the thing may
        use what it was told for so long, and not for longer.
        """
        found = [(ip_address(packed), ttl) for packed, ttl in answer.addresses[: self._limits.max_addresses]]
        outside = frozenset(self._outside(answer.name, [address for address, _ in found]))
        now, hosts = self._clock.now(), self._alive(answer.name)
        for address, ttl in found:
            if (host := ip_network(address)) in outside:
                end = now + min(max(ttl, 0), self._limits.max_seconds) + self._limits.grace_seconds
                hosts[host] = max(end, hosts.get(host, end))
        if not hosts:
            return False
        # What is told now is open now, whatever else was told for longer.
        newest = sorted(hosts, key=lambda host: (host in outside, hosts[host]), reverse=True)
        shared = self._shared(answer.name, answer.aliases, outside)
        self._keep(answer.name, {host: hosts[host] for host in newest[: self._limits.max_addresses]}, shared)
        return True

    async def keep(self) -> None:
        """Write down what was learned since, now and then: not with each answer that a thing asks for.

        Raises:
            StorageError: it is not kept, and written the next time.
        """
        now = self._clock.now()
        if self._records is None or not self._unkept or now < self._keep_at:
            return
        unkept = frozenset(self._unkept)
        await self._records.write({_key(name): self._document(name) for name in unkept})
        self._unkept -= unkept
        self._keep_at = now + self._limits.keep_seconds

    def forget_all_but(self, names: frozenset[str]) -> None:
        """Drop names that no rule mentions any more."""
        self._unkept |= self._entries.keys() - names
        self._entries = {name: entry for name, entry in self._entries.items() if name in names}

    async def _look_up(self, name: str, resolver: Resolver) -> _Entry:
        limits = self._limits
        try:
            found = await resolver.resolve(name)
            addresses = [ip_address(text) for text in found.addresses[: limits.max_addresses]]
        except (TransportError, ValueError) as error:
            self._tell(AlarmKind.NAME_UNRESOLVED, f"{name}: {error}")
            return _Entry({}, self._clock.now() + limits.retry_seconds)
        due = self._clock.now() + min(max(found.ttl, limits.min_seconds), limits.max_seconds)
        hosts = dict.fromkeys(self._outside(name, addresses), due + limits.grace_seconds)
        return _Entry(hosts, due, self._shared(name, (), frozenset(hosts)))

    def _outside(self, name: str, addresses: Iterable[_Address]) -> list[_Prefix]:
        """Those of `addresses` that a maker's name may stand for; the others are told."""
        outside = []
        for address in addresses:
            if is_inside(address, self._inside):
                self._tell(AlarmKind.NAME_POINTS_INSIDE, f"{name} stands for {address}; left out")
            else:
                outside.append(ip_network(address))
        return outside

    def _alive(self, name: str) -> dict[_Prefix, float]:
        entry, now = self._entries.get(name), self._clock.now()
        return {} if entry is None else {host: end for host, end in entry.hosts.items() if end > now}

    def _keep(self, name: str, hosts: Mapping[_Prefix, float], shared: str) -> None:
        self._unkept.add(name)
        if hosts:
            self._entries[name] = _Entry(hosts, min(hosts.values()), shared)
        else:
            self._entries.pop(name, None)

    def _document(self, name: str) -> bytes | None:
        """A name by the world's clock, which goes on while this program does not; None where it stands for nothing."""
        entry, now, at = self._entries.get(name), self._clock.now(), microseconds(self._clock.utc())
        if entry is None:
            return None
        hosts = [[host.network_address.packed, at + int((end - now) * 1e6)] for host, end in entry.hosts.items()]
        return codec.encode([name, hosts, entry.shared])

    def _remember(self, document: bytes) -> None:
        """What still holds; a clock that was set back makes nothing hold for longer than it could."""
        now, at = self._clock.now(), microseconds(self._clock.utc())
        longest = self._limits.max_seconds + self._limits.grace_seconds
        match codec.decode(document):
            case [str() as name, list() as rows, str() as shared]:
                found = {_prefix(packed): min((end - at) / 1e6, longest) for packed, end in map(_row, rows)}
                self._keep(name, {host: now + left for host, left in found.items() if left > 0}, shared)
            case _:
                raise DecodeError("expected a name and what it stands for")

    def _shared(self, name: str, aliases: tuple[str, ...], hosts: frozenset[_Prefix]) -> str:
        """Why what this name stands for is not its owner's alone; told once (RFC 9726 §4.3).

        Whoever may reach an address of a CDN may reach everybody whom the CDN serves from there: the kernel sees
        the address, and not for which of its tenants a packet is meant.
        """
        before = self._entries[name].shared if name in self._entries else ""
        if before or not hosts:
            return before
        holder = self._holder(name)
        under = f"is under {holder.landlord}, as names of others are" if holder.landlord else ""
        found = under or self._leads_elsewhere(holder, aliases) or self._meets(holder, hosts)
        if found:
            self._tell(AlarmKind.NAME_SHARED, f"{name} {found}: what it may reach, others are served from too")
        return found

    def _leads_elsewhere(self, holder: Holder, aliases: tuple[str, ...]) -> str:
        elsewhere = [alias for alias in aliases if self._holder(alias).owner != holder.owner]
        return f"is an alias of {elsewhere[-1]}" if elsewhere else ""

    def _meets(self, holder: Holder, hosts: frozenset[_Prefix]) -> str:
        for other, entry in self._entries.items():
            if not hosts.isdisjoint(entry.hosts) and self._holder(other).owner != holder.owner:
                return f"has an address in common with {other}"
        return ""

    def _tell(self, kind: AlarmKind, detail: str) -> None:
        self._alarm(Alarm(kind, None, self._clock.utc(), detail))


def _row(row: object) -> tuple[bytes, int]:
    match row:
        case [bytes(packed), int(end)] if len(packed) in {4, 16}:
            return packed, end
        case _:
            raise DecodeError("expected an address and until when a name stands for it")


def _prefix(packed: bytes) -> _Prefix:
    return ip_network(packed)


def _key(name: str) -> str:
    return "name-" + digest(name.encode()).hex()[:32]
