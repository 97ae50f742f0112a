"""What a thing's life promises, from its join to its end."""

from tests.sabotage.replacement import Sabotage, accepts

_A = "thingstead.agent."
ROWS = (
    Sabotage("R-09", _A + "wiping:erase", accepts, "a thing that leaves keeps nothing of the domain"),
    Sabotage("R-26", _A + "membership:Membership.reserve", accepts, "numbers that were used stay used over a crash"),
)
