"""What tokens and scopes promise."""

from tests.sabotage.replacement import Sabotage, accepts

ROWS = (Sabotage("R-35", "thingstead.protocols.ace.aif:Scope.allows", accepts, "a request stays in its scope"),)
