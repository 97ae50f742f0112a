"""What the kernel was told of each thing, whose each address is, and what several things have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from thingstead.domain.network import NetworkChange
from thingstead.enforcement.layout import Layout, is_shared
from thingstead.enforcement.table import Element
from thingstead.enforcement.transaction import Difference, difference
from thingstead.errors import PolicyError
from thingstead.identifier import ThingId

__all__ = ["Holdings"]

_Key = TypeVar("_Key")


class Holdings:
    """Remembers; what it is told, the kernel has taken or is about to."""

    def __init__(self) -> None:
        self._layouts: dict[ThingId, Layout] = {}
        self._owners: dict[IPv4Address | IPv6Address, ThingId] = {}
        self._shared: Counter[Element] = Counter()
        self._chains: Counter[str] = Counter()

    def of(self, thing: ThingId) -> Layout | None:
        """What is held of a thing."""
        return self._layouts.get(thing)

    def layouts(self) -> tuple[Layout, ...]:
        """What is held of each, in the order in which they came."""
        return tuple(self._layouts.values())

    def without_others(self, change: NetworkChange) -> NetworkChange:
        """A bar neither fails nor strikes others for an address that another thing has by now."""
        owned = {one.ip: self._owners.get(one.ip, change.thing) for one in change.addresses}
        others = {ip for ip, by in owned.items() if by != change.thing and self._layouts[by].change.rules is not None}
        kept = tuple([one for one in change.addresses if one.ip not in others])
        return replace(change, addresses=kept) if change.rules is None else change

    def at_addresses_of(self, change: NetworkChange) -> Iterator[Layout]:
        """Bars that remember an address of the change; it is free again.

        Raises:
            PolicyError: one address is of a thing that has rules (R-34).
        """
        for owner in {self._owners.get(one.ip, change.thing) for one in change.addresses} - {change.thing}:
            layout = self._layouts[owner]
            if layout.change.rules is not None:
                raise PolicyError(f"expected addresses of its own for {change.thing}, got some of {owner}", spec="R-34")
            yield layout

    def difference(self, before: Layout | None, after: Layout) -> Difference:
        """From the one to the other, but for what another thing has too."""
        held = frozenset() if before is None else before.elements
        chains = Counter(() if before is None else [chain.name for chain in before.chains])
        kept = frozenset(one for one in held if is_shared(one) and self._shared[one] > 1)
        names = {*chains, *[chain.name for chain in after.chains]}
        standing = {name for name in names if self._chains[name] > chains[name]}
        return difference(before, after, kept=kept, standing=standing)

    def take(self, before: Layout | None, after: Layout | None) -> None:
        """The one is held instead of the other."""
        for layout, number in ((before, -1), (after, 1)):
            for element in () if layout is None else filter(is_shared, layout.elements):
                _count(self._shared, element, number)
            for chain in () if layout is None else layout.chains:
                _count(self._chains, chain.name, number)
        for one in () if before is None else before.change.addresses:
            self._owners.pop(one.ip, None)
        if after is not None:
            self._layouts[after.change.thing] = after
            self._owners.update({one.ip: after.change.thing for one in after.change.addresses})
        elif before is not None:
            del self._layouts[before.change.thing]


def _count(counter: Counter[_Key], key: _Key, number: int) -> None:
    """What nobody has is not kept."""
    counter[key] += number
    if not counter[key]:
        del counter[key]
