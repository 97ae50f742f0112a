"""What says which algorithms a domain rests on, and ends them when its owner says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage, returns

__all__ = ["ROWS"]


def _none(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: type(original(*args))("none")


def _nobody(_original: Callable[..., Any]) -> Callable[..., Any]:
    async def touched(*_args: Any) -> None:
        pass

    return touched


ROWS = (
    Sabotage(
        "R-76",
        "thingstead.controller.crypto_watch:CryptoWatch._send_back",
        _nobody,
        "a thing that has another algorithm is moved to it",
    ),
    Sabotage(
        "R-76",
        "thingstead.controller.crypto_watch:CryptoWatch._hold",
        _nobody,
        "a thing that has no other algorithm is isolated",
    ),
    Sabotage(
        "R-76",
        "thingstead.domain.crypto_policy:CryptoPolicy.takes",
        returns(value=True),
        "what the owner has ended is not taken",
    ),
    Sabotage(
        "R-86",
        "thingstead.analysis.crypto_inventory:_exposure",
        _none,
        "what a quantum computer reads or forges is told for the year that was asked for",
    ),
    Sabotage(
        "R-86",
        "thingstead.planes.access.authorization_server:AuthorizationServer.assets",
        returns(()),
        "tokens and associations are in the inventory",
    ),
)
