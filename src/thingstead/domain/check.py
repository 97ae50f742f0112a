"""What the checks of something came to, as they stand in a result that the ledger vouches for (R-84)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from typing import Any

from thingstead.errors import DecodeError

__all__ = ["Check", "Outcome", "decode_basis", "decode_checks", "encode_checks"]

_MAX_CHECKS, _MAX_SAYINGS, _MAX_SAID, _MAX_BASIS, _MAX_TEXT = 32, 32, 300, 16, 200


class Outcome(StrEnum):
    """What one check came to."""

    PASSED = "passed"
    ALLOWED = "allowed"
    HELD = "held"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: of the check, or of the owner's concern.
        outcome: by the owner's policy, where that has a say.
        said: what was found, each with its place.
    """

    name: str
    outcome: Outcome
    said: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, outcome: Outcome, said: Iterable[str] = ()) -> Check:
        """As much of what was found as a result has room for."""
        return cls(name, outcome, tuple([one[:_MAX_SAID] for one in islice(said, _MAX_SAYINGS)]))


def encode_checks(checks: Iterable[Check]) -> list[Any]:
    """As CBOR has them."""
    return [[one.name, one.outcome.value, list(one.said)] for one in checks]


def decode_checks(value: list[Any]) -> tuple[Check, ...]:
    """Read them.

    Raises:
        DecodeError: none of ours, too many, or two of one name.
    """
    read = tuple([_check(one) for one in _few(value, _MAX_CHECKS)])
    if len({one.name for one in read}) != len(read):
        raise DecodeError("expected each check once in a result", reason="result")
    return read


def decode_basis(value: dict[Any, Any]) -> Mapping[str, str]:
    """Versions of what was judged by.

    Raises:
        DecodeError: too many, or no text.
    """
    rows = [text for row in value.items() for text in row]
    if len(value) > _MAX_BASIS or not all(isinstance(text, str) and len(text) <= _MAX_TEXT for text in rows):
        raise DecodeError(f"expected at most {_MAX_BASIS} versions in a result", reason="result")
    return MappingProxyType(value)


def _few(items: list[Any], most: int) -> list[Any]:
    if len(items) > most:
        raise DecodeError(f"expected at most {most} in a list of a result, got {len(items)}", reason="result")
    return items


def _check(value: Any) -> Check:
    match value:
        case [str(name), str(outcome), list(said)] if len(name) <= _MAX_TEXT and outcome in set(Outcome):
            if all(isinstance(one, str) and len(one) <= _MAX_SAID for one in _few(said, _MAX_SAYINGS)):
                return Check(name, Outcome(outcome), tuple(said))
    raise DecodeError("expected checks of a name, an outcome and what was found", reason="result")
