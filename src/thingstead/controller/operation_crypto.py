"""Operations on algorithms: which are in use, who depends on them, and what a quantum computer of some year does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from thingstead.analysis.cbom import cbom
from thingstead.analysis.crypto_inventory import AssetRow, inventory
from thingstead.analysis.sunset import effect
from thingstead.controller.operation import Operation
from thingstead.controller.overview import Overview
from thingstead.domain.crypto_policy import CryptoPolicy, crypto_policy, suites_taken
from thingstead.domain.role import Right
from thingstead.errors import ConfigError
from thingstead.protocols.profile import join

__all__ = ["AskEnd", "AskInventory", "rows"]

_FIRST_YEAR, _LAST_YEAR = 2026, 2200
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AskInventory:
    """For which year.

    Attributes:
        year: by the end of it a quantum computer is reckoned with, if the owner does; 0 for the owner's own year.
    """

    year: int = 0


@dataclass(frozen=True, slots=True)
class AskEnd:
    """Of which algorithm.

    Attributes:
        algorithm: its name, as the inventory has it.
        last: its last day, as YYYY-MM-DD.
    """

    algorithm: str
    last: date


def rows(overview: Overview, policy: Callable[[], CryptoPolicy], *, domain: str) -> tuple[Operation[Any], ...]:
    """The table."""

    def taken(request: AskInventory) -> tuple[tuple[AssetRow, ...], int]:
        year = request.year or policy().quantum_year
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise ConfigError(f"expected a year from {_FIRST_YEAR} to {_LAST_YEAR}, got {year}")
        return inventory(overview.assets(), policy(), at=overview.clock.utc(), year=year), year

    async def listed(request: AskInventory) -> tuple[AssetRow, ...]:
        return taken(request)[0]

    async def bill(request: AskInventory) -> dict[str, Any]:
        found, year = taken(request)
        return cbom(found, domain=domain, at=overview.clock.utc(), year=year)

    async def ended(request: AskEnd) -> dict[str, Any]:
        now = policy()
        then = crypto_policy({**now.sunsets, request.algorithm: request.last}, now.quantum_year, now.hybrid)
        found = effect(overview.assets(), then, request.last + _DAY, suites=join.SUITES)
        return {
            "algorithm": request.algorithm,
            "last": request.last,
            "suites": list(suites_taken(then, join.SUITES, request.last + _DAY)),
            "moves": dict(found.moves),
            "isolates": dict(found.isolates),
        }

    return (
        Operation(
            "crypto.forbid", AskEnd, Right.AUDIT, "whom the end of an algorithm moves, and whom it strands", ended
        ),
        Operation("crypto.inventory", AskInventory, Right.AUDIT, "which algorithms, where, until when", listed),
        Operation("crypto.bill", AskInventory, Right.AUDIT, "the same as a CycloneDX document", bill),
    )
