"""What is made of the packets of devices that nobody manages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.sabotage.replacement import Sabotage, returns

__all__ = ["ROWS"]


def _nameless(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda contact, is_local: original(replace(contact, name=""), is_local)


_T = "thingstead.analysis.traffic."
ROWS = (
    Sabotage("R-12", _T + "inventory:Inventory.devices", returns(()), "who was heard is told"),
    Sabotage("R-81", _T + "proposal:_objection", returns(""), "what outsiders began is not proposed"),
    Sabotage("R-81", _T + "proposal:_remote", _nameless, "names are proposed, not addresses"),
    Sabotage("R-81", _T + "name_book:NameBook.see", returns(None), "addresses are told by their names"),
    Sabotage("R-81", _T + "story:who", returns("somebody"), "the owner is told who was contacted"),
    Sabotage("R-81", _T + "story:amount", returns("some"), "the owner is told how much"),
    Sabotage(
        "R-81",
        "thingstead.planes.network.mud_library:is_owners",
        returns(False),
        "a file that was learned counts by the owner's word",
    ),
    Sabotage(
        "R-81",
        "thingstead.planes.network.mud_manager:MudManager.vouch",
        lambda _original: _nothing,
        "a file that was learned is put in force",
    ),
)


async def _nothing(*_args: object) -> None:
    """Nothing is done."""
