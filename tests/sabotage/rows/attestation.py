"""What is promised of things that say what they run."""

from tests.sabotage.replacement import Sabotage, accepts, returns

ROWS = (
    Sabotage(
        "R-30", "thingstead.analysis.behaviour:Behaviour.compare", returns(()), "behaviour is compared after updates"
    ),
    Sabotage("R-22", "thingstead.controller.attesting:Attesting.objection", returns(""), "what waits waits"),
    Sabotage("R-22", "thingstead.controller.attesting:Attesting.require", accepts, "tokens and keys wait for evidence"),
    Sabotage(
        "R-22",
        "thingstead.protocols.profile.reference_values:ReferenceValues.differences",
        returns(()),
        "a measurement is compared with what was published",
    ),
)
