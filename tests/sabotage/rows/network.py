"""What MUD files and the network plane promise."""

from tests.sabotage.replacement import Sabotage, accepts

ROWS = (
    Sabotage("R-80", "thingstead.protocols.mud.signature:verify_chain", accepts, "a MUD file is signed by an anchor"),
)
