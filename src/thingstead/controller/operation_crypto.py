"""Operations on algorithms: which are in use, who depends on them, and what a quantum computer of some year does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from thingstead.analysis.cbom import cbom
from thingstead.analysis.crypto_inventory import AssetRow, inventory
from thingstead.controller.operation import Operation
from thingstead.controller.overview import Overview
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.role import Right
from thingstead.errors import ConfigError

__all__ = ["AskInventory", "rows"]

_FIRST_YEAR, _LAST_YEAR = 2026, 2200


@dataclass(frozen=True, slots=True)
class AskInventory:
    """For which year.

    Attributes:
        year: by the end of it a quantum computer is reckoned with, if the owner does; 0 for the owner's own year.
    """

    year: int = 0


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

    return (
        Operation("crypto.inventory", AskInventory, Right.AUDIT, "which algorithms, where, until when", listed),
        Operation("crypto.bill", AskInventory, Right.AUDIT, "the same as a CycloneDX document", bill),
    )
