"""What says which algorithms a domain rests on, and ends them when its owner says so."""

from __future__ import annotations

from tests.sabotage.replacement import Sabotage, returns

__all__ = ["ROWS"]

ROWS = (
    Sabotage(
        "R-86",
        "thingstead.analysis.crypto_inventory:_exposure",
        returns("none"),
        "what a quantum computer reads or forges is told for the year that was asked for",
    ),
    Sabotage(
        "R-86",
        "thingstead.planes.access.authorization_server:AuthorizationServer.assets",
        returns(()),
        "tokens and associations are in the inventory",
    ),
)
