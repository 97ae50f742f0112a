"""Where the engine of a plane lives that is a process of its own: it is asked, by one user, and never asks (ADR 0027).

It decides nothing before it was told, by `begin`, how things stand; and whom it has once withdrawn it admits no more,
whoever asks.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import socket
import typing
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

from thingstead.domain.plane import OBLIGATIONS, Demand, Plane, PlaneName
from thingstead.domain.ports import Store
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Committed
from thingstead.errors import DecodeError, ForbiddenError, StateError, ThingsteadError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.cbor import codec
from thingstead.storage.records import PlaneRecords
from thingstead.transport import frame
from thingstead.transport.engine_socket import Ask, Outcome, plain, refusal, typed

__all__ = ["Engine", "Host", "Telling", "serve_engine"]

_LOGGER = logging.getLogger(__name__)
_HEAD = 4
_MAX_CONNECTIONS = 24
_MOST_ENTRIES = 256
_BEGIN, _PROBE = "begin", "probe"
_OF_EACH = ("admit", "restrict", "withdraw", "probe", "expiries", "assets", "findings", "snapshot", "restore")
_WITHDRAWN = "~withdrawn/"

_told: ContextVar[list[list[Any]]] = ContextVar("told")


class Telling:
    """What an engine does to its relying party, which is in another process: it goes there with the answer."""

    def tell(self, name: str, *values: Any) -> None:
        """Note it for the answer to the question that is being answered."""
        _told.get().append([name, plain(list(values))])


class Engine(Protocol):
    """What a host has: it makes a plane of what it is told at the beginning."""

    @property
    def plane(self) -> Plane:
        """What was made."""
        ...

    @property
    def begin(self) -> Callable[..., Awaitable[None]]:
        """Takes how things stand; again where that has changed while nobody asked."""
        ...


class Host:
    """An engine and what may be asked of it.

    Args:
        name: of the plane.
        engine: answers; its methods say by their annotations what they take.
        asked: names of its methods, beside `begin` and what every plane is asked.
        store: the plane's own; what the engine says for the ledger is fetched from there.

    Attributes:
        refused: how often it was asked for something else.
    """

    def __init__(self, name: PlaneName, engine: Engine, asked: Iterable[str], *, store: Store) -> None:
        self._plane = name
        self._engine = engine
        self._calls = {name: _Call(getattr(engine, name)) for name in (*asked, _BEGIN)}
        self._store = store
        self._entries = sum(1 for _ in store.leaves())
        store.listen(self._follow)
        self._records = PlaneRecords(name, store, prefix=_WITHDRAWN)
        self._withdrawn = {ThingId(name) for name in self._records.load()}
        self._has_begun = False
        self.refused = 0

    async def answer(self, message: list[Any]) -> list[Any]:
        """Answer one message; what is refused is counted, and logged in one line."""
        told = _told.set([])
        try:
            result = await self._answer(message)
            if result is _NOT_BEGUN:
                return [int(Outcome.NOT_BEGUN)]
            return [int(Outcome.DONE), plain(result), self._entries, _told.get()]
        except ThingsteadError as error:
            self.refused += 1
            _LOGGER.warning("%s plane: refused, number %d: %s", self._plane, self.refused, error)
            return refusal(error, self._entries, _told.get())
        except Exception as error:  # one question's fault, of any kind, must not end the engine
            self.refused += 1
            _LOGGER.exception("%s plane: failed, number %d", self._plane, self.refused)
            failed = StateError(f"the {self._plane} plane failed: {type(error).__name__}")
            return refusal(failed, self._entries, _told.get())
        finally:
            _told.reset(told)

    async def _answer(self, message: list[Any]) -> Any:
        match message:
            case [Ask.ENTRIES, int(start)] if 0 <= start <= self._entries:
                return list(self._store.leaves(start, start + _MOST_ENTRIES))
            case [Ask.CALL, str(name), list()] if name != _BEGIN and not self._has_begun:
                return _NOT_BEGUN
            case [Ask.CALL, str(name), list(values)] if name in self._calls:
                return await self._call(name, self._calls[name].read(values))
        raise ForbiddenError(f"expected something that is asked of the {self._plane} plane", reason="engine")

    async def _call(self, name: str, arguments: Sequence[Any]) -> Any:
        if name not in (Demand.WITHDRAW, _PROBE):
            self._require_never_withdrawn(name, arguments)
        result = await self._calls[name].make(arguments)
        if name == Demand.WITHDRAW and arguments[0].id not in self._withdrawn:
            await self._records.write({arguments[0].id: b""})
            self._withdrawn.add(arguments[0].id)
        if name == _BEGIN:
            self._calls |= {one: _Call(getattr(self._engine.plane, one)) for one in _OF_EACH}
            self._has_begun = True
        return result

    def _require_never_withdrawn(self, name: str, arguments: Sequence[Any]) -> None:
        """A thing that has left never comes back under its identifier, in no honest domain."""
        things = [one for value in arguments for one in (value if isinstance(value, tuple) else (value,))]
        for thing in things:
            if isinstance(thing, Thing) and thing.id in self._withdrawn and not _has_left(self._plane, thing):
                raise ForbiddenError(f"{thing.id} was withdrawn and stays so; no {name} of it", reason="withdrawn")

    def _follow(self, committed: Committed) -> None:
        self._entries += len(committed.entries)


class _Call:
    """A method of an engine, and what it takes."""

    def __init__(self, method: Callable[..., Any]) -> None:
        hints = typing.get_type_hints(method)
        parameters = inspect.signature(method).parameters.values()
        self._method = method
        self._kinds = [hints[one.name] for one in parameters]
        self._by_name = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]

    def read(self, values: Sequence[Any]) -> list[Any]:
        if len(values) != len(self._kinds):
            raise DecodeError(f"expected {len(self._kinds)} values, got {len(values)}")
        read = [typed(value, kind) for value, kind in zip(values, self._kinds, strict=True)]
        for value, kind in zip(read, self._kinds, strict=True):
            if kind is ThingId:
                thing_id(value)
            elif isinstance(value, Thing):
                thing_id(value.id)
        return read

    async def make(self, arguments: Sequence[Any]) -> Any:
        first = len(arguments) - len(self._by_name)
        result = self._method(*arguments[:first], **dict(zip(self._by_name, arguments[first:], strict=True)))
        return await result if isinstance(result, Awaitable) else result


_NOT_BEGUN = object()


def _has_left(plane: PlaneName, thing: Thing) -> bool:
    return OBLIGATIONS[thing.state, thing.restriction][plane] is Demand.WITHDRAW


async def serve_engine(host: Host, listener: socket.socket, *, user: int) -> None:
    """Answer whoever connects as `user`, and nobody else, not even root; never returns."""
    open_connections: set[asyncio.StreamWriter] = set()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = frame.peer_user(writer.get_extra_info("socket"))
        if found != user or len(open_connections) >= _MAX_CONNECTIONS:
            _LOGGER.warning("engine: a connection by user %d was closed; user %d may ask", found, user)
            writer.close()
            return
        open_connections.add(writer)
        try:
            while True:
                await _send(writer, await host.answer(await _receive(reader)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except ThingsteadError as error:
            _LOGGER.warning("engine: a connection was closed: %s", error)
        finally:
            open_connections.discard(writer)
            writer.close()

    server = await asyncio.start_unix_server(welcome, sock=listener)
    await server.serve_forever()


async def _receive(reader: asyncio.StreamReader) -> list[Any]:
    size = int.from_bytes(await reader.readexactly(_HEAD), "big")
    return frame.read(await reader.readexactly(frame.require_size(size)))


async def _send(writer: asyncio.StreamWriter, message: list[Any]) -> None:
    data = codec.encode(message)
    writer.write(len(data).to_bytes(_HEAD, "big") + data)
    await writer.drain()
