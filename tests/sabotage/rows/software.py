"""What SUIT and the software plane promise."""

from tests.sabotage.replacement import Sabotage, accepts, returns

_P = "thingstead.protocols."
ROWS = (
    Sabotage("R-29", _P + "cose.sign1:verify", accepts, "each signature of a release verifies"),
    Sabotage("R-29", _P + "suit.digest:Digest.verify", accepts, "manifest and image are those signed"),
    Sabotage("R-29", _P + "suit.step:_identifier", returns(()), "vendor and class are the thing's own"),
)
