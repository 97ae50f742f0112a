"""What is fuzzed: functions from bytes to nothing that raise only when an invariant is broken."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from thingstead.errors import ProtocolError, SecurityError

__all__ = ["Cursor", "Target", "all_targets", "attempt", "ensure", "refuses"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """One row.

    Attributes:
        name: what is fuzzed.
        run: takes any bytes; whatever it raises is a finding.
        seeds: inputs to begin with.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


class Cursor:
    """Reads choices from the fuzzer's bytes; at their end every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_empty(self) -> bool:
        """Whether all has been read."""
        return self._at >= len(self._data)

    def number(self, bound: int) -> int:
        """A number from 0 up to, not including, `bound` (at most 65536)."""
        return int.from_bytes(self.bytes(1 if bound <= 256 else 2)) % bound

    def bytes(self, size: int) -> bytes:
        """So many bytes, or what is left."""
        found = self._data[self._at : self._at + size]
        self._at += size
        return found


def ensure(holds: bool, what: str) -> None:
    """An `assert` that no optimisation removes."""
    if not holds:
        raise AssertionError(what)


def attempt(step: Callable[[], T]) -> T | None:
    """What a step that reads a peer's bytes makes of them; None where it refuses them as it may."""
    try:
        return step()
    except (ProtocolError, SecurityError):
        return None


def refuses(step: Callable[[], object], what: str) -> None:
    """Hold that a step refuses; `what` says what it would mean if it did not."""
    ensure(attempt(lambda: (step(),)) is None, what)


def all_targets() -> dict[str, Target]:
    """The rows of every module of `tests.fuzz.targets`, by name."""
    modules = sorted(path.stem for path in (Path(__file__).parent / "targets").glob("[a-z]*.py"))
    rows = [row for name in modules for row in importlib.import_module(f"tests.fuzz.targets.{name}").TARGETS]
    return {row.name: row for row in rows}
