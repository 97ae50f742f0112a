"""A known vulnerability becomes a rule that blocks the way to it, for all that have it, as long as they do (R-89).

The rule follows what is known and what runs: who installs a release with the hole is under it within a minute, and who
installs one without it is let out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from thingstead.domain.owner_rule import OwnerRule
from thingstead.identifier import ThingId
from thingstead.planes.software.vulnerability_shelf import Exposure

__all__ = ["VirtualPatches"]

_ACTOR = "virtual-patch"


class VirtualPatches:
    """Looks once a minute.

    Args:
        exposures: every known vulnerability of every thing now.
        rules: the owner's, as kept.
        put: keeps one in the place of that of its name, by whom.
    """

    def __init__(
        self,
        exposures: Callable[[], Awaitable[Iterable[Exposure]]],
        *,
        rules: Callable[[], Awaitable[tuple[OwnerRule, ...]]],
        put: Callable[[OwnerRule, str], Awaitable[object]],
    ) -> None:
        self._exposures = exposures
        self._rules = rules
        self._put = put

    async def things(self, vulnerability: str) -> tuple[ThingId, ...]:
        """Who has it, by the name of the record or another such as a CVE number; what is not certain counts."""
        return _having(vulnerability, await self._exposures())

    async def look(self) -> None:
        """Have each rule be about who has its vulnerability now.

        Raises:
            TransportError: it is not in force for everybody yet.
            StorageError: it is not kept; both are tried at the next look.
        """
        patches = [one for one in await self._rules() if one.vulnerability]
        exposures = tuple(await self._exposures()) if patches else ()
        for rule in patches:
            things = _having(rule.vulnerability, exposures)
            if things != rule.things:
                await self._put(replace(rule, things=things), _ACTOR)


def _having(vulnerability: str, exposures: Iterable[Exposure]) -> tuple[ThingId, ...]:
    wanted = vulnerability.upper()
    return tuple(
        sorted({one.thing for one in exposures if wanted in {name.upper() for name in (one.id, *one.aliases)}})
    )
