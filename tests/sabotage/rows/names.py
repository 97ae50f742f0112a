"""What stands between a name, or the URL of a MUD file, and what a thing may do by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage, returns

__all__ = ["ROWS"]


def _believed(original: Callable[..., Any]) -> Callable[..., Any]:
    async def hear(self: Any, who: Any, source: Any, url: str) -> bool:
        waits: bool = await original(self, who, source, url)
        thing = self._thing_at(who) if isinstance(who, bytes) else who
        if waits:
            await self.approve(thing, url, by="nobody")
        return waits

    return hear


ROWS = (
    Sabotage(
        "R-80",
        "thingstead.domain.name:is_inside",
        returns(False),
        "a maker's name stands for nobody inside the site",
    ),
    Sabotage(
        "R-80",
        "thingstead.controller.mud_intake:MudIntake.hear",
        _believed,
        "where a device says that its MUD file is changes nothing by itself",
    ),
    Sabotage(
        "R-80",
        "thingstead.planes.network.mud_library:MudLibrary.file",
        returns(b""),
        "a file that cannot be had is not approved",
    ),
)
