"""What a series is for and how long it is kept: declared by the owner before a value is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["Purpose", "purpose_of"]


@dataclass(frozen=True, slots=True)
class Purpose:
    """One declaration of the policy file.

    Attributes:
        series: name of the series, or a prefix followed by ``*``.
        text: why it is collected, in the owner's words; shown to whoever asks.
        retention: how long values are kept.
        personal: whether values tell of a person.
        every: the longest time between two values when all is well; None where nobody said.
    """

    series: str
    text: str
    retention: timedelta
    personal: bool = False
    every: timedelta | None = None

    def covers(self, name: str) -> bool:
        """Whether this declaration speaks of the series `name`."""
        if self.series.endswith("*"):
            return name.startswith(self.series[:-1])
        return name == self.series


def purpose_of(name: str, purposes: tuple[Purpose, ...]) -> Purpose | None:
    """The first declaration that covers the series; None when it was never declared."""
    return next((purpose for purpose in purposes if purpose.covers(name)), None)
