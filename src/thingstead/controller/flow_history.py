"""Who a thing talked to, how much, when, and why that was allowed: on disk, by day, bounded for each thing (R-81).

What is open or was heard in the last moments is in memory; each minute it is explained by the rules in force and added
to the day's document. Names are those that the thing itself asked for.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address

from thingstead.analysis.talk import LEARNED, drop_words
from thingstead.analysis.traffic.flow import Flow
from thingstead.clock import Clock
from thingstead.domain.contact import Contact, decode, encode, merged
from thingstead.domain.ports import Archive
from thingstead.identifier import ThingId, is_thing_id
from thingstead.planes.network.rule_book import Reason

__all__ = ["DOCUMENTS", "FlowHistory", "Limits"]

DOCUMENTS = "@flow/"
"""What the keys of its documents begin with; they stay with the controller."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a thing may make us keep.

    Attributes:
        days: that are kept.
        contacts: of one thing on one day; the rest is kept as one.
        waiting: conversations of one thing that wait to be written; more are counted with the last.
    """

    days: int = 7
    contacts: int = 256
    waiting: int = 1024


class FlowHistory:
    """What is kept of conversations.

    Args:
        records: by thing and day.
        explain: by whose word conversations of a thing are allowed now.
        named: what else the domain calls an address: a thing's id, itself; empty where it does not know it.
        clock: for UTC.
        limits: bounds.

    Attributes:
        going: each says which conversations of a thing are not over; they are told, and not kept.
        taken: conversations since our start.
        left_out: of them, those that did not fit.
    """

    def __init__(
        self,
        records: Archive,
        *,
        explain: Callable[[ThingId, tuple[Flow, ...]], Awaitable[tuple[Reason, ...]]],
        named: Callable[[bytes], str],
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        self._records = records
        self._explain = explain
        self._named = named
        self._clock = clock
        self._limits = limits or Limits()
        self._waiting: defaultdict[ThingId, list[tuple[Flow, str]]] = defaultdict(list)
        self._swept: date | None = None
        self._writing = asyncio.Lock()
        self.going: list[Callable[[ThingId], Iterable[Flow]]] = []
        self.taken = self.left_out = 0

    def see(self, thing: ThingId, flow: Flow, *, cause: str = "") -> None:
        """Take a conversation that is over; with a `cause`, a packet that the kernel dropped by that rule."""
        self.taken += 1
        if len(self._waiting[thing]) >= self._limits.waiting:
            self.left_out += 1
            return
        self._waiting[thing].append((flow, cause))

    async def flush(self) -> None:
        """Explain and keep what waits; forget days that are over.

        Raises:
            TransportError: nobody explains; it waits on.
            StorageError: it was not kept, and waits on.
        """
        async with self._writing:
            for thing in tuple(self._waiting):
                waiting = tuple(self._waiting[thing])
                contacts = await self._contacts(thing, waiting)
                await self._records.write(self._added(thing, contacts))
                del self._waiting[thing][: len(waiting)]
                if not self._waiting[thing]:
                    del self._waiting[thing]
            await self._sweep()

    async def of(
        self, thing: ThingId, *, days: int, where: Callable[[Contact], bool] = lambda _contact: True
    ) -> tuple[Contact, ...]:
        """Whom it had to do with in the last days, and has now, the most packets first; what waits is written first.

        Args:
            thing: whose.
            days: so many.
            where: which are looked at, whatever they add up to.

        Raises:
            TransportError: nobody explains what waits.
            StorageError: it cannot be read or written.
        """
        await self.flush()
        today = self._clock.utc().date()
        first = today - timedelta(days=days - 1)
        rows = self._records.scan(f"{thing}/{first}", f"{thing}/{today}~")
        kept = [contact for _, document in rows for contact in decode(document)]
        going = [*self._waiting.get(thing, ()), *((flow, "") for source in self.going for flow in source(thing))]
        found = filter(where, [*kept, *(await self._contacts(thing, tuple(going)) if going else ())])
        contacts = _without_shadows(merged(found))
        return tuple(sorted(contacts, key=lambda one: (-one.packets, one.who, one.port or 0)))

    async def forget(self, thing: ThingId) -> None:
        """Erase all of it; on disk when this returns."""
        self._waiting.pop(thing, None)
        await self._records.write({key: None for key, _ in self._records.scan(f"{thing}/", f"{thing}/~")})

    async def _contacts(self, thing: ThingId, waiting: tuple[tuple[Flow, str], ...]) -> list[Contact]:
        # A name that others looked up calls what was dropped by its name, and opened nothing for this thing.
        asked = tuple([replace(flow, names=()) if cause else flow for flow, cause in waiting])
        reasons = await self._explain(thing, asked)
        return [self._contact(flow, cause, reason) for (flow, cause), reason in zip(waiting, reasons, strict=True)]

    def _contact(self, flow: Flow, cause: str, reason: Reason) -> Contact:
        dropped = int(cause not in {"", LEARNED})
        if dropped and reason.allowed and not drop_words(cause):
            other = self._named(flow.remote)
            cause = f"elsewhere {other}" if is_thing_id(other) else "late"
        words = drop_words(cause)
        if words:
            reason = Reason(allowed=False, by=cause, rule="", words=words)
        address = str(ip_address(flow.remote)) if len(flow.remote) in {4, 16} else flow.remote.hex(":")
        return Contact(
            outbound=flow.outbound,
            who=flow.names[0] if flow.names else self._named(flow.remote) or address,
            address=address,
            protocol=flow.protocol,
            port=flow.remote_port if flow.outbound else flow.device_port,
            # What the kernel's log says was dropped was dropped, whatever the rules say by now.
            allowed=reason.allowed and not dropped,
            by=reason.by,
            rule=reason.rule,
            why=reason.words,
            first=datetime.fromtimestamp(flow.first, UTC),
            last=datetime.fromtimestamp(flow.last, UTC),
            flows=1,
            packets_out=0 if dropped else flow.packets_out,
            octets_out=0 if dropped else flow.octets_out,
            packets_in=0 if dropped else flow.packets_in,
            octets_in=0 if dropped else flow.octets_in,
            dropped=dropped,
        )

    def _added(self, thing: ThingId, contacts: Iterable[Contact]) -> dict[str, bytes | None]:
        # By our own day: a clock of somebody else's must not open documents of any day it likes.
        key = f"{thing}/{self._clock.utc().date()}"
        kept = self._records.read(key)
        together = merged([*(() if kept is None else decode(kept)), *contacts])
        return {key: encode(self._bounded(together))}

    def _bounded(self, contacts: list[Contact]) -> list[Contact]:
        """The rest as one: what a thing may make us keep has an end, and that it had many more is told."""
        most = self._limits.contacts
        if len(contacts) <= most:
            return contacts
        rest = [replace(one, who=_OTHERS, address="", protocol=None, port=None) for one in contacts[most - 4 :]]
        self.left_out += len(rest)
        return contacts[: most - 4] + merged(rest)

    async def _sweep(self) -> None:
        today = self._clock.utc().date()
        if self._swept == today:
            return
        oldest = today - timedelta(days=self._limits.days - 1)
        old = [key for key, _ in self._records.scan("", "~") if key.rpartition("/")[2] < str(oldest)]
        await self._records.write(dict.fromkeys(old))
        self._swept = today


_OTHERS = "(others)"


def _without_shadows(contacts: list[Contact]) -> list[Contact]:
    """Without attempts that were seen on the wire, came to nothing, and are told with the reason they were dropped for.

    What passed one way only is an attempt by TCP alone; by UDP somebody may have listened.
    """
    dropped = {(one.outbound, one.who, one.protocol, one.port) for one in contacts if one.dropped}
    return [
        one
        for one in contacts
        if one.dropped
        or (one.packets_in and one.packets_out)
        or (one.allowed and one.is_answered)
        or (one.outbound, one.who, one.protocol, one.port) not in dropped
    ]
