"""An engine of a plane that is another process's: what it is asked over a Unix socket, and what it answers (ADR 0027).

Values are frozen messages of the domain; each crosses as plain CBOR, and is read back by the type that is expected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import msgspec

from thingstead.errors import CONSEQUENCES, DecodeError, ForbiddenError, ThingsteadError, TransportError
from thingstead.transport import frame
from thingstead.transport.frame import Connection

__all__ = ["Answer", "Ask", "EngineSocket", "Outcome", "plain", "refusal", "typed"]

_PATIENCE = 35.0
_BYTES = (bytes,)
_ERRORS = {error.__name__: error for error in CONSEQUENCES}
_AT_ONCE, _URGENT = 8, 4


class Ask(IntEnum):
    """What the host of an engine is asked."""

    CALL = 1
    ENTRIES = 2


class Outcome(IntEnum):
    """How an answer begins: ``[DONE, result, entries, told]``, ``[NOT_BEGUN]``,
    ``[REFUSED, kind, why, spec, reason, entries, told]``.
    """

    DONE = 0
    REFUSED = 1
    NOT_BEGUN = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        outcome: how it ended.
        result: as plain values.
        error: why it was refused.
        entries: how many entries the engine has for the ledger, since it was first started.
        told: what the relying party in the controller's process has to take up: name and values each.
    """

    outcome: Outcome
    result: Any = None
    error: ThingsteadError | None = None
    entries: int = 0
    told: Sequence[tuple[str, Sequence[Any]]] = ()


class EngineSocket:
    """Asks an engine, several things at once, each over a connection of its own.

    Args:
        path: where it is asked.
        patience: seconds for an answer; a plane has less for a demand.
    """

    def __init__(self, path: Path, *, patience: float = _PATIENCE) -> None:
        self._path = path
        self._patience = patience
        self._idle: list[Connection] = []
        # Whatever else an engine is busy with: what takes something away does not stand in line behind it.
        self._lanes = {
            urgent: ThreadPoolExecutor(most, thread_name_prefix=path.stem)
            for urgent, most in ((False, _AT_ONCE), (True, _URGENT))
        }

    async def ask(self, message: Sequence[Any], *, urgent: bool = False) -> Answer:
        """Ask, while others go on.

        Raises:
            TransportError: nobody answers.
        """
        return await in_thread(self._lanes[urgent], lambda: self.ask_now(message))

    def ask_now(self, message: Sequence[Any]) -> Answer:
        """Ask, and let everybody wait: for what is short, and asked seldom.

        Raises:
            TransportError: nobody answers.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = Connection(self._path, patience=self._patience)
        try:
            return _answer(connection.exchange(list(message)))
        except DecodeError as error:
            raise TransportError(f"{self._path.stem} does not answer as it should: {error}", reason="engine") from error
        finally:
            self._idle.append(connection)

    def close(self) -> None:
        """Hang up."""
        for lane in self._lanes.values():
            lane.shutdown(wait=False)
        for connection in self._idle:
            connection.close()


async def in_thread(lane: ThreadPoolExecutor, call: Callable[[], Answer]) -> Answer:
    """Wait in a thread of the lane."""
    return await asyncio.get_running_loop().run_in_executor(lane, call)


def plain(value: Any) -> Any:
    """A message as plain values.

    Raises:
        TypeError: it holds what is no message.
    """
    return msgspec.to_builtins(value, builtin_types=_BYTES)


def typed(value: Any, kind: Any) -> Any:
    """Plain values as the message that is expected.

    Raises:
        DecodeError: they are another.
    """
    try:
        return msgspec.convert(value, kind, builtin_types=_BYTES)
    except (msgspec.ValidationError, ThingsteadError) as error:
        raise DecodeError(f"expected {getattr(kind, '__name__', kind)}: {error}") from error


def refusal(error: ThingsteadError, entries: int, told: Sequence[Any] = ()) -> list[Any]:
    """An error as an answer; what was done before it is told all the same."""
    why = error.message[:400]
    return [int(Outcome.REFUSED), type(error).__name__, why, error.spec, error.reason, entries, list(told)]


def _answer(message: list[Any]) -> Answer:
    match message:
        case [Outcome.DONE, result, int(entries), list(told)]:
            return Answer(Outcome.DONE, result, None, entries, _read_told(told))
        case [Outcome.REFUSED, str(kind), str(why), str(spec), str(reason), int(entries), list(told)]:
            error = _ERRORS.get(kind, ForbiddenError)(why, spec=spec, reason=reason)
            return Answer(Outcome.REFUSED, None, error, entries, _read_told(told))
        case [Outcome.NOT_BEGUN]:
            return Answer(Outcome.NOT_BEGUN)
        case [frame.REFUSED, str(why)]:
            return Answer(Outcome.REFUSED, None, ForbiddenError(why, reason="engine"))
    raise DecodeError("expected an answer of an engine")


def _read_told(told: list[Any]) -> tuple[tuple[str, list[Any]], ...]:
    read = []
    for one in told:
        match one:
            case [str(name), list(values)]:
                read.append((name, values))
            case _:
                raise DecodeError("expected what a relying party is told: a name, and values")
    return tuple(read)
