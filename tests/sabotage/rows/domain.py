"""What the domain's tables and the keys promise."""

from tests.sabotage.replacement import Sabotage, accepts, returns, skips
from thingstead.errors import TransitionError

_D = "thingstead.domain."
ROWS = (
    Sabotage("R-01", _D + "lifecycle:advance", skips(TransitionError), "undeclared transitions are refused"),
    Sabotage("R-09", _D + "plane:demands", returns({}), "every plane is asked to withdraw"),
    Sabotage("R-31", "thingstead.crypto.keystore:_check_private", accepts, "keys are their owner's alone"),
)
