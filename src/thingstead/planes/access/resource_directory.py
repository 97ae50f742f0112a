"""The resource directory: where things say what they have, and find what others have (RFC 9176).

A registration belongs to the thing whose credential it came under. A name is claimed for as long as that thing is in
the domain: nobody else gets it, while the registration lives or after it has lapsed.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from weakref import WeakValueDictionary

from thingstead.clock import Clock
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ports import Records
from thingstead.errors import DecodeError, ForbiddenError, StateError
from thingstead.identifier import ThingId
from thingstead.protocols.cbor import codec
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.link import Link
from thingstead.protocols.link_format.registration import Lookup, Registration, absolute

__all__ = ["ResourceDirectory"]

_MAX_RESULTS = 256
_SEVERAL = frozenset(("rt", "if", "rel", "rev", "ct"))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One registration as it stands.

    Attributes:
        owner: the thing that it belongs to.
        said: what was registered.
        until: when it lapses.
        shown: the link that endpoint lookups show.
        attributes: of the endpoint, as criteria ask for them.
        links: what it has, made absolute, beside the targets that it said.
    """

    owner: ThingId
    said: Registration
    until: datetime
    shown: Link = field(init=False)
    attributes: frozenset[tuple[str, str]] = field(init=False)
    links: tuple[tuple[Link, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        shown = self.said.as_link()
        links = tuple([(absolute(one, self.said.base), one.target) for one in self.said.links])
        object.__setattr__(self, "shown", shown)
        object.__setattr__(self, "attributes", frozenset((name, value or "") for name, value in shown.attributes))
        object.__setattr__(self, "links", links)


class _Index:
    """Which registrations have which value of which attribute, themselves or in one of their links."""

    __slots__ = ("_by_value", "_values")

    def __init__(self) -> None:
        self._by_value: dict[tuple[str, str], dict[str, None]] = {}
        self._values: dict[str, list[str]] = {}

    def add(self, key: str, pairs: Iterable[tuple[str, str]]) -> None:
        for pair in pairs:
            if pair not in self._by_value:
                self._by_value[pair] = {}
                insort(self._values.setdefault(pair[0], []), pair[1])
            self._by_value[pair][key] = None

    def remove(self, key: str, pairs: Iterable[tuple[str, str]]) -> None:
        for pair in pairs:
            held = self._by_value.get(pair, {})
            held.pop(key, None)
            if not held and pair in self._by_value:
                del self._by_value[pair]
                values = self._values[pair[0]]
                del values[bisect_left(values, pair[1])]

    def size(self, name: str, pattern: str) -> int:
        """How many have it, roughly: what a pattern fits counts as much as can be."""
        return len(self._values) << 32 if pattern.endswith("*") else len(self._by_value.get((name, pattern), ()))

    def fits(self, key: str, name: str, pattern: str) -> bool:
        if not pattern.endswith("*"):
            return key in self._by_value.get((name, pattern), ())
        return any(key in self._by_value[name, value] for value in self._like(name, pattern[:-1]))

    def having(self, name: str, pattern: str) -> Iterator[str]:
        if not pattern.endswith("*"):
            yield from self._by_value.get((name, pattern), ())
            return
        seen: set[str] = set()
        for value in self._like(name, pattern[:-1]):
            for key in self._by_value[name, value]:
                if key not in seen:
                    seen.add(key)
                    yield key

    def _like(self, name: str, prefix: str) -> Iterator[str]:
        values = self._values.get(name, [])
        for place in range(bisect_left(values, prefix), len(values)):
            if not values[place].startswith(prefix):
                return
            yield values[place]


class ResourceDirectory:
    """Registrations of a domain's things, looked up by index.

    Args:
        records: one document per registration.
        is_in: whether a thing may do anything in the domain now; who may not is not shown.
        clock: for UTC.
    """

    def __init__(self, records: Records, *, is_in: Callable[[ThingId], bool], clock: Clock) -> None:
        self._records = records
        self._is_in = is_in
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._by_owner: dict[ThingId, str] = {}
        self._claimed: dict[str, ThingId] = {}
        self._changing: WeakValueDictionary[ThingId, asyncio.Lock] = WeakValueDictionary()
        self._index = _Index()
        for key, document in records.load().items():
            self._keep(key, _decode(document))

    def __len__(self) -> int:
        return len(self._entries)

    async def register(self, owner: ThingId, said: Registration) -> None:
        """Take a registration in, in place of the one that its thing has (RFC 9176 §5).

        Raises:
            ForbiddenError: the name is another thing's.
            StorageError: it is not on disk.
        """
        async with self._lock(owner):
            await self._register(owner, said)

    async def update(self, owner: ThingId, changes: Registration) -> None:
        """Renew the registration of a thing; what `changes` does not say stays (RFC 9176 §5.3.1).

        Raises:
            StateError: it has none (`reason` ``no registration``).
            StorageError: it is not on disk.
        """
        async with self._lock(owner):
            before = self._own(owner).said
            said = replace(
                before,
                lifetime=changes.lifetime or before.lifetime,
                base=changes.base or before.base,
                attributes={**before.attributes, **changes.attributes},
            )
            await self._register(owner, said)

    async def remove(self, owner: ThingId) -> None:
        """End the registration of a thing, and its claim to the name (RFC 9176 §5.3.2).

        Raises:
            StateError: it has none (`reason` ``no registration``).
            StorageError: it is not gone from disk.
        """
        async with self._lock(owner):
            key = self._own(owner).said.key
            await self._records.write({key: None})
            self._drop(key)

    async def tidy(self) -> None:
        """Free the names of lapsed registrations whose things have left the domain."""
        now = self._clock.utc()
        for key, entry in [row for row in self._entries.items() if row[1].until <= now]:
            async with self._lock(entry.owner):
                if self._entries.get(key) is entry and not self._is_in(entry.owner):
                    await self._records.write({key: None})
                    self._drop(key)

    def endpoints(self, asked: Lookup) -> list[Link]:
        """Registrations that fit every criterion, by themselves or by one of their links (RFC 9176 §6.1, §6.2)."""
        first, count = asked.window(_MAX_RESULTS)
        found = (entry.shown for entry in self._candidates(asked.criteria))
        return list(islice(found, first, first + count))

    def resources(self, asked: Lookup) -> list[Link]:
        """Links that fit every criterion, by themselves or by their registration, made absolute (RFC 9176 §6.2)."""
        first, count = asked.window(_MAX_RESULTS)
        found = (
            whole
            for entry in self._candidates(asked.criteria)
            for whole, target in entry.links
            if all(_fits(whole, target, entry, *criterion) for criterion in asked.criteria)
        )
        return list(islice(found, first, first + count))

    def _candidates(self, criteria: Sequence[tuple[str, str]]) -> Iterator[_Entry]:
        """Live registrations of which something fits each criterion; the rarest is looked up, the others asked."""
        now, index = self._clock.utc(), self._index
        if criteria:
            rarest = min(criteria, key=lambda one: index.size(*one))
            rest = [one for one in criteria if one is not rarest]
            keys: Iterable[str] = index.having(*rarest)
        else:
            rest, keys = [], self._entries
        for key in keys:
            entry = self._entries[key]
            if entry.until > now and all(index.fits(key, *one) for one in rest) and self._is_in(entry.owner):
                yield entry

    def _lock(self, owner: ThingId) -> asyncio.Lock:
        """One change of a thing at a time: of two at once, the first would stay under a name that nobody ends."""
        return self._changing.setdefault(owner, asyncio.Lock())

    async def _register(self, owner: ThingId, said: Registration) -> None:
        key = said.key
        held = self._entries.get(key)
        # A name is taken while its first registration is on its way to the disk, too.
        if owner != (self._claimed.get(key, owner) if held is None else held.owner):
            raise ForbiddenError(f"the endpoint {said.endpoint!r} is another's", spec="RFC 9176 §7.1", reason="claimed")
        if said.endpoint.startswith("thing-") and said.endpoint != owner:
            raise ForbiddenError("a thing's id is a name for itself alone", spec="RFC 9176 §7.1", reason="claimed")
        entry = _Entry(owner, said, self._clock.utc() + timedelta(seconds=said.lifetime))
        before = self._by_owner.get(owner)
        changes: dict[str, bytes | None] = {} if before in {None, key} else {str(before): None}
        self._claimed[key] = owner
        try:
            await self._records.write({**changes, key: _encode(entry)})
        finally:
            del self._claimed[key]
        if before is not None:
            self._drop(before)
        self._keep(key, entry)

    def _own(self, owner: ThingId) -> _Entry:
        key = self._by_owner.get(owner)
        if key is None or self._entries[key].until <= self._clock.utc():
            raise StateError(f"{owner} has no registration", spec="RFC 9176 §5.3", reason="no registration")
        return self._entries[key]

    def _keep(self, key: str, entry: _Entry) -> None:
        self._entries[key] = entry
        self._by_owner[entry.owner] = key
        self._index.add(key, _pairs(entry))

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key)
        self._by_owner.pop(entry.owner, None)
        self._index.remove(key, _pairs(entry))


def _pairs(entry: _Entry) -> set[tuple[str, str]]:
    """Everything by which a registration may be looked up."""
    pairs = {*entry.attributes, ("href", entry.shown.target)}
    for one, target in entry.links:
        pairs.update((name, value) for name in _names(one) for value in _values(one, name))
        pairs.update((("href", target), ("href", one.target)))
    return pairs


def _fits(one: Link, target: str, entry: _Entry, name: str, pattern: str) -> bool:
    """Whether a link or its registration has what is asked for; `target` is as the link was registered."""
    values = [target, one.target] if name == "href" else _values(one, name)
    if not pattern.endswith("*"):
        return pattern in values or (name, pattern) in entry.attributes
    values = [*values, *(value for given, value in entry.attributes if given == name)]
    return any(value.startswith(pattern[:-1]) for value in values)


def _names(one: Link) -> set[str]:
    return {name for name, value in one.attributes if value is not None}


def _values(one: Link, name: str) -> list[str]:
    if name in _SEVERAL:
        return one.values(name)
    value = one.attribute(name)
    return [] if value is None else [value]


def _encode(entry: _Entry) -> bytes:
    said = entry.said
    fields = [
        said.endpoint,
        said.sector,
        said.lifetime,
        said.base,
        dict(said.attributes),
        link.render(list(said.links)),
    ]
    return codec.encode([entry.owner, microseconds(entry.until), *fields])


def _decode(document: bytes) -> _Entry:
    match codec.decode(document):
        case [str(owner), int(until), str(endpoint), str(sector), int(life), str(base), dict(attributes), bytes(links)]:
            said = Registration(endpoint, sector, life, base, attributes, tuple(link.parse(links)))
            return _Entry(ThingId(owner), said, instant(until))
        case _:
            raise DecodeError("expected a registration of the resource directory")
