"""What the groups plane and a thing in a group promise."""

from tests.sabotage.replacement import Sabotage, accepts, argument, returns

_P = "thingstead.planes.groups."
_A = "thingstead.agent.group_membership:GroupMembership."
ROWS = (
    Sabotage("R-63", _P + "record:GroupRecord.rekeyed", argument(0), "who joins or leaves begins an epoch"),
    Sabotage("R-63", _P + "roster:Roster.behind", returns(()), "members get the keys of a new epoch"),
    Sabotage("R-63", _A + "_give_up", accepts, "who was put out drops its keys"),
    Sabotage("R-65", _P + "enrolment:Enrolment._check_proof", accepts, "a credential is its member's own"),
    Sabotage("R-65", _P + "enrolment:Enrolment._check_key", accepts, "no two members have one key"),
    Sabotage("R-65", "thingstead.keeper.rule:GroupRule.check_signature", accepts, "a seat proves nothing as a manager"),
    Sabotage("R-09", _P + "record:GroupRecord.without_member", argument(0), "a retired thing leaves its groups"),
)
