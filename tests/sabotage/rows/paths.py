"""What keeps two right rules from being a wrong one together."""

from __future__ import annotations

from tests.sabotage.replacement import Sabotage, returns

__all__ = ["ROWS"]

_R = "thingstead.analysis.reach:"
ROWS = (
    Sabotage("R-85", _R + "_meeting", returns(None), "paths lead over things"),
    Sabotage("R-85", _R + "_is_refused", returns(False), "what the owner refuses ends a path"),
    Sabotage(
        "R-85",
        "thingstead.controller.operation_paths:hold_of",
        returns((3, "")),
        "a thing that holds less makes a path weaker",
    ),
)
