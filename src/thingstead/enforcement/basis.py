"""What a thing's open flows rest on: one word beside its rules, which the kernel keeps when nobody else is left.

Who narrows a thing's rules ends its open flows, and can die between the two, or before either: the rules are in force
again at the next start, when nobody remembers which they were. So the word goes before flows are ended, and comes when
they are. Where the kernel has none, or not that of the rules that take their place, the flows end then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from thingstead.crypto.digest import digest
from thingstead.domain.network import FlowRule, NetworkChange
from thingstead.enforcement.table import Element

__all__ = ["bases", "basis_of", "is_basis"]

_BYTES = 8
_BARRED = "barred"


def basis_of(change: NetworkChange) -> Iterator[Element]:
    """The word, for each address of a thing; of an address out of the DNS only that there is one counts.

    Who is barred has one too: a flow that was not ended would wait behind the bar until that is lifted.
    """
    if change.rules is None and not change.barred:
        return
    told = (
        _BARRED if change.barred else _told(change.rules or frozenset(), change.denied, change.named, change.learning)
    )
    for one in change.addresses:
        yield Element(f"basis{one.ip.version}", one.ip.packed, comment=told)


def bases(elements: Iterable[Element]) -> dict[bytes, str]:
    """The words among what is held, by address."""
    return {one.key: one.comment for one in elements if is_basis(one)}


def is_basis(element: Element) -> bool:
    """Whether it is such a word."""
    return bool(element.comment)


@lru_cache(maxsize=256)
def _told(rules: frozenset[FlowRule], denied: frozenset[FlowRule], named: frozenset[str], learning: bool) -> str:
    """The same for many things of one model."""
    words = (sorted(map(_word, rules)), sorted(map(_word, denied)), sorted(named), learning)
    return digest(repr(words).encode())[:_BYTES].hex()


def _word(rule: FlowRule) -> str:
    remote = rule.remote
    where = (remote.network_address.packed, remote.prefixlen) if rule.lifetime is None else (b"", remote.version)
    return repr((rule.outbound, where, rule.protocol, rule.remote_ports, rule.thing_ports, rule.icmp))
