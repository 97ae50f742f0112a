"""Maintenance: orders to things, given here or told later, by one decision and with one kind of entry (R-07).

An order is on the ledger before its thing hears of it. What somebody did at a thing while we were not there comes with
the journal of the thing: signed by whoever did it, judged by the same rule, and what is missing shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor
from thingstead.controller.journal import Book
from thingstead.domain.ledger.entry import Detail, Draft
from thingstead.domain.lifecycle import TRANSITIONS, Cause
from thingstead.domain.maintenance import AT_DOMAIN, AT_THING, decide, entry
from thingstead.domain.plane import PlaneName
from thingstead.domain.ports import Store
from thingstead.domain.register import Register
from thingstead.domain.role import Operator, Role, operator_named
from thingstead.domain.thing import Thing
from thingstead.domain.unit import PlaneRecord, Unit
from thingstead.errors import (
    DecodeError,
    ProtocolError,
    RequestRefusedError,
    SecurityError,
    ThingsteadError,
    TransitionError,
)
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.access.permits import Permits
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import maintenance as profile
from thingstead.protocols.profile import signed_request
from thingstead.protocols.profile.maintenance import Done, Offer, Page, Task

__all__ = ["Ask", "Maintenance"]

Ask = Callable[[ThingId, Message, float], Awaitable[Message]]
"""Asks a thing under its association; the last is how many seconds its answer may take."""

_PATIENCE = 10.0
_PREFIX = "journal/"
_MOVES = {Task.BEGIN: Cause.MAINTENANCE_STARTED, Task.END: Cause.MAINTENANCE_FINISHED}
_LIMITS = codec.Limits(max_bytes=1 << 16, max_depth=6)
_NOBODY = "unknown"
_UNPROVEN = frozenset({"permit", "false", "unclaimed"})
"""Objections to what nobody with a permit has signed, and nobody asked of us."""


class Maintenance:
    """The orders of a domain, and what its things say of those.

    Args:
        register: the things.
        conductor: moves them into maintenance and out of it.
        store: where orders are written down.
        permits: who may act at a thing while we are not there.
        ask: the way to things.
        domain: its name.
        clock: for UTC.
        on_refusal: told who was refused, about which thing, and why.
    """

    def __init__(
        self,
        register: Register,
        conductor: Conductor,
        *,
        store: Store,
        permits: Permits,
        ask: Ask,
        domain: str,
        clock: Clock,
        on_refusal: Callable[[str, ThingId, str], None],
    ) -> None:
        self._register = register
        self._conductor = conductor
        self._store = store
        self._permits = permits
        self._ask = ask
        self._domain = domain
        self._clock = clock
        self._on_refusal = on_refusal
        kept = store.documents(PlaneName.ACCESS, _PREFIX, _PREFIX[:-1] + chr(ord(_PREFIX[-1]) + 1))
        self._books = {thing_id(name.removeprefix(_PREFIX)): Book.decode(document) for name, document in kept}
        self._telling: WeakValueDictionary[ThingId, asyncio.Lock] = WeakValueDictionary()

    def book(self, thing: ThingId) -> Book:
        """What is known of a thing's journal."""
        return self._books.get(thing, Book())

    async def order(
        self, task: Task, thing: ThingId, arguments: Mapping[str, Any], *, by: str, signed: bytes
    ) -> dict[str, Any]:
        """Have a thing do something; it is on the ledger first.

        Raises:
            RoleError, TransitionError: see `domain.maintenance.decide`.
            DecodeError: settings that there are not.
            TransportError: the thing did not answer; if it took the order, it will tell.
            RequestRefusedError: it refuses.
            StorageError: the order could not be written down, and was not given.
        """
        settings = profile.read_settings(task, arguments)
        async with self._telling.setdefault(thing, asyncio.Lock()):
            known = self._register.thing(thing)
            try:
                decide(operator_named(by), task, known)
            except ThingsteadError as error:
                self._on_refusal(by, thing, error.reason)
                raise
            draft = self._entry(by, task.value, thing, AT_DOMAIN, signed, dict(_written(settings)))
            asked = self.book(thing)
            await self._keep(thing, replace(asked, asked=(*asked.asked, (task, by))), (draft,))
            try:
                number, result = await self._tell(task, thing, settings)
            except RequestRefusedError as error:
                # It did not take it, so it will not tell of it.
                failed = self._entry(by, f"{task}-refused", thing, AT_DOMAIN, b"", {"reason": error.reason})
                await self._keep(thing, asked, (failed,))
                raise
            answered = replace(asked, answered=(*asked.answered, number))
            await self._move(self._register.thing(thing), task, by, answered, ())
        return result

    async def take_up(self, thing: ThingId, payload: bytes) -> None:
        """Take a page of a thing's journal; what was taken before is passed over.

        Raises:
            DecodeError: no page.
            StorageError: it was not kept, and has to come again.
        """
        page = Page.decode(payload)
        async with self._telling.setdefault(thing, asyncio.Lock()):
            book, first = self.book(thing), page.done[0].number
            drafts: list[Draft] = []
            if book.journal and book.journal != page.journal:
                drafts.append(self._about(thing, "another-journal", {"expected": book.expected}))
            if book.journal != page.journal:
                book = replace(book, journal=page.journal, expected=0, answered=())
            if first > book.expected:
                span = (book.expected, first - 1)
                drafts.append(self._about(thing, "missing", {"first": span[0], "last": span[1]}))
                book = replace(book, expected=first, missing=(*book.missing, span))
            for done in page.done:
                if done.number >= book.expected:
                    book = await self._take(thing, done, replace(book, expected=done.number + 1), tuple(drafts))
                    drafts.clear()

    # --- within

    async def _tell(self, task: Task, thing: ThingId, settings: Mapping[str, float]) -> tuple[int, dict[str, Any]]:
        payload = codec.encode(dict(settings))
        message = request(Code.POST, profile.place(task), payload=payload, content_format=ContentFormat.CBOR)
        answer = await self._ask(thing, message, _PATIENCE)
        if answer.code != Code.CHANGED:
            raise RequestRefusedError(
                f"{thing} refuses to {task} with {code_name(answer.code)}: see that [granted] of the policy has "
                f"{profile.place(task)}, and what it was told while the domain was away",
                reason=code_name(answer.code),
            )
        match codec.decode(answer.payload, limits=_LIMITS):
            case [int(number), dict(result)] if number >= 0:
                return number, result
            case _:
                raise DecodeError(f"expected the number of the order, and what came of it, from {thing}")

    async def _take(self, thing: ThingId, done: Done, book: Book, before: tuple[Draft, ...]) -> Book:
        """One order that we were not told of before."""
        known = self._register.thing(thing)
        if done.signed:
            who, objection = self._judge(known, done, book.journal)
        elif done.number in book.answered:
            book = replace(book, answered=tuple([one for one in book.answered if one != done.number]))
            await self._keep(thing, book, before)
            return book
        else:
            who, objection = _whose(book, done.task)
            book = replace(book, asked=_without(book.asked, done.task, who))
        details: dict[str, Detail] = {"number": done.number, "done_at": done.at.isoformat()}
        if objection:
            self._on_refusal(who, thing, objection)
            details["objection"] = objection
        if objection in _UNPROVEN:
            # The word of a thing for what nobody signed is counted, and fills no ledger.
            await self._keep(thing, book, before)
            return book
        draft = self._entry(who, done.task.value, thing, AT_THING, done.signed, details)
        if objection:
            await self._keep(thing, book, (*before, draft))
        else:
            await self._move(known, done.task, who, book, (*before, draft))
        return book

    def _judge(self, known: Thing, done: Done, journal: bytes) -> tuple[str, str]:
        """Who did something at a thing, and what is to be said against it; empty where nothing is."""
        try:
            thumbprint = signed_request.decode_signer(done.signed)
            given = self._permits.of(known.id, thumbprint)
            if not given:
                return f"{_NOBODY}:{thumbprint.hex()[:16]}", "permit"
            asked = signed_request.authenticate(done.signed, given[0].public, domain=self._domain)
            told = {**asked.arguments}
            if (asked.operation, told.pop("thing", None)) != (done.task.operation, known.id) or (
                Offer.decode(asked.challenge) != Offer(journal, done.number)
            ):
                return _NOBODY, "false"
            profile.read_settings(done.task, told)
        except (ProtocolError, SecurityError):
            return _NOBODY, "false"
        who = Operator(Role.MAINTAINER, given[0].holder)
        objections = [self._permits.objection(one, done.task, done.at) for one in given]
        if all(objections):
            return who.actor, objections[0]
        try:
            decide(who, done.task, known)
        except (SecurityError, TransitionError) as error:
            return who.actor, error.reason
        return who.actor, ""

    async def _move(self, known: Thing, task: Task, who: str, book: Book, drafts: tuple[Draft, ...]) -> None:
        """Keep what was done, and bring the thing into maintenance or out of it, in one."""
        cause = _MOVES.get(task)
        if cause is None or (known.state, cause) not in TRANSITIONS:
            await self._keep(known.id, book, drafts)
            return
        record = _record(known.id, book)
        await self._conductor.transition(known.id, cause, actor=who, entries=drafts, records=(record,))
        self._books[known.id] = book

    async def _keep(self, thing: ThingId, book: Book, entries: tuple[Draft, ...]) -> None:
        await self._store.commit(Unit(records=(_record(thing, book),), entries=entries))
        self._books[thing] = book

    def _entry(
        self, who: str, task: str, thing: ThingId, where: str, signed: bytes, details: Mapping[str, Detail]
    ) -> Draft:
        return entry(who, task, thing, at=self._clock.utc(), where=where, signed=signed, details=details)

    def _about(self, thing: ThingId, what: str, details: Mapping[str, Detail]) -> Draft:
        return self._entry(f"thing:{thing}", what, thing, AT_THING, b"", details)


def _record(thing: ThingId, book: Book) -> PlaneRecord:
    return PlaneRecord(PlaneName.ACCESS, _PREFIX + thing, book.encode())


def _written(settings: Mapping[str, float]) -> Mapping[str, Detail]:
    return {name: f"{value:g}" for name, value in settings.items()}


def _whose(book: Book, task: Task) -> tuple[str, str]:
    """Who asked for an order of ours whose answer was lost; of one that nobody asked for, the thing is to be asked."""
    for asked, who in book.asked:
        if asked is task:
            return who, ""
    return _NOBODY, "unclaimed"


def _without(asked: tuple[tuple[Task, str], ...], task: Task, who: str) -> tuple[tuple[Task, str], ...]:
    left = list(asked)
    if (task, who) in left:
        left.remove((task, who))
    return tuple(left)
