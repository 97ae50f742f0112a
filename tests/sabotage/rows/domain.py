"""What the domain's tables and the keys promise."""

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage, accepts, returns, skips
from thingstead.errors import TransitionError

_ALL_ADMIT = dict.fromkeys(("identity", "access", "groups", "software", "network", "data"), "admit")
_D = "thingstead.domain."


def _does_nothing(_original: Callable[..., Any]) -> Callable[..., Any]:
    async def done(*_args: Any, **_kwargs: Any) -> None:
        """Not even remembered."""

    return done


ROWS = (
    Sabotage("R-01", _D + "lifecycle:advance", skips(TransitionError), "undeclared transitions are refused"),
    Sabotage("R-02", "thingstead_verifier.verify:_check_roots", returns((b"", [])), "roots are compared with heads"),
    Sabotage("R-02", "thingstead_verifier.verify:_check_entries", returns([]), "entries are checked one by one"),
    Sabotage("R-04", _D + "plane:demands", returns(_ALL_ADMIT), "nothing is admitted before the join is done"),
    Sabotage("R-59", _D + "policy:JoinRule.objection", returns(""), "an identity is not yet a permission"),
    Sabotage("R-09", _D + "plane:demands", returns({}), "every plane is asked to withdraw"),
    Sabotage(
        "R-03",
        "thingstead.protocols.profile.delegation:VerifiedDelegation.require",
        accepts,
        "an installer stays within zone, class and time",
    ),
    Sabotage(
        "R-03",
        "thingstead.controller.waiting_room:WaitingRoom.let_in",
        returns(0),
        "an installer lets in so many things and no more",
    ),
    Sabotage(
        "R-03",
        "thingstead.controller.offline_approval:OfflineApprovals._spend",
        _does_nothing,
        "an approval that was signed elsewhere counts once",
    ),
    Sabotage("R-06", _D + "role:Operator.may", returns(True), "each role has its rights and no other"),
    Sabotage("R-07", _D + "maintenance:decide", accepts, "one decision says who maintains a thing, and when"),
    Sabotage(
        "R-07",
        "thingstead.planes.access.permits:Permit.objection",
        returns(""),
        "what was done at a thing is held against what was permitted",
    ),
    Sabotage(
        "R-07",
        "thingstead.protocols.profile.maintenance:require_order",
        accepts,
        "work on a thing comes within maintenance",
    ),
    Sabotage("R-23", _D + "policy:JoinRule.is_mismatch", returns(False), "what was swapped is blocked"),
    Sabotage("R-28", "thingstead.controller.waiting_room:Waiting.compare", accepts, "a key is compared out of band"),
    Sabotage("R-31", "thingstead.crypto.keystore:_check_private", accepts, "keys are their owner's alone"),
)
