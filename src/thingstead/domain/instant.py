"""UTC instants as whole microseconds since 1970: the one form in which time is persisted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from thingstead.errors import DecodeError

__all__ = ["instant", "microseconds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970; `at` must be aware."""
    return (at - _EPOCH) // _MICROSECOND


def instant(value: object) -> datetime:
    """Read back what `microseconds` gave.

    Raises:
        DecodeError: not an integer, or outside the years that `datetime` knows.
    """
    if type(value) is not int:
        raise DecodeError(f"expected microseconds since 1970, got {type(value).__name__}")
    try:
        return _EPOCH + timedelta(microseconds=value)
    except OverflowError:
        raise DecodeError("expected microseconds of the years 1 to 9999") from None
