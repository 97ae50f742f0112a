"""Maintenance of a thing: what may be asked of it, in which order, and the journal that it keeps of it (RFC 8576 §2).

An order is a signed request (`signed_request`) for the thing's own challenge, or comes from the domain. A challenge is
the journal's name and the number that the order gets: good once, and what was skipped shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from thingstead.errors import DecodeError, TransitionError
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import path

__all__ = [
    "MAINTAINER",
    "MAX_SIGNED",
    "Done",
    "Offer",
    "Page",
    "Task",
    "place",
    "read_settings",
    "require_order",
    "rights",
]

MAINTAINER = "maintainer:"
"""How the subject of a person's token begins; no thing is called so."""

MAX_SIGNED = 1024
"""Bytes of a signed order, at most."""

_FORMAT = 1
_JOURNAL_SIZE = _NUMBER_SIZE = 8
_MAX_NUMBER = (1 << 63) - 1
_MAX_SECONDS = 253_402_300_799
"""The last of the year 9999."""
_MAX_DONE = 64
_LIMITS = codec.Limits(max_bytes=1 << 17, max_depth=4)


class Task(StrEnum):
    """What a maintainer may ask of a thing."""

    BEGIN = "begin"
    DIAGNOSE = "diagnose"
    RESTART = "restart"
    UPDATE = "update"
    CONFIGURE = "configure"
    END = "end"

    @property
    def operation(self) -> str:
        """What the order is called where it is signed."""
        return f"maintenance.{self}"


_WITHIN = frozenset({Task.RESTART, Task.UPDATE, Task.CONFIGURE, Task.END})
_RANGES: Mapping[str, tuple[float, float]] = {"telemetry_interval": (0.1, 86_400.0)}
"""Settings of a thing that maintenance may change, in seconds."""


def place(task: Task) -> str:
    """The thing's resource for it."""
    return f"{path.MAINTENANCE}/{task}"


def rights(tasks: Iterable[Task]) -> Scope:
    """What somebody holds at a thing who may ask these of it: each, and what to sign for it."""
    return Scope({path.MAINTENANCE: Permission.GET, **{place(task): Permission.POST for task in tasks}})


def require_order(task: Task, *, is_open: bool) -> None:
    """Pass where a task comes in its order; the thing and its domain ask the same.

    Args:
        task: what is asked.
        is_open: maintenance has begun, and has not ended.

    Raises:
        TransitionError: it began already, or it did not begin.
    """
    if task in _WITHIN and not is_open:
        raise TransitionError(f"{task} comes within maintenance, and that has not begun")
    if task is Task.BEGIN and is_open:
        raise TransitionError("maintenance has begun already")


def read_settings(task: Task, arguments: Mapping[str, Any]) -> dict[str, float]:
    """What a task sets; nothing but `Task.CONFIGURE` sets anything.

    Raises:
        DecodeError: a setting that there is not, out of its range, or none.
    """
    settings: dict[str, float] = {}
    for name, value in arguments.items():
        if task is not Task.CONFIGURE or name not in _RANGES:
            raise DecodeError(
                f"expected settings of {', '.join(_RANGES)}, with {Task.CONFIGURE}; got {str(name)[:40]!r}"
            )
        least, most = _RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise DecodeError(f"expected {name} from {least:g} to {most:g}")
        settings[name] = float(value)
    if task is Task.CONFIGURE and not settings:
        raise DecodeError(f"expected a setting of {', '.join(_RANGES)}")
    return settings


@dataclass(frozen=True, slots=True)
class Offer:
    """What the next order at a thing is signed for.

    Attributes:
        journal: names the thing's journal: 8 bytes, by chance.
        number: that the order gets.
    """

    journal: bytes
    number: int

    def encode(self) -> bytes:
        """The challenge, 16 bytes."""
        return self.journal + self.number.to_bytes(_NUMBER_SIZE, "big")

    @classmethod
    def decode(cls, challenge: bytes) -> Offer:
        """Read a challenge.

        Raises:
            DecodeError: of another length.
        """
        if len(challenge) != _JOURNAL_SIZE + _NUMBER_SIZE:
            raise DecodeError(f"expected what to sign for, of {_JOURNAL_SIZE + _NUMBER_SIZE} bytes")
        return cls(challenge[:_JOURNAL_SIZE], int.from_bytes(challenge[_JOURNAL_SIZE:], "big"))


@dataclass(frozen=True, slots=True)
class Done:
    """An order that a thing took.

    Attributes:
        number: its own, one above the one before.
        at: when, by the thing's clock, in whole seconds.
        task: what.
        signed: the order as its person signed it; empty where the domain gave it.
    """

    number: int
    at: datetime
    task: Task
    signed: bytes = b""

    def encode(self) -> list[Any]:
        """As it stands in a page."""
        return [self.number, int(self.at.timestamp()), self.task.value, self.signed]

    @classmethod
    def decode(cls, value: Any) -> Done:
        """Read back what `encode` wrote.

        Raises:
            DecodeError: no order.
        """
        match value:
            case [int(number), int(at), str(task), bytes(signed)] if (
                0 <= number <= _MAX_NUMBER
                and 0 <= at <= _MAX_SECONDS
                and len(signed) <= MAX_SIGNED
                and task in set(Task)
            ):
                return cls(number, datetime.fromtimestamp(at, UTC), Task(task), signed)
            case _:
                raise DecodeError("expected an order in a journal of maintenance")


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a thing's journal, without a gap within.

    Attributes:
        journal: which.
        done: in the order of their numbers; not empty.
    """

    journal: bytes
    done: tuple[Done, ...]

    def encode(self) -> bytes:
        """As the thing brings it."""
        return codec.encode([_FORMAT, self.journal, [one.encode() for one in self.done]])

    @classmethod
    def decode(cls, data: bytes) -> Page:
        """Read what a thing brought.

        Raises:
            DecodeError: no page.
        """
        match codec.decode(data, limits=_LIMITS):
            case [int(version), bytes(journal), list(rows)] if (
                version == _FORMAT and len(journal) == _JOURNAL_SIZE and 0 < len(rows) <= _MAX_DONE
            ):
                done = tuple([Done.decode(row) for row in rows])
            case _:
                raise DecodeError(f"expected a page of a journal of maintenance, in format {_FORMAT}")
        if any(later.number != earlier.number + 1 for earlier, later in pairwise(done)):
            raise DecodeError("expected orders whose numbers follow each other")
        return cls(journal, done)
