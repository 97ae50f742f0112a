"""Tests each new type of thing as soon as one of it is in: a model with what it runs, from outside and by bait (R-84).

One thing of the type is tested, and what each check came to is kept, with its digest on the ledger. The first part asks
it as a stranger would; the second offers it releases that it must not install, one at each of its own polls.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from thingstead.clock import Clock
from thingstead.controller.baiting import Baiting
from thingstead.crypto.digest import digest
from thingstead.domain import type_result
from thingstead.domain.check import Check, Outcome
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ports import Records, Stranger
from thingstead.domain.register import Register
from thingstead.domain.type_result import ThingType, TypeResult, Verdict
from thingstead.domain.vouched import RESULT
from thingstead.errors import ConfigError, StateError
from thingstead.identifier import ThingId
from thingstead.phases.bait import Bait
from thingstead.phases.knocking import EDITION
from thingstead.phases.type_test import Subject, examine
from thingstead.planes.software.software_record import SoftwareRecord

__all__ = ["DOCUMENTS", "TypeWatch", "Ways"]

_LOGGER = logging.getLogger(__name__)
_ACTOR = "type-test"
DOCUMENTS = "@type/"
"""What the keys of its documents begin with: the newest result of each type."""

_LONGEST = timedelta(days=2)
"""A thing that polls more rarely than this is tested without baits."""

_MAX_KEPT = 512
_TOO_RARE = "it did not ask for releases often enough"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The ways to a thing.

    Attributes:
        stranger: somebody whom it does not know; None where nothing is tested.
        accepts: whether it is in, and may update.
        runs: what it says that it runs.
        address: where its endpoint was last heard; None where it has no live association, or is reached otherwise.
        overheard: asks it something under its association, and returns the datagrams that went to it.
        baits: releases that it must not install, and why others cannot be made.
    """

    stranger: Stranger | None
    accepts: Callable[[ThingId], bool]
    runs: Callable[[ThingId], SoftwareRecord]
    address: Callable[[ThingId], tuple[str, int] | None]
    overheard: Callable[[ThingId], Awaitable[Sequence[bytes]]]
    baits: Callable[[ThingId], tuple[tuple[Bait, ...], Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    thing: ThingId
    version: str
    checks: tuple[Check, ...]
    until: datetime


class TypeWatch:
    """Looks for types that were not tested, and finishes tests that are.

    Args:
        ways: to things.
        register: the things.
        records: results; a restart forgets none of them, but begins anew what was under way.
        clock: for UTC.

    Attributes:
        baiting: stands before the update resources.
    """

    def __init__(self, ways: Ways, register: Register, *, records: Records, clock: Clock) -> None:
        self._ways = ways
        self._register = register
        self._records = records
        self._clock = clock
        self.baiting = Baiting()
        self._under_way: dict[ThingType, _UnderWay] = {}
        self._documents = dict(records.load())
        self._results = {one.type: one for one in map(type_result.decode, self._documents.values())}

    def results(self) -> tuple[TypeResult, ...]:
        """The newest of each type, by maker, model and time."""
        return tuple(sorted(self._results.values(), key=lambda one: (one.type.maker, one.type.model, one.at)))

    def under_way(self) -> tuple[tuple[ThingType, ThingId], ...]:
        """Types whose test goes on at their things' next polls."""
        return tuple([(kind, one.thing) for kind, one in self._under_way.items()])

    def document(self, name: str) -> bytes:
        """A result as the ledger has its digest.

        Raises:
            ConfigError: no type's name begins so, or those of several do.
        """
        found = [document for key, document in self._documents.items() if name and key.startswith(name.lower())]
        if len(found) != 1:
            raise ConfigError(f"expected how the name begins of one type that was tested, got {name[:40]!r}")
        return found[0]

    async def look(self) -> None:
        """Begin one test that is due, and keep what has come to its end.

        Raises:
            StorageError: it could not be kept; it is tried again at the next look.
        """
        for kind, one in tuple(self._under_way.items()):
            if self._clock.utc() >= one.until or self.baiting.is_done(one.thing):
                await self._finish(kind, one)
            elif not self._ways.accepts(one.thing):
                # Another of the type is tested, if there is one.
                self.baiting.end(one.thing)
                del self._under_way[kind]
        due = next(self._due(), None)
        if due is not None:
            await self.test(due)

    async def test(self, thing: ThingId) -> tuple[Check, ...]:
        """Test the type of a thing with it, again or for the first time; what the first part came to.

        Raises:
            StateError: it cannot be reached, or nothing is tested here.
        """
        address = self._ways.address(thing)
        if self._ways.stranger is None or address is None or not self._ways.accepts(thing):
            raise StateError(f"expected a thing that is in and can be reached, to test {thing}")
        kind, ran = self._type(thing), self._ways.runs(thing)
        subject = Subject(address, self._is_alone(thing, address), lambda: self._ways.overheard(thing))
        checks = await examine(subject, self._ways.stranger)
        self.baiting.begin(thing, *self._ways.baits(thing))
        self._under_way[kind] = _UnderWay(thing, ran.version, checks, self._clock.utc() + _LONGEST)
        return checks

    def _due(self) -> Iterator[ThingId]:
        if self._ways.stranger is None:
            return
        busy = {one.thing for one in self._under_way.values()}
        for thing in self._register.things():
            if thing.id not in busy and self._ways.accepts(thing.id) and self._ways.address(thing.id) is not None:
                kind = self._type(thing.id)
                if kind not in self._results and kind not in self._under_way:
                    yield thing.id

    def _type(self, thing: ThingId) -> ThingType:
        known = self._register.thing(thing)
        return ThingType(known.maker, known.model, self._ways.runs(thing).manifest_digest)

    def _is_alone(self, thing: ThingId, address: tuple[str, int]) -> bool:
        others = [self._ways.address(one.id) for one in self._register.things() if one.id != thing]
        is_shared = any(other is not None and other[0] == address[0] for other in others)
        return not (is_shared or address[0].startswith("127.") or address[0] == "::1")

    async def _finish(self, kind: ThingType, one: _UnderWay) -> None:
        baited = self.baiting.end(one.thing, _TOO_RARE)
        at = self._clock.utc()
        result = TypeResult(kind, one.version, one.thing, at, (*one.checks, *baited), {"knocking": EDITION})
        document = type_result.encode(result)
        full = len(self._results) >= _MAX_KEPT and kind not in self._results
        dropped = [min(self._results.values(), key=lambda old: old.at).type] if full else []
        changes: dict[str, bytes | None] = {kind.name: document, **{old.name: None for old in dropped}}
        try:
            await self._records.write(changes, entries=_entries(result))
        finally:
            # Where the disk does not take it, the type is tested again.
            self._under_way.pop(kind, None)
        for old in dropped:
            self._results.pop(old)
            self._documents.pop(old.name)
        self._results[kind], self._documents[kind.name] = result, document


def _entries(result: TypeResult) -> list[Draft]:
    kind, failed = result.type, [check for check in result.checks if check.outcome is Outcome.FAILED]
    details: dict[str, Detail] = {
        "maker": kind.maker,
        "model": kind.model,
        "version": result.version[:60],
        "failed": ", ".join([check.name for check in failed]),
        RESULT: digest(type_result.encode(result)),
    }
    drafts = [Draft(result.at, Kind.EXAMINATION, _ACTOR, result.thing, result.verdict.value, details)]
    if result.verdict is Verdict.FAILED:
        told: dict[str, Detail] = {check.name: "; ".join(check.said)[:200] for check in failed}
        drafts.append(Draft(result.at, Kind.ALARM, _ACTOR, result.thing, "type-test", told))
        _LOGGER.error("%s %s failed %s: `thingstead type list`", kind.maker, kind.model, details["failed"])
    return drafts
