"""Read from the kernel what it counted, and what stands there; a row that is gone is none, and no fault."""

from __future__ import annotations

import errno
from collections.abc import Iterable

from thingstead.domain.network import RuleTraffic, Traffic
from thingstead.enforcement.layout import Layout, exact_places
from thingstead.enforcement.netlink import Message, NetfilterSocket, NetlinkError
from thingstead.enforcement.table import Element, Table, comments, packet_counts, rule_packets

__all__ = ["Meter"]

_FAMILIES = (("4", 4), ("6", 16))
"""What the names of sets end in, and how many octets an address has."""


class Meter:
    """Asks, and changes nothing.

    Args:
        kernel: whom.
        table: of which table.

    Every method raises `NetlinkError` where the kernel does not answer.
    """

    def __init__(self, kernel: NetfilterSocket, table: Table) -> None:
        self._kernel = kernel
        self._table = table

    def has_table(self) -> bool:
        """Whether a table of the name stands."""
        return self._answers(self._table.query_table()) is not None

    def has(self, element: Element) -> bool:
        """Whether an element stands."""
        return self._answers(self._table.query(element)) is not None

    def bases(self) -> dict[bytes, str]:
        """What flows that are open rest on, by address; nothing where no such set is."""
        told = [self._answers(self._table.query_all(f"basis{family}"), dump=True) for family, _ in _FAMILIES]
        return {key: comment for answers in told for key, comment in comments(answers or [])}

    def traffic(self, layouts: Iterable[Layout]) -> tuple[Traffic, ...]:
        """Packets of each thing."""
        seen, more, refused, stopped = (self._counts(name) for name in ("thing", "bound", "refused", "stopped"))
        rows = []
        for one in layouts:
            keys = [address.ip.packed for address in one.change.addresses]
            barred = sum(stopped.get(key, 0) for key in keys)
            passed = sum(seen.get(key, 0) + more.get(key, 0) for key in keys)
            dropped = sum(refused.get(key, 0) for key in keys)
            rows.append(Traffic(one.change.thing, seen=passed + barred, refused=dropped + barred))
        return tuple(rows)

    def rule_traffic(self, layout: Layout) -> tuple[RuleTraffic, ...]:
        """What came of each rule of one thing; an address that ran out counts nothing."""
        exact = exact_places(layout.change)
        rows = [RuleTraffic(rule, refusal, self._packets(place)) for rule, refusal, place in exact]
        for chain in layout.chains:
            told = self._kernel.ask(self._table.query_rules(chain.name), dump=True)
            counts = zip(chain.flows, rule_packets(told), strict=False)
            rows += [RuleTraffic(flow, chain.is_refusal, packets) for flow, packets in counts]
        return tuple(rows)

    def _packets(self, place: Element) -> int:
        return sum(packets for _, packets in packet_counts(self._answers(self._table.query(place)) or []))

    def _counts(self, name: str) -> dict[bytes, int]:
        counts: dict[bytes, int] = {}
        for family, size in _FAMILIES:
            for key, packets in packet_counts(self._kernel.ask(self._table.query_all(name + family), dump=True)):
                counts[key[:size]] = counts.get(key[:size], 0) + packets
        return counts

    def _answers(self, question: Message, *, dump: bool = False) -> list[bytes] | None:
        try:
            return self._kernel.ask(question, dump=dump)
        except NetlinkError as error:
            if error.number == errno.ENOENT:
                return None
            raise
