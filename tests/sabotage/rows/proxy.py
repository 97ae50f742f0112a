"""What a proxy promises about what it carries."""

from tests.sabotage.replacement import Sabotage, accepts, returns

_P = "thingstead.proxy."
ROWS = (
    Sabotage(
        "R-52", _P + "cache:Cache.key", returns(("coap", "a", 1, (), "key")), "nothing that OSCORE protects is cached"
    ),
    Sabotage("R-53", _P + "routing:_require", accepts, "a flow passes only in the form that it declares"),
)
