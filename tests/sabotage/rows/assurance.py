"""What the assurance document and the calendar promise."""

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage, returns


def _always_shown(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: type(original(*args))("shown")


_A = "thingstead.analysis."
ROWS = (
    Sabotage("R-90", _A + "assurance:_told", returns(""), "no row has an empty cell"),
    Sabotage("R-90", _A + "assurance:_status", _always_shown, "only what was seen to hold is shown"),
)
