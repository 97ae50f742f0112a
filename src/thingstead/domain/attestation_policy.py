"""What the owner has wait for evidence of what a thing runs (RFC 9334 §3; R-22)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

__all__ = ["AttestationPolicy", "Waits"]


class Waits(StrEnum):
    """What may wait."""

    TOKENS = "tokens"
    GROUPS = "groups"
    UPDATES = "updates"


@dataclass(frozen=True, slots=True)
class AttestationPolicy:
    """What waits, and for whom.

    Attributes:
        require: that; nothing by default.
        max_age: how long an appraisal counts.
        models: patterns as in a rule, of the things that it is about.
    """

    require: frozenset[Waits] = frozenset()
    max_age: timedelta = timedelta(days=1)
    models: tuple[str, ...] = ("*",)

    def covers(self, model: str) -> bool:
        """Whether it is about things of a model."""
        return any(fnmatchcase(model, one) for one in self.models)
