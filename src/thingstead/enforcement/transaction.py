"""From what the kernel holds to what it shall hold: elements and chains that go and come, as one transaction."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from thingstead.enforcement.basis import is_basis
from thingstead.enforcement.layout import Chain, Layout
from thingstead.enforcement.netlink import Message
from thingstead.enforcement.table import Element, Table

__all__ = ["Difference", "difference", "from_nothing", "transaction"]

_ELEMENTS_TOGETHER = 1000
"""Some 100 kB: what one thing alone has may be more."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What the kernel is told of one thing.

    Attributes:
        gone: elements that go.
        fresh: elements that come.
        dropped: names of chains that go.
        made: chains that come.
    """

    gone: frozenset[Element]
    fresh: frozenset[Element]
    dropped: tuple[str, ...]
    made: tuple[Chain, ...]


def difference(
    before: Layout | None, after: Layout, *, kept: frozenset[Element], standing: Container[str]
) -> Difference:
    """What has to be done so that the kernel holds `after` where it holds `before`.

    Args:
        before: what it holds.
        after: what it shall hold.
        kept: elements that another thing has too.
        standing: names of chains that another thing has too.
    """
    held = frozenset() if before is None else before.elements
    chains = () if before is None else before.chains
    old = {chain.name: chain for chain in chains if chain not in after.chains}
    new = {chain.name: chain for chain in after.chains if chain not in chains}
    exchanged = {
        chain.entry
        for some, others in ((chains, after.chains), (after.chains, chains))
        for chain in some
        if chain not in others
    }
    lasting = frozenset(one for one in held & after.elements if one.lifetime is None) - exchanged
    stays = {chain.name for chain in after.chains if chain in chains}
    return Difference(
        held - lasting - kept,
        after.elements - lasting,
        tuple([name for name in old if name not in standing and name not in stays]),
        tuple([chain for name, chain in new.items() if name not in standing and name not in stays]),
    )


def transaction(table: Table, differences: Iterable[Difference]) -> list[Message]:
    """Old elements out, chains exchanged, new elements in; the kernel shows the result at once or not at all.

    An element with a lifetime may have run out by now, a basis may not have come yet, and what is gone cannot be
    deleted: so it is added (which does nothing if it is there) and then deleted, which cannot fail.
    """
    parts = tuple(differences)
    gone = [one for part in parts for one in part.gone]
    messages = table.add(one for one in gone if one.lifetime is not None or is_basis(one)) + table.delete(gone)
    for name in [name for part in parts for name in part.dropped]:
        messages += table.delete_chain(name)
    for chain in [chain for part in parts for chain in part.made]:
        messages += table.add_chain(chain.name, chain.rules, target=chain.target, spared=chain.spared)
    return messages + table.add(one for part in parts for one in part.fresh)


def from_nothing(table: Table, layouts: Iterable[Layout]) -> Iterator[list[Message]]:
    """What puts all of them into an empty table, several things at a time: a message costs as much as its elements."""
    together: list[Difference] = []
    standing: set[str] = set()
    count = 0
    for layout in layouts:
        if together and count + len(layout.elements) > _ELEMENTS_TOGETHER:
            yield transaction(table, together)
            together, count = [], 0
        together.append(difference(None, layout, kept=frozenset(), standing=standing))
        standing |= {chain.name for chain in layout.chains}
        count += len(layout.elements)
    yield transaction(table, together)
