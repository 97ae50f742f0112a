"""What a series is for, how long it is kept and what it needs: declared by the owner before a value is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from thingstead.domain.service import CARRIED, Service
from thingstead.errors import ConfigError

__all__ = ["Purpose", "purpose_of"]

_GIVEN_BY = {Service.AVAILABILITY: "every_seconds", Service.STALENESS_DETECTION: "stale_after_seconds"}


@dataclass(frozen=True, slots=True)
class Purpose:
    """One declaration of the policy file.

    Attributes:
        series: name of the series, or a prefix followed by ``*``.
        text: why it is collected, in the owner's words; shown to whoever asks.
        retention: how long values are kept.
        personal: whether values tell of a person.
        every: the longest time between two values when all is well; a thing that takes longer is called silent, which
            is how a loss of availability is noticed. None where nobody said.
        stale_after: how far the time that a value carries may lie from our own when it comes; an older one may have
            been held back, and is refused. None for values that need not say when they were measured.
        needs: the security services without which the series must not be collected; None for those it has.
    """

    series: str
    text: str
    retention: timedelta
    personal: bool = False
    every: timedelta | None = None
    stale_after: timedelta | None = None
    needs: frozenset[Service] | None = None

    def __post_init__(self) -> None:
        """Refuse a series that needs what nothing gives it.

        Raises:
            ConfigError: names the setting that would give it.
        """
        for service in sorted((self.needs or frozenset()) - self.services):
            raise ConfigError(f"series {self.series!r} needs {service}, which takes `{_GIVEN_BY[service]}`")

    @property
    def services(self) -> frozenset[Service]:
        """The security services that it has."""
        given = {Service.AVAILABILITY: self.every, Service.STALENESS_DETECTION: self.stale_after}
        return CARRIED | {service for service, setting in given.items() if setting is not None}

    def covers(self, name: str) -> bool:
        """Whether this declaration speaks of the series `name`."""
        if self.series.endswith("*"):
            return name.startswith(self.series[:-1])
        return name == self.series


def purpose_of(name: str, purposes: tuple[Purpose, ...]) -> Purpose | None:
    """The first declaration that covers the series; None when it was never declared."""
    return next((purpose for purpose in purposes if purpose.covers(name)), None)
