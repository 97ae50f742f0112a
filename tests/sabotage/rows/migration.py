"""What a change of update keys promises."""

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage, accepts, argument, returns


def _idles(_original: Callable[..., Any]) -> Callable[..., Any]:
    async def idle(*_args: Any) -> None:
        """Nobody is cut off."""

    return idle


_D = "thingstead.domain.migration:"
_S = "thingstead.protocols.profile.succession:"
ROWS = (
    Sabotage(
        "R-75", _D + "_verifies", returns(True), "a type that cannot verify the new signatures is left with the old"
    ),
    Sabotage("R-76", _D + "Plan.require_safe", accepts, "nobody is stranded whom the owner did not name"),
    Sabotage("R-76", _D + "require_retirable", accepts, "old keys go when those who are awake have the new ones"),
    Sabotage(
        "R-76", "thingstead.controller.migration_watch:MigrationWatch._isolate", _idles, "the domain isolates them"
    ),
    Sabotage("R-76", _D + "overdue", returns(()), "who is past its last safe day is isolated"),
    Sabotage(
        "R-76",
        "thingstead.planes.software.migration:Migrations._overlaid",
        argument(1),
        "a step that was decided outlives the controller",
    ),
    Sabotage(
        "R-87",
        "thingstead.protocols.suit.authentication:Tally.require",
        accepts,
        "one family of a hybrid is not enough",
    ),
    Sabotage("R-87", _S + "_require_signed", accepts, "other update keys are signed by those of before and their own"),
)
