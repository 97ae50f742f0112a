"""The queue for a person: proven things that the policy holds, and what was said about each; it outlives a restart.

What was said of a thing that came in by it is kept, for it joins again before its rights run out: nobody is asked
twice.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from thingstead.clock import Clock
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ports import Records
from thingstead.errors import ConfigError, DecodeError, ForbiddenError, PolicyError, UntrustedError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.cbor import codec

__all__ = ["APPROVAL_LIFETIME", "Approval", "Waiting", "WaitingRoom", "shown"]

APPROVAL_LIFETIME = timedelta(days=1)
"""How long the thing has to come and get what was approved."""

_SEATS = 1024
_SHOWN = 16
_IN = "in/"
_BY = "by/"
"""A thing that was let in by a delegation, and which: counted once, and until it is undone."""

_SILENCE = timedelta(days=7)
_SEPARATORS = re.compile("[ :-]")
_THUMBPRINT = re.compile("[0-9a-f]{16,64}")


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's yes to one key of one thing.

    Attributes:
        scope: name of the scope that it gets; empty for the one of the rule that holds it.
        until: first instant at which it no longer counts.
        by: who said so, as the ledger calls them.
        delegation: by which right, where it is not the owner's own; empty for that.
    """

    scope: str
    until: datetime
    by: str
    delegation: bytes = b""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thing that was told to wait.

    Attributes:
        thing: who.
        since: when it was first told so.
        knocked_at: when it was last told so.
        thumbprint: SHA-256 of the key that it proved then (RFC 9679), to compare with what stands on the thing.
        rule: what holds it.
        zone: where it would go.
        approval: what a person said; None while nobody has.
    """

    thing: ThingId
    since: datetime
    knocked_at: datetime
    thumbprint: bytes
    rule: str
    zone: str = ""
    approval: Approval | None = None

    def compare(self, key: str) -> None:
        """Hold the key that it proved against what a person read somewhere else.

        Args:
            key: the first 16 or more hexadecimal digits of the thumbprint; spaces, hyphens and colons do not count.

        Raises:
            ConfigError: fewer digits, or something that is none.
            UntrustedError: it proved another key.
        """
        digits = _SEPARATORS.sub("", key).lower()
        if not _THUMBPRINT.fullmatch(digits):
            raise ConfigError(f"expected 16 to 64 hexadecimal digits of the key on the thing, got {key[:80]!r}")
        if not self.thumbprint.hex().startswith(digits):
            raise UntrustedError(f"{self.thing} proved another key than {key[:80]}; do not let it in", reason="key")


class WaitingRoom:
    """Who waits, in the order they came.

    Args:
        records: where it is kept.
        clock: for UTC.
        seats: how many may wait; one more is refused, unless somebody has not knocked for a week.
    """

    def __init__(self, records: Records, *, clock: Clock, seats: int = _SEATS) -> None:
        self._records = records
        self._clock = clock
        self._seats = seats
        documents = records.load()
        found = [_decode(thing_id(name), kept) for name, kept in documents.items() if not name.startswith((_IN, _BY))]
        inside = [
            _decode(thing_id(name.removeprefix(_IN)), kept) for name, kept in documents.items() if name.startswith(_IN)
        ]
        self._waiting = {one.thing: one for one in sorted(found, key=lambda one: one.since)}
        self._inside = {one.thing: one for one in inside}
        self._let_in = {name for name in documents if name.startswith(_BY)}
        # Who knocks while a person says yes, or takes it back, is not to write the opposite over it.
        self._changing = asyncio.Lock()

    def __iter__(self) -> Iterator[Waiting]:
        yield from self._waiting.values()

    def has_seat(self, thing: ThingId | None) -> bool:
        """Whether a thing may wait here; None is one that was never here."""
        return thing in self._waiting or len(self._waiting) < self._seats or self._silent() is not None

    def seated(self, thing: ThingId) -> Waiting | None:
        """What is known of one that waits; None of any other."""
        return self._waiting.get(thing)

    def find(self, thing: ThingId) -> Waiting:
        """What is known of one that waits.

        Raises:
            PolicyError: it does not wait.
        """
        found = self._waiting.get(thing)
        if found is None:
            raise PolicyError(f"{thing} does not wait for approval; it is asked about when it knocks", reason="absent")
        return found

    def approval(self, thing: ThingId, thumbprint: bytes, zone: str) -> Approval | None:
        """What was approved for this key of the thing in this zone, while it counts."""
        said = _said(self._waiting.get(thing), thumbprint, zone)
        return said if said is not None and self._clock.utc() < said.until else None

    def kept(self, thing: ThingId, thumbprint: bytes, zone: str) -> Approval | None:
        """By whose word a thing with this key came into this zone; None if nobody was asked."""
        return _said(self._inside.get(thing), thumbprint, zone)

    async def tell(self, thing: ThingId, thumbprint: bytes, *, rule: str, zone: str, entries: Sequence[Draft]) -> None:
        """Keep that a thing was told to wait, with the entries; another key or zone than before has no approval.

        Raises:
            StorageError: nothing of it was kept.
        """
        async with self._changing:
            await self._tell(thing, thumbprint, rule, zone, entries)

    async def _tell(self, thing: ThingId, thumbprint: bytes, rule: str, zone: str, entries: Sequence[Draft]) -> None:
        now = self._clock.utc()
        before = self._waiting.get(thing)
        waiting = Waiting(thing, now if before is None else before.since, now, thumbprint, rule, zone)
        if before is not None and (before.thumbprint, before.zone) == (thumbprint, zone):
            waiting = replace(waiting, approval=before.approval)
        gone = self._silent() if before is None and len(self._waiting) >= self._seats else None
        erased: dict[str, bytes | None] = {} if gone is None else {gone: None}
        await self._records.write({**erased, thing: _encode(waiting)}, entries=entries)
        if gone is not None:
            self._waiting.pop(gone, None)
        self._waiting[thing] = waiting

    async def approve(
        self, seen: Waiting, approval: Approval, *, details: Mapping[str, Detail], most: int | None = None
    ) -> Waiting:
        """Let the next attempt of a thing pass, if it comes in time and with the key that it proved last.

        Args:
            seen: it as whoever says yes saw it.
            approval: the yes.
            details: of the ledger's entry.
            most: how many things the approval's delegation may let in; None where there is none.

        Raises:
            PolicyError: it does not wait, or knocked with another key or for another zone since.
            ForbiddenError: the delegation has let in that many others.
            StorageError: nothing of it was kept.
        """
        said = {"scope": approval.scope, "until": approval.until.isoformat(), **details}
        async with self._changing:
            found = self.find(seen.thing)
            if (found.thumbprint, found.zone) != (seen.thumbprint, seen.zone):
                raise PolicyError(f"{seen.thing} has knocked with another key or zone meanwhile; look again")
            name = _counted(approval.delegation, seen.thing)
            if most is not None and name not in self._let_in and self.let_in(approval.delegation) >= most:
                raise ForbiddenError(f"{approval.by} may let in {most} things, and has", reason="delegation")
            counts: dict[str, bytes | None] = {} if most is None else {name: b""}
            told = await self._say(replace(found, approval=approval), "approved", approval.by, said, counts)
            self._let_in.update(counts)
            return told

    async def retract(self, approver: str, *, by: str) -> None:
        """Take back all that somebody approved and that was not used yet."""
        for one in tuple(self):
            if one.approval is not None and one.approval.by == approver:
                await self.undo(one.thing, by=by)

    async def recall(self, let_in: Iterable[tuple[bytes, ThingId]]) -> None:
        """Count what was let in by delegations before the domain was begun again.

        Raises:
            StorageError: nothing of it was kept.
        """
        counts: dict[str, bytes | None] = {_counted(name, thing): b"" for name, thing in let_in}
        if counts:
            await self._records.write(counts)
            self._let_in.update(counts)

    def let_in(self, delegation: bytes) -> int:
        """How many things were let in by a delegation, or may come by it."""
        return sum(name.startswith(_counted(delegation, "")) for name in self._let_in)

    async def forget(self, delegation: bytes) -> None:
        """A delegation has ended: nobody counts any more what it let in.

        Raises:
            StorageError: the disk does not forget it.
        """
        async with self._changing:
            over = {name for name in self._let_in if name.startswith(_counted(delegation, ""))}
            if over:
                await self._records.write(dict.fromkeys(over))
                self._let_in -= over

    async def undo(self, thing: ThingId, *, by: str) -> Waiting:
        """Take an approval back that was not used yet.

        Raises:
            PolicyError: it does not wait, or nobody has approved it.
            StorageError: nothing of it was kept.
        """
        async with self._changing:
            found = self.find(thing)
            if found.approval is None:
                raise PolicyError(f"{thing} waits, and nobody has approved it", reason="absent")
            name = _counted(found.approval.delegation, thing)
            counts: dict[str, bytes | None] = {name: None} if name in self._let_in else {}
            told = await self._say(replace(found, approval=None), "undone", by, {}, counts)
            self._let_in.discard(name)
            return told

    async def leave(self, thing: ThingId, *, is_member: bool) -> None:
        """Let go one that is in, and keep by whose word; what was kept of a member stays."""
        async with self._changing:
            await self._leave(thing, is_member=is_member)

    async def _leave(self, thing: ThingId, *, is_member: bool) -> None:
        found = self._waiting.get(thing)
        changes: dict[str, bytes | None] = {} if found is None else {thing: None}
        if found is not None and found.approval is not None:
            changes[f"{_IN}{thing}"] = _encode(found)
        elif not is_member and thing in self._inside:
            changes[f"{_IN}{thing}"] = None
        if not changes:
            return
        await self._records.write(changes)
        self._waiting.pop(thing, None)
        if found is not None and found.approval is not None:
            self._inside[thing] = found
        elif not is_member:
            self._inside.pop(thing, None)

    async def _say(
        self,
        waiting: Waiting,
        cause: str,
        by: str,
        details: Mapping[str, Detail],
        counts: Mapping[str, bytes | None],
    ) -> Waiting:
        said = {"thumbprint": waiting.thumbprint, **details}
        entry = Draft(self._clock.utc(), Kind.APPROVAL, by, waiting.thing, cause, said)
        await self._records.write({waiting.thing: _encode(waiting), **counts}, entries=(entry,))
        self._waiting[waiting.thing] = waiting
        return waiting

    def _silent(self) -> ThingId | None:
        """The one that has not knocked for longest, if that is long."""
        quiet = min(self._waiting.values(), key=lambda one: one.knocked_at, default=None)
        return None if quiet is None or self._clock.utc() - quiet.knocked_at < _SILENCE else quiet.thing


def _said(found: Waiting | None, thumbprint: bytes, zone: str) -> Approval | None:
    if found is None or (found.thumbprint, found.zone) != (thumbprint, zone):
        return None
    return found.approval


def _counted(delegation: bytes, thing: str) -> str:
    return f"{_BY}{delegation.hex()}/{thing}"


def shown(thumbprint: bytes) -> str:
    """The first half of a thumbprint as people compare it: eight groups of four digits."""
    digits = thumbprint[:_SHOWN].hex()
    return "-".join([digits[place : place + 4] for place in range(0, len(digits), 4)])


def _encode(waiting: Waiting) -> bytes:
    said = waiting.approval
    approval = None if said is None else [said.scope, microseconds(said.until), said.by, said.delegation]
    times = [microseconds(waiting.since), microseconds(waiting.knocked_at)]
    return codec.encode([*times, waiting.thumbprint, waiting.rule, waiting.zone, approval])


def _decode(thing: ThingId, document: bytes) -> Waiting:
    match codec.decode(document):
        case [int(since), int(knocked_at), bytes(thumbprint), str(rule), str(zone), None]:
            approval = None
        case [int(since), int(knocked_at), bytes(thumbprint), str(rule), str(zone), list(said)]:
            approval = _approval(said)
        case _:
            raise DecodeError("expected a waiting thing in the identity plane's record")
    return Waiting(thing, instant(since), instant(knocked_at), thumbprint, rule, zone, approval)


def _approval(said: list[object]) -> Approval:
    match said:
        case [str(scope), int(until), str(by)]:
            # Those of before did not say by which right.
            return Approval(scope, instant(until), by)
        case [str(scope), int(until), str(by), bytes(delegation)]:
            return Approval(scope, instant(until), by, delegation)
        case _:
            raise DecodeError("expected an approval in the identity plane's record")
