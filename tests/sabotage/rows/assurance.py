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


def _in_silence(_original: Callable[..., Any]) -> Callable[..., Any]:
    async def does_nothing(_self: Any, _at: Any) -> None:
        pass

    return does_nothing


_A = "thingstead.analysis."
_W = "thingstead.controller.expiry_watch:ExpiryWatch."
ROWS = (
    Sabotage("R-74", _A + "calendar:_due", _on_the_last_day, "an end is told while there is time to act"),
    Sabotage("R-77", _W + "_tell", _in_silence, "the end of support is told before it comes"),
    Sabotage("R-77", _W + "_end_support", _in_silence, "a thing that nobody mends is restricted"),
    Sabotage("R-90", _A + "assurance:_told", returns(""), "no row has an empty cell"),
    Sabotage("R-90", _A + "assurance:_status", _always_shown, "only what was seen to hold is shown"),
)
