"""What keeps a thing that was away for years from being stranded."""

from __future__ import annotations

from tests.sabotage.replacement import Sabotage, accepts, returns

__all__ = ["ROWS"]

_A = "thingstead.agent."
ROWS = (
    Sabotage(
        "R-74",
        _A + "membership:Membership.former_domain",
        returns(None),
        "what ran out while a thing was off, it needs nobody's word to have again",
    ),
    Sabotage(
        "R-74",
        _A + "kept_time:KeptTime.agree",
        accepts,
        "a thing whose clock runs ahead goes by what its domain says",
    ),
)
