"""What a domain knows of the journal of maintenance that one thing keeps, and its form on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.maintenance import Task

__all__ = ["Book"]

_MOST = 64


@dataclass(frozen=True, slots=True)
class Book:
    """One thing's journal, from here.

    Attributes:
        journal: its name; empty before the thing told of any.
        expected: the number of the next order that we lack.
        answered: numbers of orders of ours that the thing answered, and that it has not told yet.
        asked: orders of ours that it has not answered: what, and who asked.
        missing: first and last number of orders of which nobody told us.
    """

    journal: bytes = b""
    expected: int = 0
    answered: tuple[int, ...] = ()
    asked: tuple[tuple[Task, str], ...] = ()
    missing: tuple[tuple[int, int], ...] = ()

    def encode(self) -> bytes:
        """As it is kept; of what only grows, the newest."""
        asked = [list(one) for one in self.asked[-_MOST:]]
        missing = [list(one) for one in self.missing[-_MOST:]]
        return codec.encode([self.journal, self.expected, list(self.answered[-_MOST:]), asked, missing])

    @classmethod
    def decode(cls, document: bytes) -> Book:
        """Read back what `encode` wrote.

        Raises:
            DecodeError: damaged.
        """
        match codec.decode(document):
            case [bytes(journal), int(expected), list(answered), list(asked), list(missing)]:
                spans = tuple([_span(one) for one in missing])
                return cls(journal, expected, tuple(answered), tuple([_asked(one) for one in asked]), spans)
            case _:
                raise DecodeError("expected what is known of a journal of maintenance")


def _asked(value: Any) -> tuple[Task, str]:
    match value:
        case [str(task), str(who)]:
            return Task(task), who
        case _:
            raise DecodeError("expected an order of ours")


def _span(value: Any) -> tuple[int, int]:
    match value:
        case [int(first), int(last)]:
            return first, last
        case _:
            raise DecodeError("expected a first and a last number")
