"""What the assurance document and the calendar promise."""

from tests.sabotage.replacement import Sabotage, returns

_A = "thingstead.analysis."
ROWS = (
    Sabotage("R-90", _A + "assurance:_told", returns(""), "no row has an empty cell"),
    Sabotage("R-90", _A + "assurance:_status", returns("shown"), "only what was seen to hold is shown"),
)
