"""Maintenance at the thing: orders of the domain, and of people who stand before it while the domain is away (R-07).

Whoever gives an order, the same handler takes it, by the scope of their token, in the same order of tasks, and the same
journal gets it before it is done. The journal goes to the domain when that can be reached.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from thingstead.agent.membership import Member
from thingstead.agent.ports import Home
from thingstead.agent.story import Request, Story, Wait
from thingstead.clock import Clock
from thingstead.crypto.key import PublicKey
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import DecodeError, ReplayError, StateError, ThingsteadError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import maintenance, path, signed_request
from thingstead.protocols.profile.maintenance import MAX_SIGNED, Done, Offer, Page, Task

__all__ = ["MAINTENANCE_STORY", "Maintenance", "Works"]

_LOGGER = logging.getLogger(__name__)

MAINTENANCE_STORY = "maintenance"
_JOURNAL = "maintenance"
"""Name of the journal in the thing's home."""

_FORMAT = 1
_MAX_KEPT = 64
_PAGE = 8
_IDLE = 86_400.0
_JOURNAL_SIZE = 8
_ARGUMENTS = codec.Limits(max_bytes=256, max_depth=2)
_OPTIONS = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.CBOR))]


@dataclass(frozen=True, slots=True)
class Works:
    """What is done at a thing by order.

    Attributes:
        diagnose: how it stands, as CBOR has it.
        restart: has it begin anew, once the answer has gone out.
        update: has it ask for a release.
        configured: its settings changed.
    """

    diagnose: Callable[[], Mapping[str, Any]]
    restart: Callable[[], None]
    update: Callable[[], None]
    configured: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What outlives a crash; `kept` are orders that the domain has not got, the oldest first."""

    journal: bytes
    number: int = 0
    is_open: bool = False
    settings: Mapping[str, float] | None = None
    kept: tuple[Done, ...] = ()

    def encode(self) -> bytes:
        rows = [one.encode() for one in self.kept]
        return codec.encode([_FORMAT, self.journal, self.number, self.is_open, dict(self.settings or {}), rows])


class Maintenance:
    """The journal of one thing, and who may write into it.

    Args:
        home: where it is kept.
        member: whose thing it is now; None in no domain.
        signer: with whose key an order under this association must be signed; None for the domain's own.
        works: what is done.
        clock: for UTC.
        random_bytes: for the name of a journal.
        wake: lets the story look again.
    """

    def __init__(
        self,
        home: Home,
        *,
        member: Callable[[], Member | None],
        signer: Callable[[Hashable], PublicKey | None],
        works: Works,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        wake: Callable[[], None],
    ) -> None:
        self._home = home
        self._member = member
        self._signer = signer
        self._works = works
        self._clock = clock
        self._random_bytes = random_bytes
        self._wake = wake
        self._state = self._load()

    @property
    def is_open(self) -> bool:
        """Whether maintenance has begun, and has not ended."""
        return self._state.is_open

    @property
    def settings(self) -> Mapping[str, float]:
        """What maintainers set."""
        return self._state.settings or {}

    def status(self) -> dict[str, Any]:
        """How it stands with maintenance, for whoever may read the thing's directory."""
        state = self._state
        return {"in_maintenance": state.is_open, "orders": state.number, "orders_to_tell": len(state.kept)}

    def serve(self, resources: Resources) -> None:
        """Register what may be asked."""
        formats = (ContentFormat.CBOR, ContentFormat.COSE_SIGN1)
        resources.register(path.MAINTENANCE, Code.GET, self._on_offer)
        for task in Task:
            handler = partial(self._on_order, task)
            resources.register(maintenance.place(task), Code.POST, handler, consumes=formats)

    def joined(self) -> None:
        """It came in anew: for the domain it is in operation."""
        if self._state.is_open:
            self._keep(replace(self._state, is_open=False))

    def leave(self) -> None:
        """Begin another journal; what was kept of this one has gone with the home."""
        self._state = _Kept(self._random_bytes(_JOURNAL_SIZE))

    def story(self, *, retry: float) -> Story:
        """Bring the domain what it has not got, page by page, for as long as there is something."""
        while True:
            kept = self._state.kept[:_PAGE]
            delay = _IDLE
            if kept:
                try:
                    page = Page(self._state.journal, kept).encode()
                    asked = request(Code.POST, path.MAINTENANCE, payload=page, content_format=ContentFormat.CBOR)
                    answer: Message = yield Request(asked)
                    if answer.code == Code.CHANGED:
                        self._delivered(kept[-1].number)
                        continue
                    _LOGGER.warning("the domain does not take the journal of maintenance: %s", answer.code)
                except ThingsteadError as error:
                    delay = retry
                    _LOGGER.debug("the journal of maintenance stays here for now: %s", error)
            yield Wait(delay, MAINTENANCE_STORY)

    # --- within

    def _on_offer(self, _call: Call) -> Message:
        return Message(Code.CONTENT, options=list(_OPTIONS), payload=codec.encode(self._offer().encode()))

    def _on_order(self, task: Task, call: Call) -> Message:
        """Take an order: it is in the journal before it is done."""
        key, payload = self._signer(call.peer), call.request.payload
        arguments = _arguments(payload) if key is None else self._authenticate(task, payload, key)
        settings = maintenance.read_settings(task, arguments)
        maintenance.require_order(task, is_open=self._state.is_open)
        number = self._state.number
        self._note(task, b"" if key is None else payload, settings)
        result = self._do(task)
        return Message(Code.CHANGED, options=list(_OPTIONS), payload=codec.encode([number, dict(result)]))

    def _authenticate(self, task: Task, payload: bytes, key: PublicKey) -> dict[str, Any]:
        """Arguments of an order that whoever holds the token signed for this thing, now.

        Raises:
            SecurityError, ProtocolError: another's order, for another thing or task, or one that was given before.
        """
        member = self._member()
        if member is None or len(payload) > MAX_SIGNED:
            raise StateError("this thing is in no domain") if member is None else DecodeError("expected a short order")
        signed = signed_request.authenticate(payload, key, domain=member.domain)
        arguments = dict(signed.arguments)
        if (signed.operation, arguments.pop("thing", None)) != (task.operation, member.thing_id):
            raise UntrustedError("the order was signed for another task or another thing", reason="audience")
        if signed.challenge != self._offer().encode():
            raise ReplayError("the order was not signed for what is offered now")
        return arguments

    def _offer(self) -> Offer:
        return Offer(self._state.journal, self._state.number)

    def _note(self, task: Task, signed: bytes, settings: Mapping[str, float]) -> None:
        state = self._state
        done = Done(state.number, self._clock.utc().replace(microsecond=0), task, signed)
        self._keep(
            replace(
                state,
                number=state.number + 1,
                is_open=task is not Task.END and (state.is_open or task is Task.BEGIN),
                settings={**self.settings, **settings},
                # What is too old to be kept is missed by its number.
                kept=(*state.kept, done)[-_MAX_KEPT:],
            )
        )
        self._wake()

    def _do(self, task: Task) -> Mapping[str, Any]:
        match task:
            case Task.DIAGNOSE:
                return self._works.diagnose()
            case Task.RESTART:
                self._works.restart()
            case Task.UPDATE:
                self._works.update()
            case Task.CONFIGURE:
                self._works.configured()
                return self.settings
        return {}

    def _delivered(self, last: int) -> None:
        self._keep(replace(self._state, kept=tuple([one for one in self._state.kept if one.number > last])))

    def _keep(self, state: _Kept) -> None:
        """Keep it, and only then count it.

        Raises:
            StorageError: the disk does not take it, and nothing was done.
        """
        self._home.save(_JOURNAL, state.encode())
        self._state = state

    def _load(self) -> _Kept:
        """What was kept; a journal that is damaged is lost, and another name says so to the domain."""
        data = self._home.load(_JOURNAL)
        try:
            if data is not None:
                return _decode(data)
        except DecodeError as error:
            _LOGGER.warning("the journal of maintenance is lost: %s", error)
        return _Kept(self._random_bytes(_JOURNAL_SIZE))


def _arguments(payload: bytes) -> dict[str, Any]:
    found = codec.decode(payload, limits=_ARGUMENTS)
    if not isinstance(found, dict):
        raise DecodeError("expected the arguments of an order, as a map")
    return found


def _decode(data: bytes) -> _Kept:
    match codec.decode(data):
        case [int(version), bytes(journal), int(number), bool(is_open), dict(settings), list(rows)] if (
            version == _FORMAT and len(journal) == _JOURNAL_SIZE
        ):
            return _Kept(journal, number, is_open, settings, tuple([Done.decode(row) for row in rows]))
        case _:
            raise DecodeError(f"expected a journal of maintenance of format {_FORMAT}")
