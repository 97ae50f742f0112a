"""What the assurance document and the calendar promise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.sabotage.replacement import Sabotage, returns


def _always_shown(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: type(original(*args))("shown")


def _on_the_last_day(original: Callable[..., Any]) -> Callable[..., Any]:
    def due(*args: Any) -> Any:
        row = original(*args)
        return replace(row, last_safe_day=row.at.date())

    return due


_A = "thingstead.analysis."
ROWS = (
    Sabotage("R-74", _A + "calendar:_due", _on_the_last_day, "an end is told while there is time to act"),
    Sabotage("R-90", _A + "assurance:_told", returns(""), "no row has an empty cell"),
    Sabotage("R-90", _A + "assurance:_status", _always_shown, "only what was seen to hold is shown"),
)
